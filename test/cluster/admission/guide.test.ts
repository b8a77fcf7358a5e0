import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guideSkill, type GuideSkill } from "../../fixtures/guide-skill.ts";
import { signedSkill, withFiles } from "../../fixtures/signed-skill.ts";
import { projectRoot } from "../harness/binaries.ts";
import { tryKubectl } from "../harness/cluster.ts";
import { sharedProduct } from "./product.ts";
import {
  applySkill,
  createNamespace,
  denial,
  enforce,
  oneByteChanged,
  pemOf,
  policy,
  short,
  trustRoot,
} from "./world.ts";

const run = promisify(execFile);
const cli = (...args: readonly string[]) =>
  run(process.execPath, [join(projectRoot, "dist/main.js"), ...args]);

const namespace = "guide";

let scratch: string;
let own: GuideSkill;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "skill-admission-guide-"));
  own = guideSkill();
  await sharedProduct();
  await createNamespace(namespace, namespace);
  await enforce(
    trustRoot("guide", { keys: [{ name: "team", pem: pemOf(own) }] }),
    policy(namespace, {
      publishers: [{ name: "team", publicKey: { trustRootRef: { name: "guide", key: "team" } } }],
      evidence: { integrity: "STRONG", authorship: "STRONG" },
      card: { required: true, fields: ["owner", "license", "risks"], mitigationPerRisk: true },
    }),
  );
});

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

const applied = (skill: GuideSkill["skill"]) => applySkill(skill, namespace);

describe("a skill in the guide's format", () => {
  it("passes, when the policy's publisher signed it", async () => {
    const { ran } = await applied(own.skill);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
  });

  it("passes, when openssl made the key and the command line signed and packed it", async () => {
    const folder = join(scratch, "incident-summary");
    await run("cp", ["-r", join(projectRoot, "examples/skills/incident-summary"), folder]);
    const card = Buffer.from(own.skill.files.get("skill_card.yaml")!.bytes).toString();
    await rm(join(folder, "skill-card.md"));
    await writeFile(join(folder, "skill_card.yaml"), card.replace("data-designer", "incident-summary"));
    const [key, pub] = [join(scratch, "ed25519.key"), join(scratch, "ed25519.pub")];
    await run("openssl", ["genpkey", "-algorithm", "ed25519", "-out", key]);
    const { stdout: pem } = await run("openssl", ["pkey", "-in", key, "-pubout"]);
    await writeFile(pub, pem);
    await enforce(
      trustRoot("guide", {
        keys: [
          { name: "team", pem: pemOf(own) },
          { name: "openssl", pem },
        ],
      }),
      policy(namespace, {
        publishers: [{ name: "team", publicKey: { trustRootRef: { name: "guide" } } }],
        evidence: { integrity: "STRONG", authorship: "STRONG" },
        card: { required: true, fields: ["owner", "license", "risks"], mitigationPerRisk: true },
      }),
    );
    await cli("sign", folder, "--format", "guide", "--key", key);
    await cli("verify", folder, "--public-key", pub);
    const { stdout } = await cli(
      "package",
      folder,
      "--namespace",
      namespace,
      "--with-pod",
      "example.invalid/a",
    );
    expect(await tryKubectl(["apply", "-f", "-"], stdout)).toMatchObject({ code: 0, stderr: "" });
  });

  it.each(["SKILL.md", "scripts/run.sh", "skill_card.yaml"])(
    "is denied, when a byte of %s changes",
    async (path) => {
      const changed = withFiles(own.skill, { [path]: oneByteChanged(own.skill.files.get(path)!.bytes) });
      const { ran } = await applied(changed);
      expect(denial(ran)).toContain(
        `  DIGEST_MISMATCH ${path}: signed ${short(own.skill, path)}, found ${short(changed, path)}`,
      );
    },
  );

  it("is denied, when a byte of the signature file changes", async () => {
    const text = Buffer.from(own.signature).toString();
    const signature = text.replace(
      /"signature":"(.)/,
      (whole, digit: string) => `${whole.slice(0, -1)}${digit === "0" ? "1" : "0"}`,
    );
    expect(signature).not.toBe(text);
    const { ran } = await applied(withFiles(own.skill, { "skill.sig": signature }));
    expect(denial(ran)).toContain("  UNTRUSTED_SIGNER the signature fits none of the trusted Ed25519 keys");
  });

  it("is denied, when a file is added, also one that is named skill.sig", async () => {
    const added = withFiles(own.skill, { "extra.py": "x\n", "references/skill.sig": "x\n" });
    const { ran } = await applied(added);
    expect(denial(ran)).toContain("  FILE_UNSIGNED extra.py");
    expect(denial(ran)).toContain("  FILE_UNSIGNED references/skill.sig");
  });

  it("is denied, when a stranger signed it", async () => {
    const { ran } = await applied(guideSkill().skill);
    expect(denial(ran)).toContain("  UNTRUSTED_SIGNER ");
    expect(denial(ran)).toContain("  fix: use a skill signed by a publisher of the policy");
  });

  it("does not lend its key to another format", async () => {
    const { ran } = await applied(signedSkill().skill);
    expect(denial(ran)).toContain("  UNTRUSTED_SIGNER ");
  });
});
