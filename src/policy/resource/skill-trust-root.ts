import { z } from "zod";
import { byName, celRule } from "./schema/constraints.ts";
import { sigstoreRoot } from "./sigstore-root.ts";
import { certificateEntry, crlEntry, keyEntry } from "./trust-entry.ts";
import { vettRegistry, withKnownLogs } from "./vett.ts";

const lists = celRule(
  z.strictObject({
    certificates: byName(z.array(certificateEntry).max(32))
      .exactOptional()
      .describe("Root certificates in which chains of signers may end."),
    crls: byName(z.array(crlEntry).max(8))
      .exactOptional()
      .describe(
        "Certificate revocation lists. What they revoke is revoked wherever the same authority is trusted. Nothing is fetched: keep them up to date.",
      ),
    keys: byName(z.array(keyEntry).max(32)).exactOptional().describe("Public keys of signers."),
    sigstore: byName(z.array(sigstoreRoot).max(8))
      .exactOptional()
      .describe("Sigstore instances by which keyless signatures are proved."),
    vett: byName(z.array(vettRegistry).max(8))
      .exactOptional()
      .describe("Registries that sign skills in Vett's format."),
  }),
  {
    rule: ["certificates", "keys", "sigstore"]
      .map((list) => `(has(self.${list}) && size(self.${list}) > 0)`)
      .join(" || "),
    message: "give at least one of certificates, keys and sigstore",
    check: ({ certificates, keys, sigstore }) =>
      [certificates, keys, sigstore].some((list) => (list?.length ?? 0) > 0),
  },
);

/** `spec` of a SkillTrustRoot. */
export const skillTrustRootSpec = withKnownLogs(lists);

export type SkillTrustRootSpec = z.output<typeof skillTrustRootSpec>;
