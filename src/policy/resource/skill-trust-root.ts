import { z } from "zod";
import { byName, celRule } from "./constraints.ts";
import { certificatePem, entryName, publicKeyPem } from "./scalars.ts";

const name = entryName.describe("Name in messages; policies refer to keys by it.");

/** `spec` of a SkillTrustRoot. */
export const skillTrustRootSpec = celRule(
  z.strictObject({
    certificates: byName(
      z
        .array(
          z.strictObject({
            name,
            pem: certificatePem.describe(
              "One or more self-signed CA certificates, PEM; intermediates may stand beside them.",
            ),
          }),
        )
        .max(32),
    )
      .exactOptional()
      .describe("Root certificates in which chains of signers may end."),
    keys: byName(
      z
        .array(
          z.strictObject({
            name,
            pem: publicKeyPem.describe(
              "One public key, PEM, on the curve P-256, P-384 or P-521, or Ed25519.",
            ),
          }),
        )
        .max(32),
    )
      .exactOptional()
      .describe("Public keys of signers."),
  }),
  {
    rule: "(has(self.certificates) && size(self.certificates) > 0) || (has(self.keys) && size(self.keys) > 0)",
    message: "give at least one of certificates and keys",
    check: ({ certificates, keys }) => (certificates?.length ?? 0) + (keys?.length ?? 0) > 0,
  },
);

export type SkillTrustRootSpec = z.output<typeof skillTrustRootSpec>;
