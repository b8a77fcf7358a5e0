import type { SignedEntity } from "@sigstore/verify";
import { hash } from "node:crypto";
import type { Certificate } from "../certificate.ts";
import { SignatureError } from "../signature-error.ts";
import type { SigstoreRoot } from "../trust-material.ts";
import { sigstoreVerify } from "./library.ts";
import { digestsPayload } from "./log-body.ts";
import type { LogProof } from "./log-entry.ts";

/** A DSSE envelope with one signature, and the certificate whose key made it. */
export interface KeylessEnvelope {
  readonly certificate: Certificate;
  readonly proof: LogProof;
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** What was signed: the envelope's pre-authentication encoding. */
  readonly encoded: Uint8Array;
}

type Bundle = Parameters<ReturnType<typeof sigstoreVerify>["toSignedEntity"]>[0];

/** The envelope as `@sigstore/verify` takes it: made from what was read strictly, not from the bundle's own JSON. */
function bundleOf({ certificate, proof, payload, payloadType, signature }: KeylessEnvelope): Bundle {
  const { inclusionProof, ...entry } = proof.entry;
  return {
    mediaType: "",
    verificationMaterial: {
      content: { $case: "certificate", certificate: { rawBytes: Buffer.from(certificate.x509.raw) } },
      tlogEntries: [
        {
          ...entry,
          inclusionProof:
            inclusionProof === undefined
              ? undefined
              : { ...inclusionProof, hashes: [...inclusionProof.hashes] },
        },
      ],
      timestampVerificationData: {
        rfc3161Timestamps: proof.timestamps.map((signedTimestamp) => ({ signedTimestamp })),
      },
    },
    content: {
      $case: "dsseEnvelope",
      dsseEnvelope: {
        payload: Buffer.from(payload),
        payloadType,
        signatures: [{ sig: Buffer.from(signature), keyid: "" }],
      },
    },
  };
}

/**
 * What is compared with the log. The signature itself is checked before, under the leaf's own curve, which the library
 * does not look at.
 */
function contentOf({ proof, payload, signature, encoded }: KeylessEnvelope): SignedEntity["signature"] {
  const digest = hash("sha256", digestsPayload(proof.entry) ? payload : encoded, "buffer");
  return {
    signature: Buffer.from(signature),
    compareSignature: (other) => other.equals(signature),
    compareDigest: (other) => other.equals(digest),
    verifySignature: () => true,
  };
}

/** Times that the verifier is going to prove, or refuse the signature for: of timestamps, and of the log's promise. */
function timesOf(entity: SignedEntity): readonly Date[] {
  return entity.timestamps.flatMap((timestamp) => {
    if (timestamp.$case === "timestamp-authority") return [timestamp.timestamp.signingTime];
    const { inclusionPromise, integratedTime } = timestamp.tlogEntry;
    return inclusionPromise === undefined ? [] : [new Date(Number(integratedTime) * 1000)];
  });
}

/** Does a root know the log that this entry says it is in. */
export const knowsLog = ({ authorities }: SigstoreRoot, { entry }: LogProof): boolean =>
  authorities.tlogs.some(({ logID }) => logID.equals(entry.logId.keyId));

/**
 * The log's keys that count for this signature: of the very log that the entry names, and trusted at every time that
 * is going to be proved. The library asks for the time only for promises, not for checkpoints, which is all that there
 * is in Rekor 2; and it would take any log's checkpoint for any log's entry.
 */
function logsFor({ authorities }: SigstoreRoot, { entry }: LogProof, times: readonly Date[]) {
  return authorities.tlogs.filter(
    ({ logID, validFor }) =>
      logID.equals(entry.logId.keyId) &&
      times.every((time) => validFor.start <= time && time <= validFor.end),
  );
}

function assertValidThen({ notBefore, notAfter }: Certificate, times: readonly Date[]): void {
  const outside = times.find((time) => time.getTime() < notBefore || time.getTime() > notAfter);
  if (outside === undefined) return;
  throw new SignatureError(
    "SIGNER_EXPIRED",
    `the certificate was not valid at the time of signing, ${new Date(outside).toISOString()}`,
  );
}

const reasonOf = (cause: unknown): string =>
  cause instanceof sigstoreVerify().VerificationError ? cause.message : "it is not built as expected";

/**
 * Proves by one Sigstore root that the certificate's owner signed: at least one time, by a timestamp authority or the
 * log; the certificate's chain and its certificate log's word at that time; the entry in the log, about this signature
 * and payload. Not the signature itself, nor what the certificate may be used for.
 *
 * @returns the earliest proved time of signing, milliseconds since 1970
 * @throws SignatureError UNTRUSTED_SIGNER; SIGNER_EXPIRED where it signed outside the certificate's validity
 */
export function proveSigning(envelope: KeylessEnvelope, root: SigstoreRoot): number {
  const { Verifier, toSignedEntity } = sigstoreVerify();
  try {
    const entity = { ...toSignedEntity(bundleOf(envelope)), signature: contentOf(envelope) };
    const times = timesOf(entity);
    assertValidThen(envelope.certificate, times);
    const tlogs = logsFor(root, envelope.proof, times);
    new Verifier({ ...root.authorities, tlogs }).verify(entity);
    return Math.min(...times.map((time) => time.getTime()));
  } catch (cause) {
    if (cause instanceof SignatureError) throw cause;
    // Hostile ASN.1 makes the library throw all kinds of errors; none of them may pass for a proof.
    throw new SignatureError("UNTRUSTED_SIGNER", reasonOf(cause), { cause });
  }
}
