import { z } from "zod";
import { certificateClaims } from "../../signature/sigstore/identity/claims.ts";
import { isAnchored, maxPatternLength } from "../../signature/sigstore/identity/pattern.ts";
import { celRule, exactlyOne, someMember } from "./schema/constraints.ts";
import { certificatePem, entryName, publicKeyPem, trustRootName } from "./schema/scalars.ts";
import { vettPublisher } from "./vett.ts";

const attribute = z.string().min(1).max(256);

const subject = someMember(
  z.strictObject({
    commonName: attribute.exactOptional().describe("CN, compared exactly."),
    organization: attribute.exactOptional().describe("O, compared exactly."),
    organizationalUnit: attribute.exactOptional().describe("OU, compared exactly; one of several is enough."),
    country: z
      .string()
      .max(2)
      .regex(/^[A-Z]{2}$/, "give two capital letters (ISO 3166-1)")
      .exactOptional()
      .describe("C, two capital letters."),
  }),
);

const certificate = exactlyOne(
  z.strictObject({
    trustRootRef: z
      .strictObject({ name: trustRootName })
      .exactOptional()
      .describe("Trust root with root certificates; the signer's chain must end in one of them."),
    pem: certificatePem
      .exactOptional()
      .describe(
        "Root certificates, PEM; the signer's chain must end in one of them. Intermediates may stand beside them.",
      ),
    subject: subject
      .exactOptional()
      .describe(
        "Attributes that the signing certificate's subject must have. Left out: any certificate under the roots.",
      ),
  }),
  ["trustRootRef", "pem"],
);

const publicKey = exactlyOne(
  z.strictObject({
    trustRootRef: z
      .strictObject({
        name: trustRootName,
        key: entryName.exactOptional().describe("Name of one of its keys. Left out: any of its keys."),
      })
      .exactOptional()
      .describe("Trust root that holds the public key."),
    pem: publicKeyPem
      .exactOptional()
      .describe(
        "One public key, PEM (SubjectPublicKeyInfo), on the curve P-256, P-384 or P-521, or Ed25519.",
      ),
  }),
  ["trustRootRef", "pem"],
);

/** Maximum characters of a compared identity, issuer or claim. */
const name = z.string().min(1).max(1_024);

const claims = someMember(
  z.strictObject(
    Object.fromEntries(
      certificateClaims.map((claim) => [
        claim,
        name.exactOptional().describe(`Fulcio's certificate extension of that name, compared exactly.`),
      ]),
    ),
  ),
);

const keyless = exactlyOne(
  z.strictObject({
    trustRootRef: z
      .strictObject({ name: trustRootName })
      .describe("Trust root with Sigstore roots; one of them must prove the signature."),
    issuer: name.describe(
      "OpenID Connect issuer that vouched for the signer, compared exactly, such as https://token.actions.githubusercontent.com.",
    ),
    identity: name
      .exactOptional()
      .describe("E-mail address or URI in the signing certificate, compared whole and never as a pattern."),
    identityPattern: celRule(z.string().max(maxPatternLength), {
      rule: "self.startsWith('^') && self.endsWith('$') && !self.endsWith('\\\\$')",
      message: 'begin with "^" and end with "$": without them it would also accept longer identities',
      check: isAnchored,
    })
      .exactOptional()
      .describe("Pattern (RE2) that the whole identity must match. Escape dots: `github\\.com`."),
    claims: claims
      .exactOptional()
      .describe("Claims about the build that the certificate must have. Left out: none."),
  }),
  ["identity", "identityPattern"],
);

/** A party whose signatures a policy accepts. */
export const publisher = exactlyOne(
  z.strictObject({
    name: entryName.describe("Name in messages, logs and reports."),
    certificate: certificate.exactOptional().describe("A signer with a certificate."),
    publicKey: publicKey.exactOptional().describe("A signer with a bare key."),
    keyless: keyless
      .exactOptional()
      .describe("A signer with an identity that Sigstore vouched for at the time of signing."),
    vett: vettPublisher
      .exactOptional()
      .describe(
        "A registry that signs skills in Vett's format, and the very skills that are accepted from it.",
      ),
  }),
  ["certificate", "publicKey", "keyless", "vett"],
);

export type PublisherSpec = z.output<typeof publisher>;
