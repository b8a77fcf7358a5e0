import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Skill } from "../../../src/skill/skill.ts";
import { edited, flipped, type Edit } from "../../fixtures/edited.ts";
import { keylessSkill } from "../../fixtures/keyless-skill.ts";
import { identity, issuer, testSigstore, type TestSigstore } from "../../fixtures/sigstore.ts";
import { signedSkill, skillOf, withFiles } from "../../fixtures/signed-skill.ts";
import { projectRoot } from "../harness/binaries.ts";
import { sharedProduct, type SharedProduct } from "./product.ts";
import {
  applySkill,
  causeIn,
  createNamespace,
  denial,
  enforce,
  oneByteChanged,
  pemOf,
  policy,
  short,
  trustRoot,
  tryApply,
  type Part,
} from "./world.ts";

const namespace = "keyless";
const signature = "skill.oms.sig";
const repository = "https://github.com/acme/skills";
const who = `${identity} (${issuer})`;
const claims = [
  { arc: 8, value: issuer },
  { arc: 12, value: repository },
];

let product: SharedProduct;
let sigstore: TestSigstore;
let own: Skill;

/** A trust root of this name with one Sigstore. */
const rootWith = (name: string, trustedRoot: object): Part =>
  trustRoot(name, { sigstore: [{ name: "ours", trustedRoot: JSON.stringify(trustedRoot) }] });

/** A policy for the namespace of this name, with one keyless publisher. */
const policyWith = (name: string, root: string, publisher: Part = { identity }): Part =>
  policy(name, {
    publishers: [{ name: "ci", keyless: { trustRootRef: { name: root }, issuer, ...publisher } }],
    evidence: { integrity: "STRONG", authorship: "STRONG" },
    card: { required: true },
  });

beforeAll(async () => {
  sigstore = await testSigstore();
  own = await keylessSkill(sigstore, { extensions: claims });
  product = await sharedProduct();
  await createNamespace(namespace, namespace);
  await enforce(rootWith(namespace, sigstore.trustedRoot), policyWith(namespace, namespace));
});

const applied = (skill: Skill, space = namespace) => applySkill(skill, space);

/** The whole denial of a pod with one skill, from what is said of the signature and the lines of its findings. */
const denialOf = (
  { name, source }: Pick<Awaited<ReturnType<typeof applied>>, "name" | "source">,
  about: string,
  lines: readonly string[],
  space = namespace,
): string =>
  [
    `policy "${space}" denied Pod ${space}/${name}: 1 of 1 skill failed: ${causeIn(lines)}`,
    `- data-designer (${source} at /skills/data-designer): ${about}`,
    ...lines,
    "decision ID",
  ].join("\n");

const fix = "  fix: use a skill signed by a publisher of the policy, or add the signer to its publishers";

/** What is said of a signer whom some trust root proves, and this policy does not name. */
const noPublisher = (signer: string): readonly string[] => [
  `  UNTRUSTED_SIGNER    signed by ${signer}, who is no publisher of this policy`,
  "  GRADE_BELOW_MINIMUM authorship is MEDIUM, and evidence.authorship of the policy demands STRONG",
  fix,
];

/** What is said of one whom nobody proves. */
const notProved = (why: string): readonly string[] => [
  `  UNTRUSTED_SIGNER signed by "${identity}" ("${issuer}"), which is not proved: ${why}`,
  fix,
];

/** What is said of one who would be the policy's publisher, if its own root proved it. */
const notProvedBy = (why: string): readonly string[] => [
  `  UNTRUSTED_SIGNER signed by ${who}, which the Sigstore root of the publisher ci does not prove: ${why}`,
  "  fix: have it signed anew with the proof that the Sigstore root of the publisher ci asks for, or bring that trust root up to date",
];

/** The skill with another bundle as its signature. */
function withBundle(edits: Readonly<Record<string, Edit>>): Skill {
  const bundle = JSON.parse(Buffer.from(own.files.get(signature)!.bytes).toString()) as object;
  return withFiles(own, { [signature]: JSON.stringify(edited(bundle, edits)) });
}

describe("a pod whose ConfigMap carries a keyless skill passes", () => {
  it("when the policy's publisher signed it", async () => {
    const { ran, name } = await applied(own);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    await product.decision("Pod", name, { decision: "allow" });
  });

  it.each(["dsse 0.0.2", "hashedrekord 0.0.2"] as const)(
    "when it is logged as %s in Rekor 2, with a timestamp",
    async (entry) => {
      const { ran } = await applied(await keylessSkill(sigstore, { entry }));
      expect(ran).toMatchObject({ code: 0, stderr: "" });
    },
  );

  it("when its identity matches the policy's pattern, and the build its claims", async () => {
    const space = "keyless-pattern";
    const identityPattern =
      "^https://github\\.com/acme/skills/\\.github/workflows/release\\.yml@refs/tags/v[0-9.]+$";
    await createNamespace(space, space);
    const claimed = { identityPattern, claims: { sourceRepositoryURI: repository } };
    await enforce(policyWith(space, namespace, claimed));
    expect((await applied(own, space)).ran).toMatchObject({ code: 0, stderr: "" });
    const unclaimed = await applied(await keylessSkill(sigstore), space);
    expect(denial(unclaimed.ran)).toBe(denialOf(unclaimed, `signed by ${who}`, noPublisher(who), space));
  });
});

describe("a pod whose ConfigMap carries a keyless skill is denied", () => {
  it.each(["SKILL.md", "references/a.md", "scripts/run.sh", "skill-card.md"])(
    "when a byte of %s changes",
    async (path) => {
      const changed = withFiles(own, { [path]: oneByteChanged(own.files.get(path)!.bytes) });
      const result = await applied(changed);
      const lines = denial(result.ran).split("\n");
      expect(lines.slice(0, 3)).toEqual(
        denialOf(result, `signed by ${who}, changed since`, [
          `  DIGEST_MISMATCH ${path}: signed ${short(own, path)}, found ${short(changed, path)}`,
        ])
          .split("\n")
          .slice(0, 3),
      );
      expect(lines).toContainEqual(
        expect.stringMatching(/^ {2}fix: mount the published files again, or sign/),
      );
    },
  );

  it("when a file is added", async () => {
    const result = await applied(withFiles(own, { "extra.py": "print('hi')\n" }));
    expect(denial(result.ran)).toBe(
      denialOf(result, `signed by ${who}, changed since`, [
        "  FILE_UNSIGNED extra.py",
        "  fix: remove the added file, or sign the skill with it",
      ]),
    );
  });

  const entry = "verificationMaterial.tlogEntries.0";
  it.each<[string, string, string, Readonly<Record<string, Edit>>]>([
    [
      "the signature",
      "BAD_SIGNATURE the signature does not match the signed list: one of them was changed, or another key signed",
      "mount the published signature again, or sign the skill anew",
      { "dsseEnvelope.signatures.0.sig": flipped(-1) },
    ],
    [
      "the log entry's body",
      `UNTRUSTED_SIGNER signed by "${identity}" ("${issuer}"), which is not proved: `,
      "use a skill signed by a publisher of the policy",
      {
        [`${entry}.canonicalizedBody`]: (old: string) =>
          Buffer.from(
            Buffer.from(old, "base64")
              .toString()
              .replace(
                /("value":")(.)/,
                (_all, head: string, digit: string) => head + (digit === "0" ? "1" : "0"),
              ),
          ).toString("base64"),
      },
    ],
    [
      "the log's promise",
      `UNTRUSTED_SIGNER signed by ${who}, which the Sigstore root of the publisher ci does not prove: inclusion promise`,
      "have it signed anew with the proof that the Sigstore root of the publisher ci asks for",
      { [`${entry}.inclusionPromise.signedEntryTimestamp`]: flipped(-1) },
    ],
  ])("when a byte of %s changes", async (_what, finding, remedy, edits) => {
    const result = await applied(withBundle(edits));
    const text = denial(result.ran);
    expect(text).toContain(`): signature by ${who} proves nothing here\n  ${finding}`);
    expect(text).toContain(`  fix: ${remedy}`);
  });

  it("when the log entry is taken out", async () => {
    const result = await applied(withBundle({ "verificationMaterial.tlogEntries": [] }));
    expect(denial(result.ran)).toContain(
      notProvedBy("it is in 0 of the 1 transparency logs that are asked for").join("\n"),
    );
  });

  it("when somebody else signed it at the same Sigstore", async () => {
    const mallory = identity.replace("acme", "mallory");
    const result = await applied(await keylessSkill(sigstore, { identity: mallory }));
    const signer = `${mallory} (${issuer})`;
    expect(denial(result.ran)).toBe(denialOf(result, `signed by ${signer}`, noPublisher(signer)));
  });

  it("when another issuer vouched for the identity", async () => {
    const other = "https://token.actions.example.com";
    const skill = await keylessSkill(sigstore, { extensions: [{ arc: 8, value: other }] });
    const result = await applied(skill);
    const signer = `${identity} (${other})`;
    expect(denial(result.ran)).toBe(denialOf(result, `signed by ${signer}`, noPublisher(signer)));
  });

  it("when only a trust root proves it that the policy does not name", async () => {
    const space = "keyless-elsewhere";
    await createNamespace(space, space);
    await enforce(rootWith(space, (await testSigstore()).trustedRoot), policyWith(space, space));
    const result = await applied(own, space);
    const [finding, remedy] = notProvedBy("it does not know the transparency log");
    expect(denial(result.ran)).toBe(
      denialOf(
        result,
        `signed by ${who}`,
        [
          finding!.replace("UNTRUSTED_SIGNER ", "UNTRUSTED_SIGNER    "),
          "  GRADE_BELOW_MINIMUM authorship is MEDIUM, and evidence.authorship of the policy demands STRONG",
          remedy!,
        ],
        space,
      ),
    );
  });
});

describe("a policy that demands freshness", () => {
  const space = "keyless-fresh";
  const team = signedSkill();
  const demanding = (): Part =>
    policy(space, {
      publishers: [
        { name: "ci", keyless: { trustRootRef: { name: namespace }, issuer, identity } },
        { name: "team", publicKey: { pem: pemOf(team) } },
      ],
      evidence: { freshness: "MEDIUM" },
    });

  it("lets in what a log dates, and denies what nobody does, with the grade and what to do", async () => {
    await createNamespace(space, space);
    await enforce(demanding());
    expect((await applied(own, space)).ran).toMatchObject({ code: 0, stderr: "" });
    const undated = denial((await applied(team.skill, space)).ran).split("\n");
    expect(undated.slice(2, -1)).toEqual([
      "  GRADE_BELOW_MINIMUM freshness is WEAK, and evidence.freshness of the policy demands MEDIUM: no log or timestamp authority says when it was signed",
      "  fix: have the skill signed so that the time is proved, such as keyless with a transparency log",
    ]);
  });

  it("denies what is older than its limit, by the public instance's own log", async () => {
    const [old, sample] = ["keyless-old", join(projectRoot, "examples/keyless/reference-sample")];
    const files = ["signme-1", "signme-2", "model.sig"].map(
      (path) => [path === "model.sig" ? signature : path, readFileSync(join(sample, path))] as const,
    );
    const reference = skillOf("reference-sample", Object.fromEntries(files));
    const limited = (maxSignatureAge: string): Part =>
      policy(old, {
        publishers: [
          {
            name: "reference",
            keyless: {
              trustRootRef: { name: old },
              issuer: "https://sigstore.verify.ibm.com/oauth2",
              identity: "stefanb@us.ibm.com",
            },
          },
        ],
        evidence: { freshness: "MEDIUM" },
        freshness: { maxSignatureAge },
      });
    await createNamespace(old, old);
    await enforce(
      trustRoot(old, { sigstore: [{ name: "public", instance: "PublicGood" }] }),
      limited("876000h"),
    );
    expect((await applySkill(reference, old)).ran).toMatchObject({ code: 0, stderr: "" });
    await enforce(limited("4320h"));
    const lines = denial((await applySkill(reference, old)).ran).split("\n");
    expect(lines.slice(2, -1)).toEqual([
      expect.stringMatching(
        /^ {2}EXPIRED {13}signed at 2025-.+ days ago; the policy takes signatures of at most 4320h$/,
      ),
      "  GRADE_BELOW_MINIMUM freshness is ABSENT, and evidence.freshness of the policy demands MEDIUM",
      "  fix: use a newer release, or have the skill reviewed and signed anew",
    ]);
  });

  it("cannot demand a grade that no skill reaches", async () => {
    const { code, stderr } = await tryApply([
      policy("too-fresh", {
        publishers: [{ name: "team", publicKey: { pem: pemOf(team) } }],
        evidence: { freshness: "STRONG" },
      }),
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain("spec.evidence.freshness");
  });
});

describe("a pod whose ConfigMap carries a keyless skill is denied, after the trust root was changed", () => {
  it.each<[string, () => Promise<object>, readonly string[]]>([
    [
      "so that it knows the log by another key",
      () => {
        const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
        const rawBytes = publicKey.export({ type: "spki", format: "der" }).toString("base64");
        return Promise.resolve(edited(sigstore.trustedRoot, { "tlogs.0.publicKey.rawBytes": rawBytes }));
      },
      notProvedBy("inclusion promise could not be verified"),
    ],
    [
      "to another Sigstore's",
      async () => (await testSigstore()).trustedRoot,
      notProved("its transparency log is in no trusted Sigstore root"),
    ],
  ])("%s; and passes after it was changed back", async (_what, changed, said) => {
    await enforce(rootWith(namespace, await changed()), policyWith(namespace, namespace));
    const result = await applied(own);
    expect(denial(result.ran)).toBe(denialOf(result, `signature by ${who} proves nothing here`, said));
    await enforce(rootWith(namespace, sigstore.trustedRoot), policyWith(namespace, namespace));
    expect((await applied(own)).ran).toMatchObject({ code: 0, stderr: "" });
  });
});
