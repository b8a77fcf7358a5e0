import { generateKeyPairSync } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { issueAuthority, issueChain } from "../../fixtures/certificates.ts";
import { documents, run } from "./line.ts";
import { makeSkillFolder, type SkillFolder } from "./skill-folder.ts";

let home: string;
let skill: string;
let put: SkillFolder["put"];
let keys: SkillFolder["keys"];

beforeEach(() => {
  ({ home, skill, put, keys } = makeSkillFolder());
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

const keyPair = (name: string, passphrase?: string) => keys("ec", name, passphrase);

describe("sign", () => {
  it("signs by key, says what and with whom, and verify passes with that key only", async () => {
    const { key, pub } = keyPair("mine");
    const signed = await run(["sign", skill, "--key", key]);
    expect([signed.code, signed.err]).toEqual([0, ""]);
    expect(signed.out).toContain("2 files\n  SKILL.md\n  scripts/run.sh\n");
    expect(signed.out).toContain(`skill-admission verify ${skill} --public-key`);
    const verified = await run(["verify", skill, "--public-key", pub, "-o", "json"]);
    expect(verified.code).toBe(0);
    expect(documents(verified.out)[0]).toMatchObject({
      outcome: "allow",
      signature: { outcome: "signed", signer: { kind: "key" } },
      grades: { integrity: "STRONG", authorship: "STRONG", freshness: "WEAK" },
    });
    const stranger = await run(["verify", skill, "--public-key", keyPair("other").pub, "-o", "json"]);
    expect(stranger.code).toBe(1);
    const hint = /^key hint {2}([0-9a-f]{64})$/m.exec(signed.out)?.[1];
    expect(stranger.out).toContain(`a key with the hint \\"${hint}\\", which is not trusted`);
    expect(documents(stranger.out)[0]).toMatchObject({
      outcome: "deny",
      findings: [{ code: "UNTRUSTED_SIGNER" }],
    });
  });

  it("signs by certificate chain, and verify passes with the root of that chain only", async () => {
    const { root, leaf, certificates } = await issueChain();
    const key = put("leaf.key", leaf.keyPem);
    const chain = put("chain.pem", certificates.map((one) => one.toString()).join(""));
    const anchor = put("root.pem", root.pem);
    expect((await run(["sign", skill, "--key", key, "--certificate-chain", chain])).code).toBe(0);
    const verified = await run(["verify", skill, "--certificate-chain", anchor, "-o", "json"]);
    expect([verified.code, verified.err]).toEqual([0, ""]);
    const other = put("other.pem", (await issueAuthority()).pem);
    expect((await run(["verify", skill, "--certificate-chain", other])).code).toBe(1);
  });

  it("refuses a key that lies among the skill's files, under whatever name, and signs nothing", async () => {
    const { key } = keyPair("mine");
    const inside = join(skill, "scripts", "notes.txt");
    writeFileSync(inside, readFileSync(key));
    for (const file of [key, inside]) {
      const refused = await run(["sign", skill, "--key", file]);
      expect([refused.code, refused.err]).toEqual([
        2,
        expect.stringMatching(/is one of the skill's own files, scripts\/notes\.txt/),
      ]);
    }
    expect(existsSync(join(skill, "skill.oms.sig"))).toBe(false);
    rmSync(inside);
    expect((await run(["sign", skill, "--key", key])).code).toBe(0);
  });

  it("refuses a certificate that is not valid now", async () => {
    const { leaf, certificates } = await issueChain();
    const key = put("leaf.key", leaf.keyPem);
    const chain = put("chain.pem", certificates.map((one) => one.toString()).join(""));
    const after = certificates[0]!.validToDate.getTime() + 1_000;
    const refused = await run(["sign", skill, "--key", key, "--certificate-chain", chain], {
      now: () => after,
    });
    expect([refused.code, refused.err]).toEqual([
      2,
      expect.stringMatching(/is valid from .+ to .+, not now\n/),
    ]);
    expect(existsSync(join(skill, "skill.oms.sig"))).toBe(false);
  });

  it("asks whether a folder without SKILL.md was meant", async () => {
    const { key } = keyPair("mine");
    put("notes/a.md", "a\n");
    const signed = await run(["sign", join(home, "notes"), "--key", key]);
    expect([signed.code, signed.err]).toEqual([0, expect.stringContaining("has no SKILL.md")]);
  });

  it("tells what is wrong with SKILL.md while it can still be corrected, such as another name", async () => {
    const { key } = keyPair("mine");
    put("other/SKILL.md", "---\nname: demo\ndescription: A skill.\n---\n# Demo\n");
    const signed = await run(["sign", join(home, "other"), "--key", key]);
    expect([signed.code, signed.err]).toEqual([
      0,
      'warning: SKILL.md: name: "demo" is not the folder\'s name "other"; rename one of them\n',
    ]);
  });

  it("names what it leaves unsigned, and verify grades that MEDIUM and says why", async () => {
    const { key, pub } = keyPair("mine");
    put("demo/.gitignore", "x\n");
    put("demo/.git/HEAD", "ref\n");
    const signed = await run(["sign", skill, "--key", key]);
    expect(signed.out).toContain("not signed (a repository's own files):\n  .git/HEAD\n  .gitignore\n");
    const verified = await run(["verify", skill, "--public-key", pub, "-o", "json"]);
    expect(documents(verified.out)[0]).toMatchObject({
      grades: { integrity: "MEDIUM" },
      signature: { unlisted: [".git/HEAD", ".gitignore"] },
    });
    const table = await run(["verify", skill, "--public-key", pub]);
    expect(table.out).toContain("\n  not covered by the signature: .git/HEAD, .gitignore\n");
  });

  it("replaces a signature only with --force, and leaves nothing else behind", async () => {
    const { key, pub } = keyPair("mine");
    await run(["sign", skill, "--key", key]);
    put("demo/SKILL.md", "---\nname: demo\ndescription: Changed.\n---\n");
    const before = readFileSync(join(skill, "skill.oms.sig"), "utf8");
    const refused = await run(["sign", skill, "--key", key]);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("--force");
    expect(readFileSync(join(skill, "skill.oms.sig"), "utf8")).toBe(before);
    expect((await run(["sign", skill, "--key", key, "--force"])).code).toBe(0);
    expect((await run(["verify", skill, "--public-key", pub])).code).toBe(0);
    expect(readdirSync(skill).sort()).toEqual(["SKILL.md", "scripts", "skill.oms.sig"]);
  });

  it("opens an encrypted key with the passphrase of the environment, and says so where it is missing or wrong", async () => {
    const { key, pub } = keyPair("sealed", "open sesame");
    expect((await run(["sign", skill, "--key", key])).err).toContain("SKILL_ADMISSION_KEY_PASSPHRASE");
    const wrong = await run(["sign", skill, "--key", key], { passphrase: "no" });
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("does not open")]);
    expect(existsSync(join(skill, "skill.oms.sig"))).toBe(false);
    expect((await run(["sign", skill, "--key", key], { passphrase: "open sesame" })).code).toBe(0);
    expect((await run(["verify", skill, "--public-key", pub])).code).toBe(0);
  });

  it.each<[string, () => Promise<readonly string[]> | readonly string[], RegExp]>([
    ["a key that is not there", () => ["--key", join(home, "no.key")], /cannot read/],
    ["a folder in place of a key", () => ["--key", home], /cannot read .*: it is a folder/],
    ["a public key", () => ["--key", keyPair("mine").pub], /no private key[^]*it is a public key/],
    [
      "a key of another kind",
      () => {
        const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
        return ["--key", put("rsa.key", privateKey.export({ type: "pkcs8", format: "pem" }) as string)];
      },
      /P-256, P-384 or P-521 \(openssl ecparam/,
    ],
    [
      "a chain of another key",
      async () => {
        const { certificates } = await issueChain();
        return [
          "--key",
          keyPair("mine").key,
          "--certificate-chain",
          put("chain.pem", certificates.map(String).join("")),
        ];
      },
      /does not belong/,
    ],
    [
      "a chain without certificates",
      () => ["--key", keyPair("mine").key, "--certificate-chain", put("empty.pem", "")],
      /no certificate/,
    ],
  ])("refuses %s, and writes nothing", async (_what, args, message) => {
    const { code, err } = await run(["sign", skill, ...(await args())]);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(readdirSync(skill)).not.toContain("skill.oms.sig");
  });
});

describe("verify", () => {
  it("names the changed, the missing and the added file in every format", async () => {
    const { key, pub } = keyPair("mine");
    put("demo/gone.md", "x");
    await run(["sign", skill, "--key", key]);
    rmSync(join(skill, "gone.md"));
    put("demo/SKILL.md", "---\nname: demo\ndescription: Evil.\n---\n");
    put("demo/extra.py", "x");
    for (const format of ["table", "json", "yaml", "sarif", "junit"]) {
      const { code, out } = await run(["verify", skill, "--public-key", pub, "-o", format]);
      expect(code).toBe(1);
      for (const word of [
        "DIGEST_MISMATCH",
        "SKILL.md",
        "FILE_MISSING",
        "gone.md",
        "FILE_UNSIGNED",
        "extra.py",
      ])
        expect(out).toContain(word);
    }
  });

  it("shows the facts and ends with 3, authorship WEAK at most, when told of nobody to trust", async () => {
    const { certificates, leaf } = await issueChain();
    const chain = put("chain.pem", certificates.map(String).join(""));
    await run(["sign", skill, "--key", put("leaf.key", leaf.keyPem), "--certificate-chain", chain]);
    const { code, out, err } = await run(["verify", skill, "-o", "json"]);
    expect([code, err]).toEqual([3, expect.stringMatching(/^name whom to trust .*--policy/)]);
    expect(documents(out)[0]).toMatchObject({
      outcome: "unevaluated",
      grades: { integrity: "UNVERIFIED", authorship: "WEAK", freshness: "UNVERIFIED" },
    });
    expect((await run(["verify", skill])).out).toContain("1 not judged");
  });

  it("asks for the folders of skills, when given the folder above them", async () => {
    const { code, err } = await run(["verify", home, "--public-key", keyPair("mine").pub]);
    expect([code, err]).toEqual([
      1,
      `warning: no SKILL.md in ${home}; name the folders of skills, one each\n`,
    ]);
  });

  it("refuses a skill with a link in it, as the agent would not read what was signed", async () => {
    const { key, pub } = keyPair("mine");
    await run(["sign", skill, "--key", key]);
    symlinkSync("/etc/passwd", join(skill, "link"));
    const { code, out } = await run(["verify", skill, "--public-key", pub, "-o", "json"]);
    expect(code).toBe(1);
    expect(documents(out)[0]).toMatchObject({
      signature: { outcome: "unavailable" },
      findings: [{ code: "SOURCE_MALFORMED" }],
    });
  });

  it("goes on after a skill that cannot be read, and then ends with 3", async () => {
    const { pub } = keyPair("mine");
    const { SourceError } = await import("../../../src/skill/source-error.ts");
    const readSkillDirectory = () =>
      Promise.reject(new SourceError("SOURCE_UNAVAILABLE", "permission denied"));
    const { code, out } = await run(["verify", skill, skill, "--public-key", pub, "-o", "json"], {
      readSkillDirectory,
    });
    expect([code, documents(out).length]).toEqual([3, 2]);
  });

  it("leaves out files beside folders, as of skills/*, and says so", async () => {
    const { key, pub } = keyPair("mine");
    await run(["sign", skill, "--key", key, "--force"]);
    const readme = put("README.md", "# Skills\n");
    symlinkSync(readme, join(home, "LINK.md"));
    const paths = [readme, skill, join(home, "LINK.md")];
    const good = await run(["verify", ...paths, "--public-key", pub, "-o", "json"]);
    expect([good.code, documents(good.out).length]).toEqual([0, 1]);
    expect(good.err).toBe(`note: left out, for they are no folders: ${readme}, ${join(home, "LINK.md")}\n`);
    const { pub: another } = keyPair("another");
    expect((await run(["verify", ...paths, "--public-key", another])).code).toBe(1);
    expect((await run(["verify", ...paths])).code).toBe(3);
  });

  it.each<[string, () => readonly string[], RegExp]>([
    [
      "a folder that is not there",
      () => [join(home, "no"), join(home, "nor")],
      /no does not exist\n.*nor does not exist/,
    ],
    ["a file", () => [join(skill, "SKILL.md")], /is not a folder/],
    ["files alone", () => [put("a.md", ""), put("b.md", "")], /a.md is not a folder\n.*b.md is not a folder/],
    [
      "the contents of a skill",
      () => [join(skill, "SKILL.md"), join(skill, "scripts")],
      /SKILL.md is not a folder\nname folders of skills/,
    ],
    ["a folder and what is not there", () => [skill, join(home, "no")], /no does not exist/],
    ["a private key as public key", () => [skill, "--public-key", keyPair("mine").key], /openssl pkey/],
    ["a key file without a key", () => [skill, "--public-key", put("x.pem", "nothing")], /no public key/],
    [
      "a key that no policy may pin",
      () => {
        const { publicKey } = generateKeyPairSync("ed448");
        return [
          skill,
          "--public-key",
          put("ed.pub", publicKey.export({ type: "spki", format: "pem" }) as string),
        ];
      },
      /ed448 cannot be used; use P-256, P-384, P-521 or Ed25519\nname a file/,
    ],
    [
      "a policy with an unknown field",
      () => [
        skill,
        "--policy",
        put(
          "p.yaml",
          "apiVersion: skill-admission.dev/v1alpha1\nkind: ClusterSkillPolicy\nmetadata: {name: p}\nspec: {publisher: []}\n",
        ),
      ],
      /ClusterSkillPolicy p/,
    ],
    [
      "files without a policy",
      () => [skill, "--policy", put("p.yaml", "apiVersion: v1\nkind: ConfigMap\n")],
      /no ClusterSkillPolicy/,
    ],
    ...["SkillRevocationlist of skill-admission.dev/v1alpha1", "SkillRevocationList of example.com/v1"].map(
      (slip): [string, () => readonly string[], RegExp] => {
        const [kind, apiVersion] = slip.split(" of ");
        const policy = `apiVersion: skill-admission.dev/v1alpha1\nkind: ClusterSkillPolicy\nmetadata: {name: p}\n`;
        const list = `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: l}\n`;
        return [
          `a list that is a ${slip}, beside a policy`,
          () => [skill, "--policy", put("p.yaml", policy + list)],
          new RegExp(`p\\.yaml: ${slip} is not known; known are`),
        ];
      },
    ),
  ])("ends with 2 for %s", async (_what, args, message) => {
    const { code, out, err } = await run(["verify", ...args()]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
  });

  it("verifies a signature under another name", async () => {
    const { key, pub } = keyPair("mine");
    await run(["sign", skill, "--key", key]);
    writeFileSync(join(skill, "model.sig"), readFileSync(join(skill, "skill.oms.sig")));
    rmSync(join(skill, "skill.oms.sig"));
    expect((await run(["verify", skill, "--public-key", pub])).code).toBe(1);
    const found = await run(["verify", skill, "--public-key", pub, "--signature", "model.sig"]);
    expect([found.code, found.err]).toEqual([0, ""]);
    const mistyped = await run(["verify", skill, "--public-key", pub, "--signature", "modle.sig"]);
    expect([mistyped.code, mistyped.err]).toEqual([
      1,
      `warning: no modle.sig in ${skill}; --signature is a path inside of the skill\n`,
    ]);
  });
});
