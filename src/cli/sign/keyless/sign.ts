import type { SigningConfig } from "@sigstore/protobuf-specs";

import { inTotoPayloadType } from "../../../signature/sigstore/dsse.ts";
import { UsageError } from "../../command-line.ts";
import { withNamedServices } from "./named-services.ts";

/** Milliseconds per request. A Rekor v2 log answers only after it has published the entry, which takes seconds. */
const patience = 30_000;
const retries = 2;

/**
 * Describes the service's refusal, as far as the library and the network tell, without the token: the library
 * quotes it in full.
 */
function refusal(cause: unknown, token: string): UsageError {
  const causes: string[] = [];
  for (let at: unknown = cause; at instanceof Error && causes.length < 4; at = at.cause)
    if (!causes.some((text) => text.includes(at.message))) causes.push(at.message);
  return new UsageError(
    `Sigstore did not sign: ${causes.join(": ").replaceAll(token, "(the token)").slice(0, 600)}`,
    "nothing was written; correct the identity token or the services and sign again",
  );
}

interface WrittenBundle {
  readonly verificationMaterial: {
    readonly tlogEntries: readonly { readonly inclusionProof: object }[];
  };
}

/** Protobuf's JSON omits zeros and empty lists; the reference implementation reads no bundle without these two. */
function written(bundle: unknown): Uint8Array {
  const { verificationMaterial, ...rest } = bundle as WrittenBundle;
  const tlogEntries = verificationMaterial.tlogEntries.map(({ inclusionProof, ...entry }) => ({
    ...entry,
    inclusionProof: { logIndex: "0", hashes: [], ...inclusionProof },
  }));
  const all = { ...rest, verificationMaterial: { ...verificationMaterial, tlogEntries } };
  return Buffer.from(JSON.stringify(all));
}

/**
 * Has a statement signed by a single-use key: a certificate for the token's identity, the signature, its entry in
 * the log and, if configured, a timestamp. Contacts only the named services, and records the identity in their
 * public log for ever.
 * @param statement an in-toto statement
 * @returns a Sigstore bundle, v0.3, as bytes
 * @throws UsageError if a service refuses or cannot be reached
 */
export async function signStatement(
  statement: Uint8Array,
  config: SigningConfig,
  token: string,
): Promise<Uint8Array> {
  const [{ bundleBuilderFromSigningConfig }, { Bundle }] = await Promise.all([
    import("@sigstore/sign"),
    import("@sigstore/protobuf-specs"),
  ]);
  try {
    const builder = bundleBuilderFromSigningConfig({
      signingConfig: config,
      identityProvider: { getToken: () => Promise.resolve(token) },
      bundleType: "dsseEnvelope",
      fetchOptions: { timeout: patience, retry: { retries } },
    });
    const data = Buffer.from(statement);
    const bundle = await withNamedServices(config, () => builder.create({ data, type: inTotoPayloadType }));
    return written(Bundle.toJSON(bundle));
  } catch (cause) {
    throw refusal(cause, token);
  }
}
