import { z } from "zod";
import { celRule } from "./schema/constraints.ts";
import { labelSelector } from "./schema/label-selector.ts";
import { moment } from "./schema/time.ts";

/** Maximum entries of one kind in one list: about as many as fit in an object; a second list takes more. */
const maxEntries = 10_000;

/** A SHA-256 digest as the command line and denials print it in full. */
export const sha256Digest = z
  .string()
  .max(71)
  .regex(/^sha256:[0-9a-f]{64}$/, 'must be "sha256:" and 64 lower-case hex digits');

const why = {
  reason: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[^\x00-\x1f\x7f]+$/, "write one line of text")
    .describe("Reason in one line; every denial shows it."),
  revokedAt: moment
    .exactOptional()
    .describe(
      "When it was revoked, RFC 3339, for messages. The entry counts as soon as it exists, whatever date is set here.",
    ),
};

const byDigest = (what: string) =>
  z
    .array(z.strictObject({ digest: sha256Digest.describe(`${what}, \`sha256:…\`.`), ...why }))
    .max(maxEntries);

/** Maximum characters of a compared identity or issuer. */
const name = z.string().min(1).max(1_024);

const entries = z.strictObject({
  enforcement: z
    .enum(["Policy", "Always"])
    .default("Policy")
    .describe(
      "Where its entries are refused. Policy: where a policy governs, and as its mode says. Always: everywhere else too, and whatever the mode of the policies; " +
        "a pod whose ConfigMaps cannot be read is refused there as well, for nobody knows whether it is revoked.",
    ),
  namespaceSelector: labelSelector
    .exactOptional()
    .describe(
      "With `Always`: the namespaces where it is refused, by their labels. Left out: all. The API server never asks about kube-system, kube-node-lease and the controller's own namespace.",
    ),
  skills: byDigest(
    "Digest of a skill, as `verify -o json`, `sign` and the log of decisions tell it, or that of its ConfigMaps",
  )
    .exactOptional()
    .describe(
      "Skills, by the digest of their signed list, or of their files where they are not signed. A changed file " +
        "gives the skill another digest: revoke its files too.",
    ),
  files: byDigest("SHA-256 of a file's bytes")
    .exactOptional()
    .describe("Files: no skill may hold one of them, at whatever path, whoever signed it."),
  certificates: byDigest("SHA-256 of a certificate's DER")
    .exactOptional()
    .describe(
      "Certificates of signers, and those above them up to the root, Sigstore's authorities included: signatures under one of them are refused.",
    ),
  keys: byDigest(
    "SHA-256 of a public key's SubjectPublicKeyInfo in DER, as `sign` tells it (`signer`); not the key hint",
  )
    .exactOptional()
    .describe("Public keys of signers, bare or in a certificate, and of the authorities above them."),
  identities: z
    .array(
      z.strictObject({
        identity: name.describe(
          "E-mail address or URI in the signing certificate, compared whole and never as a pattern.",
        ),
        issuer: name.describe("OpenID Connect issuer that vouched for it, compared exactly."),
        ...why,
      }),
    )
    .max(maxEntries)
    .exactOptional()
    .describe("Identities of keyless signers, each with its issuer."),
});

/** `spec` of a SkillRevocationList. */
export const skillRevocationListSpec = celRule(entries, {
  rule: "!has(self.namespaceSelector) || self.enforcement == 'Always'",
  message:
    "namespaceSelector has no effect unless enforcement is Always; remove it, or set enforcement: Always",
  check: ({ enforcement, namespaceSelector }) => namespaceSelector === undefined || enforcement === "Always",
});

/** The schema of each field by itself. */
export const skillRevocationListFields = entries.shape;

export type SkillRevocationListSpec = z.output<typeof skillRevocationListSpec>;
