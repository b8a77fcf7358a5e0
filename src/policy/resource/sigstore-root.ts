import { z } from "zod";
import { maxTrustConfigLength } from "../../signature/sigstore/root/client-trust-config.ts";
import { maxTrustedRootLength } from "../../signature/sigstore/root/trusted-root.ts";
import { celRule, exactlyOne } from "./schema/constraints.ts";
import { entryName, objectName } from "./schema/scalars.ts";
import { inOrder, periodWith } from "./trust-entry.ts";

/** Maximum that a policy can require of a bundle, for each kind of proof. */
const most = 4;

const threshold = (fewest: number) => z.int().min(fewest).max(most).exactOptional();

/** Reference to one key of an object in the controller's namespace. */
const objectKey = z.strictObject({
  name: objectName.describe("Name of the object."),
  key: z
    .string()
    .min(1)
    .max(253)
    .regex(/^[-._a-zA-Z0-9]+$/, "use letters, digits, dashes, dots and underscores only")
    .describe("Key in its `data`, or `binaryData`."),
});

const trustedRootFrom = exactlyOne(
  z.strictObject({
    configMap: objectKey.exactOptional().describe("A key of a ConfigMap."),
    secret: objectKey
      .exactOptional()
      .describe("A key of a Secret. The controller reads none but those that its installation names."),
  }),
  ["configMap", "secret"],
);

/** Maximum characters of a root.json. The public instance's has 6,000. */
const maxTufRootLength = 65_536;

const tuf = z.strictObject({
  mirror: z
    .string()
    .max(2_000)
    .regex(
      /^(https:\/\/[^\s\/?#@]+|http:\/\/(127\.0\.0\.1|localhost)(:[0-9]+)?)(\/[^\s?#]*)?$/,
      "give an https:// URL without user, query and fragment",
    )
    .describe(
      "URL of the repository's metadata; its files are under `targets/`. It must be one of the mirrors that the controller was started with: no other is contacted.",
    ),
  root: z
    .string()
    .min(1)
    .max(maxTufRootLength)
    .describe("Text of the repository's initial trusted root.json; later versions are verified from it."),
  target: z
    .string()
    .max(200)
    .regex(
      /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/,
      "give the path of a file, such as trusted_root.json",
    )
    .exactOptional()
    .describe("Path of the file in the repository. Left out: trusted_root.json."),
});

const inPlace = ["trustedRoot", "clientTrustConfig", "instance", "trustedRootFrom"] as const;

/** A Sigstore instance, an entry of a SkillTrustRoot. */
export const sigstoreRoot = celRule(
  inOrder(
    z.strictObject({
      name: entryName.describe("Name in messages; registries in `vett` refer to the instance by it."),
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
          "Text of the instance's ClientTrustConfig. Its trusted root is used; its signing config is ignored.",
        ),
      instance: z
        .enum(["PublicGood"])
        .exactOptional()
        .describe("The public instance, sigstore.dev, by the trusted root that comes with this release."),
      trustedRootFrom: trustedRootFrom
        .exactOptional()
        .describe(
          "Where the text of its trusted_root.json is: a ConfigMap or Secret in the controller's own namespace, followed while it changes.",
        ),
      tuf: tuf
        .exactOptional()
        .describe(
          "A TUF mirror that publishes its trusted_root.json, asked every hour. Beside another source, that one serves until the mirror has answered for the first time.",
        ),
      tlogThreshold: threshold(0).describe(
        "Transparency logs that must hold a signature. Left out: 1. With 0 only the timestamp authority proves it.",
      ),
      timestampThreshold: threshold(1).describe(
        "Timestamp authorities and logs that must state when it was signed. Left out: 1 for certificates, none for keys.",
      ),
      ctlogThreshold: threshold(0).describe(
        "Certificate logs that must hold the signer's certificate. Left out: 1. 0 is for instances that have none.",
      ),
      ...periodWith(" but those that its trusted root states"),
    }),
  ),
  {
    rule: `[${inPlace.map((member) => `has(self.${member})`).join(", ")}].filter(given, given).size() == 1 || has(self.tuf) && !(${inPlace.map((member) => `has(self.${member})`).join(" || ")})`,
    message: `give exactly one of ${inPlace.slice(0, -1).join(", ")} and trustedRootFrom; tuf may stand beside it, or alone`,
    check: (value) => {
      const given = inPlace.filter((member) => Object.hasOwn(value, member)).length;
      return given === 1 || (given === 0 && value.tuf !== undefined);
    },
  },
);

export type SigstoreRootSpec = z.output<typeof sigstoreRoot>;
