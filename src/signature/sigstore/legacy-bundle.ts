import { skillLimits } from "../../skill/limits.ts";
import type { Json } from "../../text/json.ts";
import {
  assertFields,
  assertObject,
  decodeBase64,
  fieldOf,
  readObject,
  textOf,
  type JsonObject,
} from "../json-fields.ts";
import { malformed, unsupported } from "../signature-error.ts";
import type { LogEntry, LogProof } from "./log/entry.ts";

/** cosign's own bundle of a signed file, from before it wrote Sigstore bundles: a signature and its proof. */
export interface LegacyBundle {
  readonly signature: Buffer;
  /** The signer's certificate, base64 of the DER. */
  readonly certificates: readonly [string];
  readonly proof: LogProof;
}

const bundleFields = new Set(["base64Signature", "cert", "rekorBundle"]);
const promiseFields = new Set(["SignedEntryTimestamp", "Payload"]);
const payloadFields = new Set(["body", "integratedTime", "logIndex", "logID"]);

/**
 * Extracts base64 of a certificate's DER from text that is exactly one certificate in PEM.
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function certificateInPem(text: string, where: string): string {
  const [, lines] =
    /^-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]{1,65536})-----END CERTIFICATE-----\s*$/.exec(
      text,
    ) ?? [];
  const inner = (lines ?? "").replace(/[\r\n]/g, "");
  if (inner === "") throw malformed(`${where} is not one certificate in PEM`);
  return inner;
}

function countOf(payload: JsonObject, field: string, where: string): string {
  const value = fieldOf(payload, field);
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw malformed(`${where}.${field} is not a whole number`);
  return String(value);
}

/**
 * Reads a log's promise (`rekorBundle`, and the annotation `dev.sigstore.cosign/bundle` of images) to include an
 * entry, with the time of acceptance. The format has no proof of inclusion.
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function readRekorBundle(value: Json | undefined, where: string): LogEntry {
  const promise = assertObject(value, where);
  assertFields(promise, where, promiseFields);
  const place = `${where}.Payload`;
  const payload = assertObject(fieldOf(promise, "Payload"), place);
  assertFields(payload, place, payloadFields);
  const logId = textOf(payload, "logID", place);
  if (!/^[0-9a-f]{64}$/.test(logId)) throw malformed(`${place}.logID is not 64 lower-case hex digits`);
  const canonicalizedBody = decodeBase64(textOf(payload, "body", place), `${place}.body`);
  const body = readObject(canonicalizedBody, "the log entry's body");
  const signedEntryTimestamp = decodeBase64(
    textOf(promise, "SignedEntryTimestamp", where),
    `${where}.SignedEntryTimestamp`,
  );
  return {
    logIndex: countOf(payload, "logIndex", place),
    logId: { keyId: Buffer.from(logId, "hex") },
    kindVersion: {
      kind: textOf(body, "kind", "the log entry's body"),
      version: textOf(body, "apiVersion", "the log entry's body"),
    },
    integratedTime: countOf(payload, "integratedTime", place),
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: undefined,
    canonicalizedBody,
  };
}

/**
 * Reads cosign's older bundle of a signed file, `sign-blob --bundle`, if a certificate signed and a log promised
 * inclusion.
 * @throws SignatureError MANIFEST_MALFORMED, or UNSUPPORTED_FORMAT without certificate or log entry
 */
export function readLegacyBundle(bytes: Uint8Array, where: string): LegacyBundle {
  if (bytes.byteLength > skillLimits.signatureBytes)
    throw malformed(`${where} is larger than ${skillLimits.signatureBytes} bytes`);
  const bundle = readObject(bytes, where);
  assertFields(bundle, where, bundleFields);
  const signature = decodeBase64(textOf(bundle, "base64Signature", where), `${where}.base64Signature`);
  if (fieldOf(bundle, "cert") === undefined)
    throw unsupported(`${where} holds no certificate: a signature by a key alone names no signer`);
  const pem = decodeBase64(textOf(bundle, "cert", where), `${where}.cert`).toString("latin1");
  if ((fieldOf(bundle, "rekorBundle") ?? null) === null)
    throw unsupported(`${where} holds no log entry, so that nothing tells when it was signed`);
  const entry = readRekorBundle(fieldOf(bundle, "rekorBundle"), `${where}.rekorBundle`);
  return {
    signature,
    certificates: [certificateInPem(pem, `${where}.cert`)],
    proof: { entries: [entry], timestamps: [] },
  };
}
