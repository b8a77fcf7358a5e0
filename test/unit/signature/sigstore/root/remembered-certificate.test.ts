/** Cached results of one trusted root or certificate must never apply to another. */
import { describe, expect, it } from "vitest";
import { omsStatement } from "../../../../../src/signature/oms/sign.ts";
import { rememberedCertificate } from "../../../../../src/signature/sigstore/root/remembered-certificate.ts";
import { readTrustedRoot } from "../../../../../src/signature/sigstore/root/trusted-root.ts";
import type { SigstoreRoot } from "../../../../../src/signature/sigstore/root/sigstore-root.ts";
import { verifySignature } from "../../../../../src/signature/verify.ts";
import { SkillFile } from "../../../../../src/skill/skill.ts";
import { trustOf } from "../../../../fixtures/certificates.ts";
import { edited, valueAt, type Edit } from "../../../../fixtures/edited.ts";
import { testSigstore } from "../../../../fixtures/sigstore.ts";

const [ours, theirs] = [await testSigstore(), await testSigstore()];
const files = new Map([["SKILL.md", new SkillFile(Buffer.from("# demo\n"))]]);
const statement = omsStatement({ name: "demo", files });
/** Times of a log and of a timestamp authority: the library builds the chain for each. */
const bundle = await ours.sign(statement, { timestamp: true });
const signed = {
  name: "demo",
  files: new Map([...files, ["skill.oms.sig", new SkillFile(Buffer.from(JSON.stringify(bundle)))]]),
};

const rootOf = (edits: Readonly<Record<string, Edit>> = {}): SigstoreRoot =>
  readTrustedRoot(JSON.stringify(edited(ours.trustedRoot, edits)), ["ours/sigstore"]);

/** Fingerprints of the roots that proved the signer, or the refusal. */
function provedBy(...sigstore: readonly SigstoreRoot[]): readonly string[] | string {
  const evidence = verifySignature(signed, { ...trustOf({}), sigstore }, Date.now());
  if (evidence.outcome === "signed" && evidence.signer.kind === "keyless") return evidence.signer.roots;
  return evidence.outcome === "untrusted" ? evidence.fault : evidence.outcome;
}

/** The other instance's authority, with the same name and another key. */
const replaced = { certificateAuthorities: valueAt(theirs.trustedRoot, "certificateAuthorities") as Edit };

describe("a certificate that was proved", () => {
  it("is not proved by another authority of the same name, in whichever order they are asked", () => {
    const [root, other] = [rootOf(), rootOf(replaced)];
    for (let again = 0; again < 2; again += 1) {
      expect(provedBy(root)).toEqual([root.fingerprint]);
      expect(provedBy(other)).toBe("UNTRUSTED_SIGNER");
      expect(provedBy(other, root)).toEqual([root.fingerprint]);
      expect(provedBy(root, other)).toEqual([root.fingerprint]);
    }
  });

  it("is proved by the right one of two authorities in one root", () => {
    const [first] = valueAt(ours.trustedRoot, "certificateAuthorities") as readonly object[];
    const [second] = valueAt(theirs.trustedRoot, "certificateAuthorities") as readonly object[];
    const both = rootOf({ certificateAuthorities: [second, first] as unknown as Edit });
    expect(provedBy(both)).toEqual([both.fingerprint]);
  });

  it.each<[string, string, Edit]>([
    ["an authority that had ended", "certificateAuthorities.0.validFor.end", "2024-01-01T00:00:00Z"],
    ["an authority that had not begun", "certificateAuthorities.0.validFor.start", "2200-01-01T00:00:00Z"],
    ["a timestamp authority that had ended", "timestampAuthorities.0.validFor.end", "2024-01-01T00:00:00Z"],
    ["a certificate log that had ended", "ctlogs.0.publicKey.validFor.end", "2024-01-01T00:00:00Z"],
    ["a log that had ended", "tlogs.0.publicKey.validFor.end", "2024-01-01T00:00:00Z"],
  ])("is not proved by %s", (_what, place, time) => {
    const [root, ended] = [rootOf(), rootOf({ [place]: time })];
    expect(provedBy(ended)).toBe("UNTRUSTED_SIGNER");
    expect(provedBy(root)).toEqual([root.fingerprint]);
    expect(provedBy(ended)).toBe("UNTRUSTED_SIGNER");
  });
});

type Certificate = Parameters<typeof rememberedCertificate>[0];

/** A certificate that counts its calls, issued by `issuers`. */
function counting(...issuers: readonly object[]) {
  const asked = { der: 0, checks: 0 };
  const part = {
    subs: [],
    toDER() {
      asked.der += 1;
      return Buffer.of(asked.der);
    },
  };
  const certificate = {
    root: part,
    verify(issuer?: object) {
      asked.checks += 1;
      return issuers.includes(issuer ?? certificate);
    },
  };
  return { asked, certificate: rememberedCertificate(certificate as unknown as Certificate) };
}

describe("rememberedCertificate", () => {
  it("writes its DER once, and checks its signature once for each issuer", () => {
    const [one, other] = [counting().certificate, counting().certificate];
    const { asked, certificate } = counting(one);
    for (let again = 0; again < 3; again += 1) {
      expect(certificate.root.toDER()).toEqual(Buffer.of(1));
      expect(certificate.verify(one)).toBe(true);
      expect(certificate.verify(other)).toBe(false);
      expect(certificate.verify()).toBe(false);
    }
    expect(asked).toEqual({ der: 1, checks: 3 });
  });

  it("does not remember a check that failed with an exception", () => {
    const broken = counting().certificate;
    let calls = 0;
    const certificate = rememberedCertificate({
      root: broken.root,
      verify: () => {
        calls += 1;
        throw new Error("no key");
      },
    } as unknown as Certificate);
    for (let again = 0; again < 2; again += 1) expect(() => certificate.verify(broken)).toThrow("no key");
    expect(calls).toBe(2);
  });
});
