import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { judge } from "../../../src/policy/judge.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { reasons, type Reason } from "../../../src/policy/reason.ts";
import { reasonTexts, remedyFor, remedyUnderPods } from "../../../src/policy/remedy.ts";
import type { Layer } from "../../../src/evidence/grade.ts";
import type { Evidence } from "../../../src/evidence/evidence.ts";
import type { Signer } from "../../../src/signature/signature-evidence.ts";
import { publicGoodRoot } from "../../../src/signature/sigstore/root/public-good-root.ts";
import { readTrustedRoot } from "../../../src/signature/sigstore/root/trusted-root.ts";
import type { PodFault, SkillReference } from "../../../src/skill/reference.ts";
import type { SourceErrorCode } from "../../../src/skill/source-error.ts";
import {
  card,
  configMap,
  evidenceOf,
  now,
  policyOf,
  reference,
  rootObject,
  signed,
  stranger,
  tampered,
  trustedSigner,
  unsigned,
  untrusted,
} from "./builders.ts";

/** Something to judge: whatever is not said is in order. */
interface Scene {
  readonly policy?: Policy;
  readonly reference?: Partial<SkillReference>;
  /** `null`: there is none. */
  readonly evidence?: Evidence | null;
}

const found = ({ policy = policyOf(), reference: changes = {}, evidence = evidenceOf(signed()) }: Scene) =>
  judge(policy, reference(changes), evidence ?? undefined, now).findings.map(({ code }) => code);

const signature = (...[fault]: Parameters<typeof untrusted>): Scene => ({
  evidence: evidenceOf(untrusted(fault)),
});
const difference = (change: "modified" | "missing" | "added"): Scene => ({
  evidence: evidenceOf(tampered([{ path: "a", change }])),
});
const unavailable = (code: SourceErrorCode): Scene => ({
  reference: { content: { state: "unavailable", code, detail: "d" } },
  evidence: null,
});
const withCard = (section: object, changes: Parameters<typeof card>[0] = {}): Scene => ({
  policy: policyOf({ card: section }),
  evidence: evidenceOf(signed(), { card: card(changes), faults: [] }),
});
const written = (writable: boolean): Scene => ({
  policy: policyOf({ immutability: { readOnlyMount: "Required" } }),
  reference: { sources: [configMap({ writable })] },
});
const mutable = (immutable: boolean): Scene => ({
  policy: policyOf({ immutability: { configMap: "Required" } }),
  reference: { sources: [configMap({ immutable })] },
});

/** A pod that breaks a demand of the policy of this name. */
const faulty = (demand: PodFault["demand"], policy: string): Scene => ({
  reference: { content: { state: "fault", demand, policies: [policy], detail: "d" } },
  evidence: null,
});

/** A policy that revokes one skill; what is judged has a digest of zeros. */
const revoking = (byte: string): Scene => ({
  policy: policyOf({ revocation: { digests: [`sha256:${byte.repeat(32)}`] } }),
});

/** A skill that was signed so long ago, or nobody knows when, where a policy wants it to be an hour at most. */
function aged(age: number | undefined): Scene {
  const root = rootObject({ sigstore: [{ name: "public", instance: "PublicGood" }] });
  const [identity, issuer] = ["me@example.com", "https://issuer.example.com"];
  const keyless = { trustRootRef: { name: "r" }, issuer, identity };
  const spec = { publishers: [{ name: "p", keyless }], freshness: { maxSignatureAge: "1h" } };
  const signer: Signer = {
    kind: "keyless",
    identity,
    issuer,
    claims: {},
    fingerprint: "c1",
    publicKey: "c2",
    roots: [readTrustedRoot(publicGoodRoot, []).fingerprint],
    ...(age === undefined ? {} : { signedAt: now - age }),
  };
  return { policy: policyOf(spec, [root]), evidence: evidenceOf(signed(signer)) };
}

const fine: Scene = {};
const named = { faults: [], frontmatter: { path: "SKILL.md", name: "etl", allowedTools: [], metadata: {} } };

/** For each code what gives it, and its nearest neighbour that does not. */
const scenes: Readonly<Record<Reason, readonly [Scene, Scene]>> = {
  UNSIGNED: [{ evidence: evidenceOf(unsigned) }, fine],
  BAD_SIGNATURE: [signature("BAD_SIGNATURE"), fine],
  UNTRUSTED_SIGNER: [{ evidence: evidenceOf(signed(stranger)) }, fine],
  SIGNER_EXPIRED: [signature("SIGNER_EXPIRED"), fine],
  DIGEST_MISMATCH: [difference("modified"), difference("added")],
  FILE_MISSING: [difference("missing"), difference("modified")],
  FILE_UNSIGNED: [difference("added"), difference("missing")],
  MANIFEST_MALFORMED: [signature("MANIFEST_MALFORMED"), fine],
  UNSUPPORTED_FORMAT: [signature("UNSUPPORTED_FORMAT"), fine],
  EXPIRED: [aged(2 * 3_600_000), aged(3_600_000)],
  SIGNING_TIME_UNKNOWN: [aged(undefined), aged(0)],
  REVOKED: [revoking("00"), revoking("11")],
  CARD_MISSING: [{ policy: policyOf({ card: { required: true } }) }, withCard({ required: true })],
  CARD_INCOMPLETE: [withCard({ fields: ["owner"] }, { owner: "" }), withCard({ fields: ["owner"] })],
  RISK_UNMITIGATED: [
    withCard({ mitigationPerRisk: true }, { risks: [{ text: "a" }] }),
    withCard({ mitigationPerRisk: true }),
  ],
  LICENSE_NOT_ALLOWED: [
    withCard({ licenses: { allow: ["MIT"] } }),
    withCard({ licenses: { allow: ["Apache-2.0"] } }),
  ],
  PERMISSION_DENIED: [
    withCard({ permissions: { deny: ["Read"] } }),
    withCard({ permissions: { deny: ["Bash"] } }),
  ],
  GRADE_BELOW_MINIMUM: [
    {
      policy: policyOf({ evidence: { integrity: "STRONG" } }),
      evidence: evidenceOf(signed(trustedSigner, [".git/a"])),
    },
    { policy: policyOf({ evidence: { integrity: "STRONG" } }) },
  ],
  SKILL_NOT_ALLOWED: [
    { policy: policyOf({ skills: [{ names: ["x"] }] }), evidence: evidenceOf(signed(), named) },
    { policy: policyOf({ skills: [{ names: ["etl"] }] }), evidence: evidenceOf(signed(), named) },
  ],
  SOURCE_UNVERIFIABLE: [
    { reference: { content: { state: "unverifiable", kind: "Image", detail: "d" } }, evidence: null },
    fine,
  ],
  SOURCE_UNAVAILABLE: [unavailable("SOURCE_UNAVAILABLE"), fine],
  SOURCE_MALFORMED: [unavailable("SOURCE_MALFORMED"), fine],
  NOT_IMMUTABLE: [mutable(false), mutable(true)],
  CHANGED_IN_PLACE: [{ reference: { obstacle: "o" } }, fine],
  WRITABLE_MOUNT: [written(true), written(false)],
  MOUNT_NOT_ALLOWED: [faulty("closed", "p"), faulty("closed", "another")],
  STILL_IN_USE: [faulty("inUse", "p"), faulty("inUse", "another")],
  PROCESSES_SHARED: [faulty("processes", "p"), faulty("processes", "another")],
  NODE_PRESET: [faulty("binding", "p"), faulty("binding", "another")],
  LIMIT_EXCEEDED: [unavailable("LIMIT_EXCEEDED"), fine],
  TIMEOUT: [unavailable("TIMEOUT"), fine],
  INTERNAL: [{ evidence: null }, fine],
};

/** Characters of a remedy, so that it stands on one line of a wide terminal behind `fix:`. */
const maxRemedyLength = 120;

const page = readFileSync(join(import.meta.dirname, "../../../docs/reasons.md"), "utf8");

describe("every reason code", () => {
  it.each(reasons)("%s alone is given where it is due, and not where it is not", (code) => {
    const [guilty, innocent] = scenes[code];
    expect(found(guilty)).toEqual([code]);
    expect(found(innocent)).not.toContain(code);
  });

  it.each(reasons)("%s is documented with its meaning and remedy", (code) => {
    const { meaning, remedy } = reasonTexts[code];
    const section = page.split("\n## ").find((text) => text.startsWith(`${code}\n`));
    expect(section).toContain(meaning);
    expect(section).toContain(`**Fix:** ${remedy}.`);
  });

  it.each(reasons)("%s has a remedy that fits on one line behind `fix:`", (code) => {
    const { remedy } = reasonTexts[code];
    const length = `src/policy/remedy.ts: the remedy of ${code} has ${remedy.length} characters; at most ${maxRemedyLength} fit, give it fewer words`;
    expect(remedy.length, length).toBeLessThanOrEqual(maxRemedyLength);
    expect(remedy).toMatch(/^[a-z][^\n]{10,}[^.\n]$/);
  });
});

describe("remedyFor", () => {
  it("says each remedy once, in the order of the findings", () => {
    expect(remedyFor([{ code: "FILE_UNSIGNED" }, { code: "UNSIGNED" }, { code: "FILE_UNSIGNED" }])).toBe(
      `${reasonTexts.FILE_UNSIGNED.remedy}; ${reasonTexts.UNSIGNED.remedy}`,
    );
  });

  it("leaves out what is tolerated, unless everything is", () => {
    const tolerated = { code: "UNSIGNED", tolerated: true } as const;
    expect(remedyFor([tolerated, { code: "TIMEOUT" }])).toBe(reasonTexts.TIMEOUT.remedy);
    expect(remedyFor([tolerated])).toBe(reasonTexts.UNSIGNED.remedy);
    expect(remedyFor([])).toBe("");
    // Each of two deleted parts would be refused for want of the other.
    expect(remedyFor([{ code: "SOURCE_UNAVAILABLE" }, { code: "CHANGED_IN_PLACE" }])).toBe(
      reasonTexts.CHANGED_IN_PLACE.remedy,
    );
    expect(remedyFor([{ code: "SOURCE_UNAVAILABLE" }])).toBe(reasonTexts.SOURCE_UNAVAILABLE.remedy);
  });

  it("names the way of a new name where a new version does not fit running pods", () => {
    const way = /; if the new version is for new pods, .*, give its ConfigMap a new name/;
    for (const code of ["FILE_MISSING", "FILE_UNSIGNED", "SOURCE_UNAVAILABLE"] as const)
      expect(remedyUnderPods([{ code }])).toMatch(
        new RegExp(`^${reasonTexts[code].remedy.slice(0, 20)}.*${way.source}`),
      );
    // It says so itself; and no name helps what does not match its own signature, or is signed by nobody whom the policy trusts.
    for (const code of ["CHANGED_IN_PLACE", "DIGEST_MISMATCH", "REVOKED", "UNTRUSTED_SIGNER"] as const)
      expect(remedyUnderPods([{ code }])).toBe(reasonTexts[code].remedy);
  });

  it("does not send anybody after a grade that is low because of the signature", () => {
    const grade = { code: "GRADE_BELOW_MINIMUM", layer: "integrity" } as const;
    expect(remedyFor([{ code: "UNTRUSTED_SIGNER" }, grade])).toBe(reasonTexts.UNTRUSTED_SIGNER.remedy);
    expect(remedyFor([grade])).toBe(reasonTexts.GRADE_BELOW_MINIMUM.remedy);
    expect(remedyFor([{ code: "CARD_MISSING" }, grade])).toContain(reasonTexts.GRADE_BELOW_MINIMUM.remedy);
  });

  const low = (layer: Layer) => ({ code: "GRADE_BELOW_MINIMUM", layer }) as const;

  it("knows a remedy for the grade of each layer", () => {
    expect(remedyFor([low("integrity")])).toBe(reasonTexts.GRADE_BELOW_MINIMUM.remedy);
    expect(remedyFor([low("authorship")])).toBe(reasonTexts.UNTRUSTED_SIGNER.remedy);
    expect(remedyFor([low("freshness")])).toBe(reasonTexts.SIGNING_TIME_UNKNOWN.remedy);
    expect(remedyFor([low("freshness"), low("integrity")])).toBe(
      `${reasonTexts.SIGNING_TIME_UNKNOWN.remedy}; ${reasonTexts.GRADE_BELOW_MINIMUM.remedy}`,
    );
  });

  it.each<[Layer, Reason]>([
    ["authorship", "SKILL_NOT_ALLOWED"],
    ["authorship", "SIGNER_EXPIRED"],
    ["integrity", "UNTRUSTED_SIGNER"],
    ["freshness", "EXPIRED"],
    ["freshness", "SIGNING_TIME_UNKNOWN"],
    ["freshness", "REVOKED"],
  ])("leaves out the remedy for low %s, when %s explains it", (layer, code) => {
    expect(remedyFor([{ code }, low(layer)])).toBe(reasonTexts[code].remedy);
  });

  it.each<[Layer, Reason]>([
    ["integrity", "SKILL_NOT_ALLOWED"],
    ["integrity", "EXPIRED"],
    ["freshness", "SKILL_NOT_ALLOWED"],
  ])("keeps the remedy for low %s beside %s, which does not explain it", (layer, code) => {
    expect(remedyFor([{ code }, low(layer)])).toBe(`${reasonTexts[code].remedy}; ${remedyFor([low(layer)])}`);
  });
});
