import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { auditAnnotations, errorCause } from "../../../../src/admission/response/audit-annotations.ts";
import type { ReviewSubject } from "../../../../src/admission/decision.ts";
import type { Finding, SkillResult, Verdict } from "../../../../src/policy/finding.ts";
import type { SignatureEvidence, Signer } from "../../../../src/signature/signature-evidence.ts";
import { always } from "../../../../src/signature/validity.ts";
import { subject as reviewed } from "../../../fixtures/review-subject.ts";

const digest = `sha256:${"3f8e44cb".repeat(8)}` as const;
const subject = "CN=NVIDIA Agent Skills Signing 001, O=NVIDIA Corporation";
const certificate: Signer = {
  kind: "certificate",
  subject,
  attributes: {},
  fingerprint: "f",
  publicKey: "p",
  anchors: ["a"],
};

const base = { format: "oms", digest, validity: always } as const;
const signedBy = (signer: Signer): SignatureEvidence => ({
  ...base,
  outcome: "signed",
  signer,
  unlisted: [],
});
const tamperedBy = (signer: Signer): SignatureEvidence => ({
  ...base,
  outcome: "tampered",
  unlisted: [],
  signer,
  differences: [],
});
const untrustedBy = (signer: Signer): SignatureEvidence => ({
  ...base,
  outcome: "untrusted",
  fault: "UNTRUSTED_SIGNER",
  detail: "",
  selfConsistent: true,
  signer,
});
const unsigned: SignatureEvidence = { outcome: "unsigned", digest, validity: always };

const finding = (code: Finding["code"], more: Partial<Finding> = {}): Finding => ({
  code,
  message: "said",
  tolerated: false,
  ...more,
});

const skill = (
  name: string,
  signature?: SignatureEvidence,
  findings: readonly Finding[] = [],
): SkillResult => ({
  reference: {
    name,
    path: `/skills/${name}`,
    containers: ["agent"],
    sources: [],
    content: { state: "unverifiable", kind: "Other", detail: "" },
  },
  ...(signature === undefined ? {} : { evidence: { signature, card: { faults: [] }, validity: always } }),
  grades: { integrity: "ABSENT", authorship: "ABSENT", freshness: "UNVERIFIED" },
  findings,
});

const verdict = (skills: readonly SkillResult[], policy = "payments"): Verdict => ({
  policy,
  tenant: policy,
  mode: "Enforce",
  outcome: "deny",
  skills,
});

const trust = `sha256:${"7".repeat(64)}`;

const judged = (verdicts: readonly Verdict[], about: Partial<ReviewSubject> = {}) =>
  auditAnnotations({ outcome: "deny", id: "1", subject: { ...reviewed, ...about }, verdicts, trust });

const annotated = (skills: readonly SkillResult[]) => judged([verdict(skills)]);

/** Splits a list by the grammar of docs/configuration.md: separators count outside strings only. */
function itemsOf(value: string, separator: "," | "; "): readonly string[] {
  const items = [""];
  for (const [token] of value.matchAll(/"(?:[^"\\]|\\.)*"|, |; |[^]/g)) {
    if (token === separator) items.push("");
    else if (separator === "," && token === ", ") throw new Error("a space behind a comma");
    else items.push((items.pop() ?? "") + token);
  }
  return items;
}

describe("auditAnnotations", () => {
  it("writes plain names as they are, and every other one as a JSON string", () => {
    const { skills, signers } = annotated([skill("data-designer_2.0"), skill("a b"), skill('c"d\n\u202e')]);
    expect(skills).toBe(
      'data-designer_2.0@unread at /skills/data-designer_2.0,"a b"@unread at "/skills/a b","c\\"d\\n\\u202e"@unread at "/skills/c\\"d\\n\\u202e"',
    );
    expect(signers).toBe('data-designer_2.0=none; "a b"=none; "c\\"d\\n\\u202e"=none');
  });

  it("lets no name look like another skill, signer or finding", () => {
    const forged = "good@sha256:aaaaaaaa,evil@sha256:bbbb; x=CN=NVIDIA";
    const path = 'a"; payments: good: REVOKED x';
    const { skills, signers, causes } = annotated([
      skill(forged, undefined, [finding("SOURCE_UNAVAILABLE", { path, message: "b; c" })]),
    ]);
    expect(skills).toBe(`"${forged}"@unread at "/skills/${forged}"`);
    expect(signers).toBe(`"${forged}"=none`);
    expect(causes).toBe(`payments: "${forged}": SOURCE_UNAVAILABLE "a\\"; payments: good: REVOKED x: b; c"`);
  });

  it("says of a signature whether it proves anything", () => {
    const marked = (signature: SignatureEvidence | undefined, ...findings: readonly Finding[]) => {
      const { skills, signers } = annotated([skill("s", signature, findings)]);
      return [skills, signers];
    };
    const by = (mark: string) => [`s@${digest}${mark} at /skills/s`, `s="${subject}" certificate f${mark}`];
    expect(marked(signedBy(certificate))).toEqual(by(""));
    expect(marked(signedBy(certificate), finding("CARD_MISSING"))).toEqual(by(""));
    expect(marked(tamperedBy(certificate), finding("DIGEST_MISMATCH"))).toEqual(by(" (tampered)"));
    expect(marked(untrustedBy(certificate))).toEqual(by(" (untrusted)"));
    // A trust root knows the signer, but the policy does not name it.
    for (const code of ["UNTRUSTED_SIGNER", "SIGNER_EXPIRED", "INTERNAL"] as const) {
      expect(marked(signedBy(certificate), finding(code))).toEqual(by(" (untrusted)"));
      expect(marked(tamperedBy(certificate), finding(code))).toEqual(by(" (untrusted)"));
    }
    expect(marked(unsigned)).toEqual(["s@unsigned at /skills/s", "s=none"]);
    expect(marked(undefined)).toEqual(["s@unread at /skills/s", "s=none"]);
  });

  it("lets no signer say of himself that he is trusted", () => {
    const self = { ...certificate, subject: 'CN=NVIDIA"; good="CN=NVIDIA' };
    expect(annotated([skill("s", untrustedBy(self))])["signers"]).toBe(
      's="CN=NVIDIA\\"; good=\\"CN=NVIDIA" certificate f (untrusted)',
    );
  });

  it("names each kind of signer", () => {
    const key: Signer = { kind: "key", publicKey: "0123", names: ["ours/release"] };
    const keyless: Signer = {
      kind: "keyless",
      identity: "a (https://good.example)",
      issuer: "https://evil.example",
      claims: {},
      fingerprint: "f",
      publicKey: "p",
      roots: [],
    };
    const registry: Signer = {
      kind: "registry",
      hint: "h",
      publicKey: "4567",
      names: [],
      registries: [],
      skill: { name: "s", hashes: [] },
    };
    const signers = [key, keyless, registry].map((signer, index) => skill(`s${index}`, signedBy(signer)));
    expect(annotated(signers)["signers"]).toBe(
      's0=key 0123; s1="a (https://good.example)" from "https://evil.example" certificate f; s2="h" key 4567',
    );
  });

  it("goes by the policy that thinks least of a signature", () => {
    const fine = skill("s", signedBy(certificate));
    const foreign = skill("s", signedBy(certificate), [finding("UNTRUSTED_SIGNER")]);
    for (const verdicts of [
      [fine, foreign],
      [foreign, fine],
    ].map((all) => all.map((one) => verdict([one]))))
      expect(judged(verdicts)["signers"]).toBe(`s="${subject}" certificate f (untrusted)`);
    const both = [verdict([fine], "a"), verdict([fine], "b")];
    expect(judged(both)).toMatchObject({
      signers: `s="${subject}" certificate f`,
      policies: "a=Enforce:deny,b=Enforce:deny",
    });
  });

  it("names the version of each policy and of the trust", () => {
    const both = [{ ...verdict([], "a"), generation: 7 }, verdict([], "b")];
    expect(judged(both)).toMatchObject({ policies: "a@7=Enforce:deny,b=Enforce:deny", trust });
  });

  it("names the owners of the object, whatever these are called, and none where there is none", () => {
    const owner = (kind: string, called: string) => ({ apiVersion: "apps/v1", kind, name: called });
    const owners = [owner("ReplicaSet", "web-5d4f9c"), owner("Job,Pod/x", 'a",b')];
    expect(judged([], { owners })["owners"]).toBe('ReplicaSet/web-5d4f9c,"Job,Pod/x"/"a\\",b"');
    expect(judged([])).not.toHaveProperty("owners");
    const many = Array.from({ length: 20 }, (_, index) => owner("ReplicaSet", `${"x".repeat(100)}${index}`));
    expect(judged([], { owners: many })["owners"]).toMatch(/,and \d+ more$/);
    expect(judged([], { owners: many })["owners"]?.length).toBeLessThanOrEqual(1000);
  });

  it("shows whole items, and counts those that do not fit; one that is too long hides no other", () => {
    const many = Array.from({ length: 300 }, (_, index) => skill(`skill-${index}`, signedBy(certificate)));
    for (const key of ["skills", "signers"] as const) {
      const value = annotated(many)[key]!;
      const items = itemsOf(value, key === "skills" ? "," : "; ");
      expect(items.at(-1)).toBe(`and ${300 - items.length + 1} more`);
      expect(value.length).toBeLessThanOrEqual(4000);
    }
    const hostile = "\u{e0041}".repeat(150);
    const long = { kind: "keyless", identity: hostile, issuer: hostile, claims: {}, roots: [] } as const;
    const first = signedBy({ ...long, fingerprint: "f", publicKey: "p" });
    expect(annotated([skill(hostile, first), skill("b", unsigned)])["signers"]).toBe("b=none; and 1 more");
  });

  it("gives every value as many items as there is to tell, whatever anybody writes", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc
        .array(fc.constantFrom('"', ";", ",", " ", "\\", "@", "=", "a", "and 3 more", "\u202e"))
        .map((some) => some.join("")),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text, text), { minLength: 1, maxLength: 3 }), (told) => {
        const all = told.map(([name, by, path]) =>
          skill(name, untrustedBy({ ...certificate, subject: by }), [finding("FILE_UNSIGNED", { path })]),
        );
        const { skills = "", signers = "", causes = "" } = annotated(all);
        expect(itemsOf(skills, ",")).toHaveLength(told.length);
        for (const [index, item] of itemsOf(signers, "; ").entries()) {
          const string =
            /^(?:[\w.-]+|"(?:[^"\\]|\\.)*")=("(?:[^"\\]|\\.)*") certificate f \(untrusted\)$/.exec(item)?.[1];
          expect(JSON.parse(string ?? "null")).toBe(told[index]?.[1].toWellFormed());
        }
        expect(itemsOf(causes, "; ")).toHaveLength(told.length);
        expect(skills + signers + causes).not.toMatch(/[\n\u202e]/);
      }),
    );
  });
});

describe("errorCause", () => {
  it("is one item", () => {
    expect(errorCause("TIMEOUT", "too slow")).toBe("TIMEOUT too slow");
    expect(errorCause("INTERNAL", "x; payments: y")).toBe('INTERNAL "x; payments: y"');
  });
});
