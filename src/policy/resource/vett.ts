import { z } from "zod";
import { celRule } from "./schema/constraints.ts";
import { entryName, shortPublicKeyPem, trustRootName } from "./schema/scalars.ts";

const moment = z.iso
  .datetime({ offset: true, error: "must be a date and time such as 2027-01-31T00:00:00Z" })
  .max(40);

/** A list whose entries differ in at least one of these members. */
const distinctBy = <S extends z.ZodType<readonly Readonly<Record<string, unknown>>[]>>(
  schema: S,
  members: readonly string[],
): S =>
  schema
    .refine(
      (items) =>
        new Set(items.map((item) => JSON.stringify(members.map((member) => item[member])))).size ===
        items.length,
      { message: `two entries have the same ${members.join(" and ")}` },
    )
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [...members] });

const registryKey = celRule(
  z.strictObject({
    hint: z
      .string()
      .min(1)
      .max(256)
      .regex(/^[!-~]+$/, "use printable ASCII without blanks")
      .describe("How signatures name the key, such as `v1-ecdsa-2025-02-04`. Compared exactly."),
    pem: shortPublicKeyPem.describe("The public key, PEM, on the curve P-256."),
    notBefore: moment.describe("Since when the registry signs with it, RFC 3339."),
    notAfter: moment
      .exactOptional()
      .describe("Until when it did: signatures logged later are refused. Left out: no end."),
  }),
  {
    rule: "!has(self.notAfter) || self.notBefore < self.notAfter",
    message: "notAfter must be after notBefore",
    check: ({ notBefore, notAfter }) =>
      notAfter === undefined || Date.parse(notBefore) < Date.parse(notAfter),
  },
);

/** A registry in Vett's format, an entry of a SkillTrustRoot. */
export const vettRegistry = z.strictObject({
  name: entryName.describe("Name in messages; policies refer to the registry by it."),
  sigstore: entryName.describe(
    "Name of the entry of `sigstore` in this trust root, in whose log the registry's signatures must be.",
  ),
  keys: distinctBy(z.array(registryKey).min(1).max(16), ["hint"]).describe(
    "Keys that the registry signs or signed with.",
  ),
});

export type VettRegistrySpec = z.output<typeof vettRegistry>;

interface WithRegistries {
  readonly vett?: readonly { readonly sigstore: string }[];
  readonly sigstore?: readonly { readonly name: string }[];
}

/** Requires that registries of a trust root name logs that it has. */
export const withKnownLogs = <S extends z.ZodType<WithRegistries>>(schema: S): S =>
  celRule(schema, {
    rule: "!has(self.vett) || self.vett.all(one, has(self.sigstore) && self.sigstore.exists(other, other.name == one.sigstore))",
    message: "sigstore of a registry in vett must be the name of an entry of this trust root's sigstore",
    check: ({ vett = [], sigstore = [] }) =>
      vett.every((one) => sigstore.some(({ name }) => name === one.sigstore)),
  });

const signedSkill = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[!-)+-.0-~]+$/, "use printable ASCII without blanks, slashes and *")
    .describe("Name of the folder that the agent sees, exactly."),
  version: z.string().min(1).max(50).describe("Version, as the registry calls it; for messages."),
  hash: z
    .string()
    .max(64)
    .regex(/^[0-9a-f]{64}$/, "give the version's hash: 64 lower-case hex digits")
    .describe(
      "The version's `hash` in the registry: SHA-256 over its manifest, or the registry's logical hash.",
    ),
});

/** Publisher: a registry in Vett's format, with the exact skills that are accepted from it. */
export const vettPublisher = z.strictObject({
  trustRootRef: z
    .strictObject({
      name: trustRootName,
      registry: entryName
        .exactOptional()
        .describe("Name of one of its registries. Left out: any of its registries."),
    })
    .describe("Trust root that holds the registry's keys."),
  skills: distinctBy(z.array(signedSkill).min(1).max(256), ["name", "version"]).describe(
    "Skills that are accepted, version by version. The registry's signature names neither skill nor version, so that without this any skill that it signed could stand in for another, or an old version for a new one.",
  ),
});

export type VettPublisherSpec = z.output<typeof vettPublisher>;
