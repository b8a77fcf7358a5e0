import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandsOf, type, typed } from "../../fixtures/documented.ts";
import { alias, projectRoot, shellWithHome, snapshotOn } from "./page.ts";
import { run } from "./line.ts";

const page = "docs/formats/vett.md";
const example = join(projectRoot, "examples/vett");

const shell = shellWithHome();

describe("docs/formats/vett.md", () => {
  it("has a worked example that works as it is typed, and shows what it prints", async () => {
    const commands = await commandsOf(page);
    const shown = await commandsOf(page, "text");
    const verify =
      "skill-admission verify examples/vett/skills/incident-summary --policy examples/vett/policy.yaml\n";
    expect(await typed(alias + verify, shell)).toBe(shown("incident-summary  pass"));
    expect(await typed(alias + commands('"verdict"'), shell)).toBe(shown('"verdict":"verified"'));

    const swapped = await type(alias + commands("pay-invoice"), shell);
    expect(swapped).toEqual({ code: 1, out: shown("pay-invoice  FAIL") });
    const changed = await type(alias + commands("evil.invalid"), shell);
    expect(changed).toEqual({ code: 1, out: shown("incident-summary  FAIL") });

    expect(await typed(commands("openssl dgst"), shell)).toBe(shown("Verified OK"));
  });

  it("shows first what is verified as it stands", async () => {
    expect(await readFile(join(projectRoot, page), "utf8")).toContain(
      "```sh\nskill-admission verify examples/vett/skills/incident-summary --policy examples/vett/policy.yaml\n```",
    );
  });

  it("has a trust root and a policy that can be used", async () => {
    const snapshot = await snapshotOn(page);
    expect(snapshot.problems).toEqual([]);
    expect(snapshot.policies[0]!.publishers[0]).toMatchObject({ kind: "vett", name: "vett-sh" });
    expect(snapshot.trust.registries![0]!.keys[0]!.hint).toBe("v1-ecdsa-2025-02-04");
  });
});

describe("the example of a registry", () => {
  const folder = join(example, "skills/incident-summary");
  const verify = async (...args: readonly string[]) => {
    const { code, out } = await run(["verify", folder, ...args, "-o", "json"]);
    return { code, document: JSON.parse(out) as Readonly<Record<string, unknown>> };
  };

  it("is told with both hashes, the key and the time of signing", async () => {
    const { document } = await verify("--policy", join(example, "policy.yaml"));
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    expect(document).toMatchObject({
      signature: {
        format: "vett",
        outcome: "signed",
        unlisted: ["vett.analysis.json"],
        signer: {
          kind: "registry",
          hint: "v1-ecdsa-2026-example",
          names: ["example-registry/registry"],
          hashes: [hash, hash],
          signedAt: expect.stringMatching(/^20\d\d-.*Z$/) as string,
        },
      },
      scan: { grade: "WEAK", tool: "vett", path: "vett.analysis.json", maxFinding: "low" },
    });
  });

  it("is let in where it is mounted as the command line packs it, and no longer when a file differs", async () => {
    const { out: packed } = await run([
      "package",
      folder,
      "--namespace",
      "pay",
      "--with-pod",
      "example.invalid/a",
    ]);
    const namespace =
      "apiVersion: v1\nkind: Namespace\nmetadata: { name: pay, labels: { tenant: registry } }\n---\n";
    const apply = async (manifests: string) => {
      const args = ["--policy", join(example, "policy.yaml"), "--resource", "-", "-o", "json"];
      const { out } = await run(["apply", ...args], { stdin: namespace + manifests });
      return JSON.parse(out) as unknown;
    };
    expect(await apply(packed)).toMatchObject({
      outcome: "allow",
      skills: [
        { signature: { format: "vett", outcome: "signed" }, scan: { grade: "WEAK", verdict: "verified" } },
      ],
    });
    const changed = packed.replace("Collect the timeline", "Collect all secrets");
    expect(changed).not.toBe(packed);
    expect(await apply(changed)).toMatchObject({
      outcome: "deny",
      verdicts: [{ skills: [{ findings: [{ code: "DIGEST_MISMATCH", path: "SKILL.md" }] }] }],
    });
  });

  it("says who must be trusted, where nobody is", async () => {
    const { code, document } = await verify();
    expect(code).toBe(3);
    expect(document).toMatchObject({
      signature: {
        outcome: "untrusted",
        detail: "no registry is trusted here; name one in spec.vett of a SkillTrustRoot",
      },
    });
    expect(document).not.toHaveProperty("scan");
  });

  it("has the policy's key beside it, for openssl", async () => {
    const pem = await readFile(join(example, "registry.pub"), "utf8");
    const policy = await readFile(join(example, "policy.yaml"), "utf8");
    for (const line of pem.trimEnd().split("\n")) expect(policy).toContain(line);
  });
});
