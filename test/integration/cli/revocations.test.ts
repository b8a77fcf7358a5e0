import { createHash } from "node:crypto";
import { readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { issueChain } from "../../fixtures/certificates.ts";
import { keylessSkill } from "../../fixtures/keyless-skill.ts";
import { identity, issuer, testSigstore } from "../../fixtures/sigstore.ts";
import { keyFingerprint } from "../../unit/policy/builders.ts";
import { documents, run } from "./line.ts";
import { makeSkillFolder, type SkillFolder } from "./skill-folder.ts";
import { skillRevocationList } from "../../fixtures/resources.ts";

let home: string;
let skill: string;
let put: SkillFolder["put"];
let trust: readonly string[];
let pub: string;

beforeEach(async () => {
  const folder = makeSkillFolder();
  ({ home, skill, put } = folder);
  const pair = folder.keys("ec", "mine");
  pub = pair.pub;
  trust = ["--public-key", pub];
  expect((await run(["sign", skill, "--key", pair.key])).code).toBe(0);
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const listOf = (spec: object, name = "org-revoked", apiVersion = "skill-admission.dev/v1alpha1"): string =>
  JSON.stringify({ ...skillRevocationList(name, spec), apiVersion });

const harmful = (): object => ({
  files: [{ digest: digestOf(readFileSync(join(skill, "scripts/run.sh"))), reason: "harmful" }],
});
const other = { files: [{ digest: `sha256:${"0".repeat(64)}`, reason: "other" }] };

const verify = (...args: readonly string[]) => run(["verify", skill, ...trust, ...args, "-o", "json"]);

describe("verify --revocations", () => {
  it("refuses what a list revokes, by the file, and passes what it does not", async () => {
    const denied = await verify("--revocations", put("revoked.json", listOf(harmful())));
    expect([denied.code, denied.err]).toEqual([1, ""]);
    expect(documents(denied.out)[0]).toMatchObject({
      outcome: "deny",
      grades: { integrity: "STRONG", authorship: "STRONG", freshness: "ABSENT" },
      findings: [
        {
          code: "REVOKED",
          path: "scripts/run.sh",
          message: expect.stringMatching(/SkillRevocationList org-revoked: harmful$/) as string,
        },
      ],
    });
    const passed = await verify("--revocations", put("other.json", listOf(other)));
    expect([passed.code, passed.err]).toEqual([0, ""]);
    expect((await verify()).code).toBe(0);
  });

  it("refuses a revoked key, and a revoked certificate above the signer's", async () => {
    const keys = [{ digest: `sha256:${keyFingerprint(readFileSync(pub, "utf8"))}`, reason: "lost" }];
    expect((await verify("--revocations", put("keys.json", listOf({ keys })))).code).toBe(1);

    const { root, leaf, certificates } = await issueChain();
    const chain = put("chain.pem", certificates.map(String).join(""));
    const signed = ["sign", skill, "--force", "--key", put("leaf.key", leaf.keyPem), "--certificate-chain"];
    expect((await run([...signed, chain])).code).toBe(0);
    trust = ["--certificate-chain", put("root.pem", root.pem)];
    expect((await verify("--revocations", put("other.json", listOf(other)))).code).toBe(0);
    const list = { certificates: [{ digest: digestOf(certificates[1]!.raw), reason: "lost" }] };
    const denied = await verify("--revocations", put("chain.json", listOf(list)));
    expect(denied.code).toBe(1);
    expect(documents(denied.out)[0]).toMatchObject({ findings: [{ code: "REVOKED" }] });
  });

  it("refuses a revoked identity, and passes it without the list", async () => {
    const sigstore = await testSigstore();
    for (const [path, { bytes }] of (await keylessSkill(sigstore)).files)
      put(`data-designer/${path}`, Buffer.from(bytes).toString());
    skill = join(home, "data-designer");
    const root = put("trusted_root.json", JSON.stringify(sigstore.trustedRoot));
    trust = ["--identity", identity, "--issuer", issuer, "--trusted-root", root];
    expect((await verify("--revocations", put("other.json", listOf(other)))).code).toBe(0);
    const identities = [{ identity, issuer, reason: "left" }];
    expect((await verify("--revocations", put("identities.json", listOf({ identities })))).code).toBe(1);
  });

  it("takes every list: of folders, of several files, of a List, from standard input", async () => {
    put("lists/a.yaml", listOf(other, "a"));
    put("lists/deep/b.json", listOf(harmful(), "b"));
    expect((await verify("--revocations", join(home, "lists"))).code).toBe(1);
    const [first, second] = [put("1.json", listOf(other, "a")), put("2.json", listOf(harmful(), "b"))];
    expect((await verify("--revocations", first, "--revocations", second)).code).toBe(1);
    const items = [JSON.parse(listOf(harmful())) as object];
    const all = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    expect((await verify("--revocations", put("all.json", all))).code).toBe(1);
    const stdin = listOf(harmful());
    expect((await run(["verify", skill, ...trust, "--revocations", "-"], { stdin })).code).toBe(1);
  });

  it.each<[string, () => string, RegExp]>([
    ["is not there", () => join(home, "no.yaml"), /cannot read .*no\.yaml: it does not exist/],
    ["is no YAML", () => put("bad.yaml", "a: [\n"), /bad\.yaml/],
    ["is empty", () => put("empty.yaml", ""), /no SkillRevocationList|not a Kubernetes object/],
    ["is a folder without manifests", () => join(put("none/a.txt", ""), ".."), /has no \.yaml/],
    [
      "holds an unknown field",
      () => put("field.json", listOf({ ...harmful(), hosts: [] })),
      /SkillRevocationList org-revoked: spec\.hosts: there is no such field/,
    ],
    ["holds no digest", () => put("digest.json", listOf({ files: [{ digest: "abc" }] })), /spec\.files\[0\]/],
    [
      "is of another version",
      () => put("version.json", listOf(harmful(), "a", "skill-admission.dev/v1")),
      /apiVersion/,
    ],
    [
      "has a slip in its kind",
      () => put("kind.json", listOf(harmful()).replace("RevocationList", "RevocationsList")),
      /SkillRevocationsList/,
    ],
    [
      "has items, as if it were a list of objects",
      () =>
        put(
          "items.yaml",
          `${listOf(other)}\n---\n${JSON.stringify({ ...(JSON.parse(listOf(harmful(), "b")) as object), items: [] })}\n`,
        ),
      /SkillRevocationList b: items: there is no such field/,
    ],
    [
      "has one name twice",
      () => put("twice.yaml", `${listOf(harmful())}\n---\n${listOf(other)}\n`),
      /another SkillRevocationList has the name org-revoked/,
    ],
  ])("ends with 2 and no verdict, when a list %s", async (_what, file, message) => {
    const { code, out, err } = await verify("--revocations", file());
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(message);
  });

  it("ends with 2 where one of several holds none, such as a file cut to nothing", async () => {
    const lists = put("lists/a.json", listOf(other, "a"));
    const { code, out, err } = await verify(
      ...["--revocations", join(lists, ".."), "--revocations", put("cut.yaml", "")],
    );
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/there is no SkillRevocationList in .*cut\.yaml/);
    expect((await verify("--revocations", `${join(lists, "..")}/`)).code).toBe(0);
  });

  it("refuses by a list behind a link, too", async () => {
    put("lists/a.json", listOf(other, "a"));
    symlinkSync(put("elsewhere/b.json", listOf(harmful(), "b")), join(home, "lists/b.json"));
    expect((await verify("--revocations", join(home, "lists"))).code).toBe(1);
  });

  it("needs somebody to trust, and stands among the files of a policy", async () => {
    const list = put("revoked.json", listOf(harmful()));
    const alone = await run(["verify", skill, "--revocations", list]);
    expect([alone.code, alone.err]).toEqual([2, expect.stringContaining("--public-key")]);
    const both = await run(["verify", skill, "--policy", list, "--revocations", list]);
    expect([both.code, both.out]).toEqual([2, ""]);
  });
});
