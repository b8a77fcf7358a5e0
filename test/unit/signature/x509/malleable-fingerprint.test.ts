import fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { malleableFingerprints } from "../../../../src/signature/x509/malleable-fingerprint.ts";
import { twinOf } from "../../../fixtures/malleable-fingerprint.ts";
import { issueAuthority, issueCertificate } from "../../../fixtures/certificates.ts";

const fingerprint = (der: Uint8Array): string => createHash("sha256").update(der).digest("hex");
const fingerprints = (der: Uint8Array): readonly string[] =>
  malleableFingerprints(der, fingerprint(der)).map((twin) => twin.fingerprint);

describe("malleableFingerprints", () => {
  it.each(["P-256", "P-384", "P-521"] as const)(
    "knows what a certificate from an authority on %s becomes by the other signature, and the way back",
    async (keyType) => {
      const issuer = await issueAuthority({ keyType });
      for (let round = 0; round < 8; round += 1) {
        const { certificate } = await issueCertificate({ issuer });
        const twin = twinOf(certificate, keyType);
        expect(twin.verify(issuer.certificate.publicKey)).toBe(true);
        expect(twin.raw.equals(certificate.raw)).toBe(false);
        expect(fingerprints(certificate.raw)).toContain(fingerprint(twin.raw));
        expect(fingerprints(twin.raw)).toContain(fingerprint(certificate.raw));
        expect(malleableFingerprints(twin.raw, "of").map(({ of }) => of)).toContain("of");
      }
    },
  );

  it("knows none under RSA, where a signature has one form", async () => {
    const issuer = await issueAuthority({ keyType: "RSA-2048" });
    const { certificate } = await issueCertificate({ issuer });
    expect(fingerprints(certificate.raw)).toEqual([]);
  });

  it("never calls a certificate's own fingerprint a twin's", async () => {
    const { certificate } = await issueAuthority();
    expect(fingerprints(certificate.raw)).not.toContain(fingerprint(certificate.raw));
  });

  it("gives a list, whatever the bytes", async () => {
    const { certificate } = await issueAuthority();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(), (bytes, at) => {
        const changed = Buffer.from(certificate.raw);
        changed.set(bytes, Math.min(at % changed.byteLength, changed.byteLength - bytes.byteLength));
        for (const der of [bytes, changed]) expect(fingerprints(der).length).toBeLessThanOrEqual(3);
      }),
    );
  });
});
