import { describe, expect, it } from "vitest";
import { compileObjects } from "../../fixtures/compile.ts";
import { judge } from "../../../src/policy/judge.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { verdictOf } from "../../../src/policy/verdict.ts";
import { treeRootDigest } from "../../../src/signature/oms/digest.ts";
import type { SignatureEvidence, Signer } from "../../../src/signature/signature-evidence.ts";
import { SkillFile, treeDigest, type Skill } from "../../../src/skill/skill.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import {
  codes,
  evidenceOf,
  now,
  policyObject,
  reference,
  signed,
  tampered,
  trustedSigner,
  unsigned,
  untrusted,
} from "./builders.ts";
import type { Spec } from "./resource-cases.ts";
import { skillRevocationList } from "../../fixtures/resources.ts";

const hex = (byte: string): string => byte.repeat(32);
const sha256 = (byte: string): string => `sha256:${hex(byte)}`;
const entry = (digest: string): Spec => ({ digest, reason: "SEC-1" });

const listObject = (spec: Spec, name = "org-revoked"): KubernetesObject => skillRevocationList(name, spec);

/** The policy of the builders, under these lists. */
function policyUnder(lists: readonly Spec[], spec: Spec = {}): Policy {
  const revocationLists = lists.map((content, index) => listObject(content, `list-${index}`));
  const { policies, problems } = compileObjects([policyObject(spec)], [], { revocationLists });
  expect(problems).toEqual([]);
  return policies[0]!;
}

const keyless: Signer = {
  kind: "keyless",
  identity: "me@example.com",
  issuer: "https://issuer.example.com",
  claims: {},
  fingerprint: hex("c1"),
  publicKey: hex("c2"),
  roots: [hex("c3")],
};

const certificate: Signer = {
  kind: "certificate",
  subject: "CN=Leaf",
  attributes: { CN: ["Leaf"] },
  fingerprint: hex("d1"),
  publicKey: hex("d2"),
  anchors: [hex("d4")],
  issuers: [hex("d3"), hex("d4")],
};

const skill: Skill = {
  name: "etl",
  files: new Map([
    ["SKILL.md", new SkillFile(Buffer.from("x"))],
    ["scripts/run.sh", new SkillFile(Buffer.from("y"))],
  ]),
};
const fileDigest = (path: string): string => `sha256:${skill.files.get(path)!.sha256}`;

/** Findings of code REVOKED, as messages with their path in front. */
function revoked(
  policy: Policy,
  signature: SignatureEvidence,
  others?: readonly SignatureEvidence[],
  content: Skill = skill,
): readonly string[] {
  const evidence = { ...evidenceOf(signature), ...(others === undefined ? {} : { others }) };
  const { findings } = judge(
    policy,
    reference({ content: { state: "resolved", skill: content } }),
    evidence,
    now,
  );
  return findings.flatMap(({ code, path, message, tolerated }) => {
    if (code !== "REVOKED") return [];
    expect(tolerated).toBe(false);
    return [path === undefined ? message : `${path}: ${message}`];
  });
}

describe("a SkillRevocationList", () => {
  it("refuses a skill by the digest of its signed list, saying by which list, since when and why", () => {
    const policy = policyUnder([
      { skills: [{ digest: sha256("00"), reason: "exfiltrates", revokedAt: "2026-09-01T00:00:00Z" }] },
    ]);
    expect(revoked(policy, signed())).toEqual([
      "the skill 00000000… is revoked by SkillRevocationList list-0 since 2026-09-01T00:00:00Z: exfiltrates",
    ]);
    expect(revoked(policyUnder([{ skills: [entry(sha256("01"))] }]), signed())).toEqual([]);
  });

  it("refuses a skill by the digest of its files, without its signature and with another one", () => {
    const policy = policyUnder([{ skills: [entry(treeRootDigest(skill.files))] }]);
    const message = [expect.stringMatching(/^the skill [0-9a-f]{8}… is revoked/)];
    expect(revoked(policy, unsigned)).toEqual(message);
    expect(revoked(policy, signed())).toEqual(message);
    const files = new Map([...skill.files, ["skill.sig", new SkillFile(Buffer.from("z"))] as const]);
    expect(revoked(policy, signed(), undefined, { ...skill, files })).toEqual(message);
    const changed = new Map([...skill.files, ["extra.py", new SkillFile(Buffer.from("z"))] as const]);
    expect(revoked(policy, signed(), undefined, { ...skill, files: changed })).toEqual([]);
  });

  it("refuses a skill by the digest that stands on the ConfigMaps which carry it, and no other tree", () => {
    const policy = policyUnder([{ skills: [entry(treeDigest(skill))] }]);
    const message = [expect.stringMatching(/^the skill [0-9a-f]{8}… is revoked/)];
    expect(revoked(policy, signed())).toEqual(message);
    expect(revoked(policy, unsigned)).toEqual(message);
    const changed = new Map([...skill.files, ["extra.py", new SkillFile(Buffer.from("z"))] as const]);
    expect(revoked(policy, signed(), undefined, { ...skill, files: changed })).toEqual([]);
  });

  it("refuses a skill that holds a revoked file, at whatever path, and names it", () => {
    const policy = policyUnder([{ files: [entry(fileDigest("scripts/run.sh"))] }]);
    expect(revoked(policy, signed())).toEqual([
      expect.stringMatching(
        /^scripts\/run\.sh: the file [0-9a-f]{8}… is revoked by SkillRevocationList list-0: SEC-1$/,
      ),
    ]);
    const files = new Map([["other.md", skill.files.get("scripts/run.sh")!]]);
    expect(revoked(policy, signed(), undefined, { name: "other", files })).toHaveLength(1);
    expect(revoked(policyUnder([{ files: [entry(sha256("ab"))] }]), signed())).toEqual([]);
  });

  it("names twenty files at most", () => {
    const file = new SkillFile(Buffer.from("same"));
    const files = new Map(Array.from({ length: 40 }, (_, at) => [`f${at}`, file] as const));
    const policy = policyUnder([{ files: [entry(`sha256:${file.sha256}`)] }]);
    expect(revoked(policy, signed(), undefined, { name: "many", files })).toHaveLength(20);
  });

  it.each([
    ["of the signer", "d1"],
    ["above the signer's", "d3"],
    ["above the signer's", "d4"],
  ])("refuses what was signed with or under a revoked certificate: %s (%s)", (whose, byte) => {
    const policy = policyUnder([{ certificates: [entry(sha256(byte))] }]);
    expect(revoked(policy, signed(certificate))).toEqual([
      `the certificate ${byte.repeat(4)}… ${whose} is revoked by SkillRevocationList list-0: SEC-1`,
    ]);
    expect(revoked(policy, signed())).toEqual([]);
  });

  it.each([
    ["a bare key", trustedSigner],
    ["the key of a certificate", certificate],
    ["the key of a keyless signer", keyless],
  ])("refuses what was signed by %s that is revoked", (_what, signer) => {
    const policy = policyUnder([{ keys: [entry(`sha256:${signer.publicKey}`)] }]);
    expect(revoked(policy, signed(signer))).toEqual([
      `the key ${signer.publicKey.slice(0, 8)}… of the signer is revoked by SkillRevocationList list-0: SEC-1`,
    ]);
    expect(revoked(policyUnder([{ keys: [entry(sha256("ee"))] }]), signed(signer))).toEqual([]);
  });

  it("refuses a keyless identity under its issuer, and none like it", () => {
    const revoking = (identity: string, issuer: string): Policy =>
      policyUnder([{ identities: [{ identity, issuer, reason: "account was taken over" }] }]);
    expect(revoked(revoking("me@example.com", "https://issuer.example.com"), signed(keyless))).toEqual([
      "the signer me@example.com (https://issuer.example.com) is revoked by SkillRevocationList list-0: account was taken over",
    ]);
    for (const [identity, issuer] of [
      ["me@example.com", "https://other.example.com"],
      ["me@example.co", "https://issuer.example.com"],
      ["me@example.com.evil", "https://issuer.example.com"],
      ["https://issuer.example.com", "me@example.com"],
    ] as const)
      expect(revoked(revoking(identity, issuer), signed(keyless))).toEqual([]);
  });

  it("counts each kind of digest as what it is", () => {
    const digest = `sha256:${trustedSigner.publicKey}`;
    for (const kind of ["skills", "files", "certificates"])
      expect(revoked(policyUnder([{ [kind]: [entry(digest)] }]), signed())).toEqual([]);
  });

  it("counts for every policy, named there or not", () => {
    const lists = [{ keys: [entry(`sha256:${trustedSigner.publicKey}`)] }];
    expect(revoked(policyUnder(lists), signed())).toHaveLength(1);
    const named = { revocation: { listRefs: [{ name: "list-0" }] } };
    expect(revoked(policyUnder(lists, named), signed())).toHaveLength(1);
  });

  it("adds up with other lists; of two entries about one thing the first is told", () => {
    const lists = ["first", "second"].map((reason) => ({ skills: [{ digest: sha256("00"), reason }] }));
    expect(revoked(policyUnder(lists), signed())).toEqual([expect.stringMatching(/list-0: first$/)]);
    const others = [{ skills: [entry(sha256("01"))] }, { skills: [entry(sha256("00"))] }];
    expect(revoked(policyUnder(others), signed())).toEqual([expect.stringMatching(/list-1: SEC-1$/)]);
  });
});

describe("lists that are compiled again", () => {
  const first = listObject({ skills: [entry(sha256("00"))] }, "a");
  const second = listObject({ keys: [entry(sha256("ee"))] }, "b");
  const under = (revocationLists: readonly KubernetesObject[]): number => {
    const { policies } = compileObjects([policyObject()], [], { revocationLists });
    return revoked(policies[0]!, signed()).length;
  };

  it("revoke the same while they stay, and no more when they are changed or gone", () => {
    const changed = listObject({ skills: [entry(sha256("01"))] }, "a");
    expect([first, second].map((list) => under([list]))).toEqual([1, 0]);
    expect(under([first, second])).toBe(1);
    expect(under([first, second])).toBe(1);
    expect(under([second])).toBe(0);
    expect(under([changed, second])).toBe(0);
    expect(under([second, first])).toBe(1);
    expect(under([])).toBe(0);
  });
});

describe("a policy's own revocation", () => {
  it.each([
    ["a skill", sha256("00")],
    ["a file", fileDigest("SKILL.md")],
    ["a key", `sha256:${trustedSigner.publicKey}`],
  ])("refuses %s", (_what, digest) => {
    expect(revoked(policyUnder([], { revocation: { digests: [digest] } }), signed())).toEqual([
      expect.stringMatching(/ is revoked by this policy's revocation$/),
    ]);
  });

  it("is not that of another policy", () => {
    const { policies } = compileObjects(
      [policyObject({ revocation: { digests: [sha256("00")] } }), policyObject({}, "q")],
      [],
    );
    expect(policies.map((policy) => revoked(policy, signed()).length)).toEqual([1, 0]);
  });
});

describe("revocation, whatever else holds", () => {
  const lists = [{ keys: [entry(`sha256:${trustedSigner.publicKey}`)] }];

  it("stands beside what is wrong with the signature besides", () => {
    const policy = policyUnder([{ skills: [entry(sha256("00"))] }]);
    const findings = (signature: SignatureEvidence): readonly string[] =>
      codes(judge(policy, reference(), evidenceOf(signature), now).findings);
    expect(findings(tampered([{ path: "a", change: "added" }]))).toEqual(["REVOKED", "FILE_UNSIGNED a"]);
    expect(findings(unsigned)).toEqual(["REVOKED", "UNSIGNED"]);
  });

  it("denies where the policy tolerates everything else", () => {
    const lenient = policyUnder([{ skills: [entry(sha256("00"))] }], {
      unsigned: { action: "Warn" },
      otherSignatures: "Allow",
      unverifiable: { default: "Allow" },
      skills: [{ names: ["other"] }],
      noMatch: "Allow",
    });
    const outcome = (policy: Policy): string =>
      verdictOf(policy, [judge(policy, reference(), evidenceOf(unsigned), now)], { isPod: true }).outcome;
    expect(outcome(lenient)).toBe("deny");
    expect(outcome(policyUnder([], { unsigned: { action: "Warn" } }))).toBe("warn");
  });

  it("is a finding like others in the modes Warn and Audit", () => {
    const outcomes = ["Enforce", "Warn", "Audit"].map((mode) => {
      const policy = policyUnder([{ skills: [entry(sha256("00"))] }], { mode });
      const result = judge(policy, reference(), evidenceOf(signed()), now);
      expect(codes(result.findings)).toEqual(["REVOKED"]);
      return verdictOf(policy, [result], { isPod: true }).outcome;
    });
    expect(outcomes).toEqual(["deny", "warn", "allow"]);
  });

  it("refuses a skill that somebody revoked signed beside a good publisher", () => {
    const policy = policyUnder([{ keys: [entry(`sha256:${certificate.publicKey}`)] }], {
      otherSignatures: "Allow",
    });
    expect(revoked(policy, signed(), [signed(certificate)])).toHaveLength(1);
    const unproved = { ...untrusted("UNTRUSTED_SIGNER", true), signer: certificate } as SignatureEvidence;
    expect(revoked(policy, signed(), [unproved])).toHaveLength(1);
    expect(revoked(policy, signed(), [untrusted("UNTRUSTED_SIGNER")])).toEqual([]);
  });

  it("says the same thing once, for two signatures by one key", () => {
    expect(revoked(policyUnder(lists), signed(), [signed()])).toHaveLength(1);
  });
});

describe("a list that cannot be used", () => {
  const problemsOf = (
    policies: readonly KubernetesObject[],
    revocationLists: readonly KubernetesObject[],
  ) => {
    const compiled = compileObjects(policies, [], { revocationLists });
    return {
      reasons: compiled.policies.map(({ invalidReason }) => invalidReason),
      problems: compiled.problems.map(({ kind, name, reason }) => `${kind} ${name} ${reason}`),
    };
  };

  it("makes every policy deny, with the list and the field in the message, and is never no list", () => {
    const bad = listObject({ files: [{ digest: "sha256:ab", reason: "x" }] }, "bad");
    const { reasons, problems } = problemsOf([policyObject(), policyObject({ mode: "Warn" }, "q")], [bad]);
    expect(problems).toEqual([
      "SkillRevocationList bad Invalid",
      "ClusterSkillPolicy p RevocationListMissing",
      "ClusterSkillPolicy q RevocationListMissing",
    ]);
    for (const message of reasons)
      expect(message).toMatch(
        /^the SkillRevocationList bad cannot be read.*spec\.files\[0\]\.digest: must be "sha256:".*; correct the list$/,
      );
  });

  it("is missing, where a policy names it, for that policy alone", () => {
    const naming = policyObject({ revocation: { listRefs: [{ name: "gone" }] } });
    const { reasons, problems } = problemsOf([naming, policyObject({}, "q")], [listObject({})]);
    expect(problems).toEqual(["ClusterSkillPolicy p RevocationListMissing"]);
    expect(reasons).toEqual([
      "spec.revocation.listRefs[0]: there is no SkillRevocationList gone; create it, or name another",
      undefined,
    ]);
    const there = problemsOf([naming], [listObject({}, "gone")]);
    expect(there).toEqual({ reasons: [undefined], problems: [] });
  });

  it("has the name of another", () => {
    const { reasons, problems } = problemsOf([policyObject()], [listObject({}), listObject({})]);
    expect(problems).toEqual([
      "SkillRevocationList org-revoked Duplicate",
      "ClusterSkillPolicy p RevocationListMissing",
    ]);
    expect(reasons[0]).toMatch(/another SkillRevocationList has the name org-revoked/);
  });
});

describe("trust", () => {
  it("is the same object after a change of lists alone, so that what was verified stays known", () => {
    const first = compileObjects([policyObject()], []).trust;
    const revocationLists = [listObject({ skills: [entry(sha256("00"))] })];
    expect(compileObjects([policyObject()], [], { revocationLists, previous: first }).trust).toBe(first);
  });
});
