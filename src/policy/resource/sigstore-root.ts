import { z } from "zod";
import { maxTrustConfigLength } from "../../signature/sigstore/client-trust-config.ts";
import { maxTrustedRootLength } from "../../signature/sigstore/trusted-root.ts";
import { exactlyOne } from "./constraints.ts";
import { inOrder, period, trustName } from "./trust-entry.ts";

/** Most that a bundle may bring of each. */
const most = 4;

const threshold = (fewest: number) => z.int().min(fewest).max(most).exactOptional();

/** A Sigstore instance, as a SkillTrustRoot names it. */
export const sigstoreRoot = exactlyOne(
  inOrder(
    z.strictObject({
      name: trustName,
      trustedRoot: z
        .string()
        .max(maxTrustedRootLength)
        .exactOptional()
        .describe(
          "Text of the instance's trusted_root.json, as `cosign trusted-root` or its TUF repository gives it.",
        ),
      clientTrustConfig: z
        .string()
        .max(maxTrustConfigLength)
        .exactOptional()
        .describe(
          "Text of the instance's ClientTrustConfig. Its trusted root is taken; its signing config, for those who sign, is not looked at.",
        ),
      instance: z
        .enum(["PublicGood"])
        .exactOptional()
        .describe("The public instance, sigstore.dev, by the trusted root that comes with this release."),
      tlogThreshold: threshold(0).describe(
        "Transparency logs that must hold a signature. Left out: 1. With 0 only the timestamp authority tells of it.",
      ),
      timestampThreshold: threshold(1).describe(
        "Timestamp authorities and logs that must state when it was signed. Left out: 1 for certificates, none for keys.",
      ),
      ctlogThreshold: threshold(0).describe(
        "Certificate logs that must hold the signer's certificate. Left out: 1. 0 is for instances that have none.",
      ),
      ...period,
    }),
  ),
  ["trustedRoot", "clientTrustConfig", "instance"],
);

export type SigstoreRootSpec = z.output<typeof sigstoreRoot>;
