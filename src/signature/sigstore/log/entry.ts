import type { Json } from "../../../text/json.ts";
import {
  assertFields,
  assertObject,
  decodeBase64,
  fieldOf,
  listOf,
  textOf,
  type JsonObject,
} from "../../json-fields.ts";
import { malformed, unsupported } from "../../signature-error.ts";

/** A transparency log entry of a bundle (sigstore_rekor.proto), in the shape of the libraries. */
export interface LogEntry {
  readonly logIndex: string;
  readonly logId: { readonly keyId: Buffer };
  readonly kindVersion: { readonly kind: string; readonly version: string };
  /** Seconds since 1970, decimal; "0" if the log states no time. */
  readonly integratedTime: string;
  readonly inclusionPromise: { readonly signedEntryTimestamp: Buffer } | undefined;
  readonly inclusionProof: InclusionProof | undefined;
  readonly canonicalizedBody: Buffer;
}

interface InclusionProof {
  readonly logIndex: string;
  readonly rootHash: Buffer;
  readonly treeSize: string;
  readonly hashes: readonly Buffer[];
  readonly checkpoint: { readonly envelope: string };
}

/** Proof of a signature's time and logging: log entries, and timestamps of timestamp authorities (RFC 3161, DER). */
export interface LogProof {
  readonly entries: readonly LogEntry[];
  readonly timestamps: readonly Buffer[];
}

/** Limit of an inclusion proof: a Merkle tree with 2^63 leaves has paths of 63 hashes. */
const maxHashes = 64;
const maxEntries = 4;
const maxTimestamps = 4;
const maxCheckpoint = 16_384;
const maxTimestampBytes = 65_536;

const entryFields = new Set([
  "logIndex",
  "logId",
  "kindVersion",
  "integratedTime",
  "inclusionPromise",
  "inclusionProof",
  "canonicalizedBody",
]);
const proofFields = new Set(["logIndex", "rootHash", "treeSize", "hashes", "checkpoint"]);

/** Reads a uint64 as in protobuf's JSON: decimal text, zero if absent. */
function countOf(object: JsonObject, field: string, where: string): string {
  const value = fieldOf(object, field) ?? "0";
  if (typeof value !== "string" || !/^(?:0|[1-9]\d{0,18})$/.test(value))
    throw malformed(`${where}.${field} is not a number written as text`);
  return value;
}

function only(object: JsonObject, field: string, where: string, known: readonly string[]): JsonObject {
  const member = assertObject(fieldOf(object, field), `${where}.${field}`);
  assertFields(member, `${where}.${field}`, new Set(known));
  return member;
}

const bytesOf = (object: JsonObject, field: string, where: string): Buffer =>
  decodeBase64(textOf(object, field, where), `${where}.${field}`);

/** A signature line of a checkpoint (C2SP signed-note): dash, signer's name, then key hint and signature. */
const signatureLine = /^\u2014 [A-Za-z0-9._:/-]{1,256} ([A-Za-z0-9+/]{8,1024}={0,2})$/;

/**
 * Reads a checkpoint in a signed note (C2SP tlog-checkpoint): origin, size, root hash, further lines; an empty line;
 * signatures. Its syntax is checked here, for `@sigstore/verify` takes a signer's name as a regular expression and a
 * size of any length: a few hundred characters would keep it busy for hours.
 */
function readCheckpoint(envelope: string, where: string): { readonly size: string; readonly root: string } {
  const end = envelope.indexOf("\n\n");
  const [, size = "", root = ""] = envelope.slice(0, Math.max(0, end)).split("\n");
  const signatures = envelope.slice(end + 2).split("\n");
  const wellFormed =
    envelope.length <= maxCheckpoint &&
    end > 0 &&
    /^(?:0|[1-9]\d{0,18})$/.test(size) &&
    /^[A-Za-z0-9+/]{43}=$/.test(root) &&
    signatures.pop() === "" &&
    signatures.length > 0;
  if (!wellFormed) throw malformed(`${where} is not a signed checkpoint`);
  for (const line of signatures) {
    const [, signature] = signatureLine.exec(line) ?? [];
    if (signature === undefined) throw malformed(`${where} is not a signed checkpoint`);
    // Canonical base64: two spellings of one signature would be two bundles of the same proof.
    decodeBase64(signature, where);
  }
  return { size, root };
}

function proofOf(entry: JsonObject, where: string): InclusionProof | undefined {
  if (fieldOf(entry, "inclusionProof") === undefined) return undefined;
  const place = `${where}.inclusionProof`;
  const proof = only(entry, "inclusionProof", where, [...proofFields]);
  const hashes = fieldOf(proof, "hashes") === undefined ? [] : listOf(proof, "hashes", place, maxHashes);
  const envelope = textOf(only(proof, "checkpoint", place, ["envelope"]), "envelope", `${place}.checkpoint`);
  const { size, root } = readCheckpoint(envelope, `${place}.checkpoint`);
  const [treeSize, rootHash] = [countOf(proof, "treeSize", place), bytesOf(proof, "rootHash", place)];
  // Only the checkpoint is signed: the proof beside it must not contradict it.
  if (treeSize !== size || rootHash.toString("base64") !== root)
    throw malformed(`${place} is about another tree than its checkpoint`);
  return {
    logIndex: countOf(proof, "logIndex", place),
    rootHash,
    treeSize,
    hashes: hashes.map((hash) => {
      const bytes = typeof hash === "string" ? decodeBase64(hash, `${place}.hashes`) : undefined;
      if (bytes?.byteLength !== 32) throw malformed(`${place}.hashes holds what is no SHA-256 digest`);
      return bytes;
    }),
    checkpoint: { envelope },
  };
}

function entryOf(value: Json | undefined, where: string): LogEntry {
  const entry = assertObject(value, where);
  assertFields(entry, where, entryFields);
  const kind = only(entry, "kindVersion", where, ["kind", "version"]);
  const promise =
    fieldOf(entry, "inclusionPromise") === undefined
      ? undefined
      : only(entry, "inclusionPromise", where, ["signedEntryTimestamp"]);
  const proof = proofOf(entry, where);
  // A promise only announces inclusion; the inclusion proof shows it.
  if (proof === undefined)
    throw unsupported(`${where} has no inclusionProof: sign again with a newer client`);
  return {
    logIndex: countOf(entry, "logIndex", where),
    logId: { keyId: bytesOf(only(entry, "logId", where, ["keyId"]), "keyId", `${where}.logId`) },
    kindVersion: {
      kind: textOf(kind, "kind", `${where}.kindVersion`),
      version: textOf(kind, "version", `${where}.kindVersion`),
    },
    integratedTime: countOf(entry, "integratedTime", where),
    inclusionPromise:
      promise === undefined
        ? undefined
        : { signedEntryTimestamp: bytesOf(promise, "signedEntryTimestamp", `${where}.inclusionPromise`) },
    inclusionProof: proof,
    canonicalizedBody: bytesOf(entry, "canonicalizedBody", where),
  };
}

function timestampsOf(material: JsonObject, where: string): readonly Buffer[] {
  if ((fieldOf(material, "timestampVerificationData") ?? null) === null) return [];
  const place = `${where}.timestampVerificationData`;
  const data = only(material, "timestampVerificationData", where, ["rfc3161Timestamps"]);
  if (fieldOf(data, "rfc3161Timestamps") === undefined) return [];
  return listOf(data, "rfc3161Timestamps", place, maxTimestamps).map((item) => {
    const stamp = assertObject(item, `${place}.rfc3161Timestamps`);
    assertFields(stamp, `${place}.rfc3161Timestamps`, new Set(["signedTimestamp"]));
    const bytes = bytesOf(stamp, "signedTimestamp", `${place}.rfc3161Timestamps`);
    if (bytes.byteLength > maxTimestampBytes) throw malformed(`${place} holds a timestamp that is too large`);
    return bytes;
  });
}

/**
 * Reads the log entries and timestamps of a bundle's `verificationMaterial`. The trusted root decides how many are
 * required; each present one must verify.
 * @throws SignatureError MANIFEST_MALFORMED or UNSUPPORTED_FORMAT
 */
export function readLogProof(material: JsonObject, where: string): LogProof {
  const entries =
    fieldOf(material, "tlogEntries") === undefined ? [] : listOf(material, "tlogEntries", where, maxEntries);
  return {
    entries: entries.map((entry, at) => entryOf(entry, `${where}.tlogEntries[${at}]`)),
    timestamps: timestampsOf(material, where),
  };
}
