import { z } from "zod";

const condition = z.strictObject({
  type: z
    .string()
    .max(316)
    .describe(
      "`Ready`; `Registered` on a policy, and on a list that is enforced always; `Expiring` and `Revoked` on a policy or trust root; `Unused` on all three.",
    ),
  status: z
    .enum(["True", "False", "Unknown"])
    .describe(
      "`Ready` True: in force as written. `Registered` True: the API server asks about the namespaces of the policy. `Expiring` True: something in it has ended, or ends within 30 days. `Revoked` True: a SkillRevocationList names something of it. `Unused` True: something in it matches nothing.",
    ),
  reason: z
    .string()
    .max(1024)
    .describe(
      "One word for machines: `Compiled`, `Invalid`, `UnusableTrust`, `TrustRootMissing`, `RevocationListMissing`, `Duplicate`, `FieldsLost`, `SchemaTooOld`; `Registered`, `Pending`, `NotRegistered`, `Unanswered`, `OutOfScope`, `SelectsNothing`; `NothingSoon`, `EndsSoon`, `Ended`; `Revoked`, `NothingRevoked`; `InUse`, `NotReferenced`, `NothingSigned`, `MatchesNothing`.",
    ),
  message: z.string().max(32_768).describe("The fault and its remedy."),
  observedGeneration: z.int().min(0).exactOptional().describe("Generation that this condition is about."),
  lastTransitionTime: z.string().meta({ format: "date-time" }).describe("When the status last changed."),
});

const common = {
  observedGeneration: z
    .int()
    .min(0)
    .exactOptional()
    .describe("Latest generation that the controller has seen."),
  conditions: z
    .array(condition)
    .max(16)
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] })
    .exactOptional()
    .describe(
      "`Ready`: it can be used as written, and the API server asks about what it governs. A policy that cannot be used denies every skill in its namespaces.",
    ),
};

const count = z.int().min(0);

const expiry = {
  expires: z
    .string()
    .max(40)
    .exactOptional()
    .describe(
      "When the next of its entries ends, by its notAfter or with its certificates or list, or `unsigned.until` of a policy; RFC 3339, or `never`.",
    ),
  expiring: z.string().max(63).exactOptional().describe("Name of that entry."),
};

const noncompliance = (what: string) => ({
  noncompliantWorkloads: count
    .exactOptional()
    .describe(`Workloads that are stored and ${what}; absent until all were judged.`),
  noncompliant: z
    .array(z.string().max(400))
    .max(10)
    .exactOptional()
    .describe("The first of them by name, `Deployment payments/etl`. The Events on them say why."),
});

/** `status` of a ClusterSkillPolicy: written by the controller, never read by it. */
export const clusterSkillPolicyStatus = z.strictObject({
  ...common,
  publishers: count.exactOptional().describe("Publishers that were resolved to keys and certificates."),
  ...noncompliance("do not meet the policy"),
  ...expiry,
});

/** `status` of a SkillTrustRoot. */
export const skillTrustRootStatus = z.strictObject({
  ...common,
  certificates: count.exactOptional().describe("Certificates that were read."),
  keys: count.exactOptional().describe("Keys that were read, those of registries included."),
  sigstore: count.exactOptional().describe("Sigstore instances that are trusted."),
  revoked: count.exactOptional().describe("Entries of which a SkillRevocationList names something."),
  unused: count
    .exactOptional()
    .describe(
      "Entries that no policy refers to, or that have signed nothing that runs; absent until all was judged.",
    ),
  ...expiry,
});

/** `status` of a SkillRevocationList. */
export const skillRevocationListStatus = z.strictObject({
  ...common,
  skills: count.exactOptional().describe("Skills that are revoked."),
  files: count.exactOptional().describe("Files that are revoked."),
  certificates: count.exactOptional().describe("Certificates that are revoked."),
  keys: count.exactOptional().describe("Keys that are revoked."),
  identities: count.exactOptional().describe("Identities that are revoked."),
  matched: count
    .exactOptional()
    .describe("Different entries that name something that runs or is trusted; absent until all was judged."),
  ...noncompliance("are refused by it, with `enforcement: Always`"),
});
