import type { SignedEntity } from "@sigstore/verify";
import type { Certificate } from "../../x509/certificate.ts";
import { SignatureError } from "../../signature-error.ts";
import type { SigstoreRoot } from "../root/sigstore-root.ts";
import { sigstoreMessages, sigstoreVerify } from "../lazy-libraries.ts";
import type { LoggedSignature } from "./body.ts";
import type { LogEntry, LogProof } from "./entry.ts";
import { rememberedCertificate } from "../root/remembered-certificate.ts";
import type { SignedSubject } from "./subject.ts";
import { defaultThresholds } from "../root/thresholds.ts";

type Bundle = Parameters<ReturnType<typeof sigstoreVerify>["toSignedEntity"]>[0];
type BundleEntry = Bundle["verificationMaterial"]["tlogEntries"][number];

function libraryEntry({ inclusionProof, ...entry }: LogEntry): BundleEntry {
  const proof =
    inclusionProof === undefined ? undefined : { ...inclusionProof, hashes: [...inclusionProof.hashes] };
  return { ...entry, inclusionProof: proof };
}

/** Builds the library's entity from strictly read fields, not from the bundle's own JSON. */
function entityOf({ by, proof, signature }: SignedSubject): SignedEntity {
  const content: Bundle["verificationMaterial"]["content"] =
    "certificate" in by
      ? { $case: "certificate", certificate: { rawBytes: Buffer.from(by.certificate.x509.raw) } }
      : { $case: "publicKey", publicKey: { hint: "" } };
  const { key, ...entity } = sigstoreVerify().toSignedEntity({
    mediaType: "",
    verificationMaterial: {
      content,
      tlogEntries: proof.entries.map(libraryEntry),
      timestampVerificationData: {
        rfc3161Timestamps: proof.timestamps.map((signedTimestamp) => ({ signedTimestamp })),
      },
    },
    content: {
      $case: "messageSignature",
      messageSignature: {
        messageDigest: {
          algorithm: sigstoreMessages().HashAlgorithm.HASH_ALGORITHM_UNSPECIFIED,
          digest: Buffer.alloc(0),
        },
        signature: Buffer.from(signature),
      },
    },
  });
  return {
    ...entity,
    key: key.$case === "certificate" ? { ...key, certificate: rememberedCertificate(key.certificate) } : key,
  };
}

/**
 * Content by which the library checks that it reads the entry as we do. The rest was verified before: the entry
 * against signature and digest, and the signature against key and artifact, with the key's own curve, which the
 * library ignores.
 */
const contentOf = (subject: SignedSubject, logged?: LoggedSignature): SignedEntity["signature"] => ({
  signature: Buffer.from(subject.signature),
  compareSignature: (other) => logged?.signature.equals(other) === true,
  compareDigest: (other) => logged?.digest.value.equals(other) === true,
  verifySignature: () => true,
});

interface StatedTime {
  readonly time: Date;
  /** The certificate of the timestamp authority, or the log: two statements of one count once. */
  readonly by: string;
}

/** Stated times, of timestamps and log promises; the verifier proves each or refuses the signature. */
function timesOf(entity: SignedEntity): readonly StatedTime[] {
  return entity.timestamps.flatMap((timestamp): StatedTime[] => {
    if (timestamp.$case === "timestamp-authority") {
      const { signingTime, signerIssuer, signerSerialNumber } = timestamp.timestamp;
      const by = `${signerIssuer.toString("hex")} ${signerSerialNumber.toString("hex")}`;
      return [{ time: signingTime, by }];
    }
    const { inclusionPromise, integratedTime, logId } = timestamp.tlogEntry;
    return inclusionPromise === undefined
      ? []
      : [{ time: new Date(Number(integratedTime) * 1000), by: logId.keyId.toString("hex") }];
  });
}

/** Whether a root knows the logs of all entries. */
export const knowsLogs = ({ authorities }: SigstoreRoot, { entries }: LogProof): boolean =>
  entries.every((entry) => authorities.tlogs.some(({ logID }) => logID.equals(entry.logId.keyId)));

/**
 * Selects the keys of the entry's own log that were trusted at all of these times. The library checks times only of
 * promises, not of checkpoints, the only proof in Rekor 2, and accepts a checkpoint of any log for an entry of any
 * other.
 */
const logsFor = ({ authorities }: SigstoreRoot, entry: LogEntry, times: readonly Date[]) =>
  authorities.tlogs.filter(
    ({ logID, validFor }) =>
      logID.equals(entry.logId.keyId) &&
      times.length > 0 &&
      times.every((time) => validFor.start <= time && time <= validFor.end),
  );

function assertValidThen({ notBefore, notAfter }: Certificate, times: readonly StatedTime[]): void {
  const outside = times.find(({ time }) => time.getTime() < notBefore || time.getTime() > notAfter);
  if (outside === undefined) return;
  throw new SignatureError(
    "SIGNER_EXPIRED",
    `the certificate was not valid at the time of signing, ${new Date(outside.time).toISOString()}`,
  );
}

/**
 * Required numbers of logs and times. A certificate needs a time, to show that it was valid then. A key is valid until
 * it is dropped: it needs a time only if the root requires one, and a log only if the caller does.
 */
function fewestOf({ by }: SignedSubject, { thresholds = defaultThresholds }: SigstoreRoot) {
  const { tlog, timestamp } = thresholds;
  return "certificate" in by
    ? { logs: tlog, times: timestamp ?? 1 }
    : { logs: by.logOptional === true ? 0 : tlog, times: timestamp ?? 0 };
}

function assertEnough(subject: SignedSubject, root: SigstoreRoot, times: readonly StatedTime[]): void {
  const fewest = fewestOf(subject, root);
  const logs = new Set(subject.proof.entries.map(({ logId }) => logId.keyId.toString("hex"))).size;
  const clocks = new Set(times.map(({ by }) => by)).size;
  const lacks =
    logs < fewest.logs
      ? `it is in ${logs} of the ${fewest.logs} transparency logs that are asked for`
      : clocks < fewest.times
        ? `its time is stated by ${clocks} of the ${fewest.times} timestamp authorities or logs that are asked for`
        : undefined;
  if (lacks !== undefined) throw new SignatureError("UNTRUSTED_SIGNER", lacks);
}

const reasonOf = (cause: unknown): string =>
  cause instanceof sigstoreVerify().VerificationError ? cause.message : "it is not built as expected";

/** Hands the trusted key to the library, as valid at any time. */
const keyFinder =
  ({ by }: SignedSubject): SigstoreRoot["authorities"]["publicKey"] =>
  () => {
    if ("key" in by) return { publicKey: by.key, validFor: () => true };
    throw new SignatureError("UNTRUSTED_SIGNER", "it was not signed by a key");
  };

/** Verifies timestamps, and at all stated times the certificate with its chain and certificate logs. */
function proveSigner(subject: SignedSubject, entity: SignedEntity, root: SigstoreRoot): void {
  const { thresholds = defaultThresholds, authorities } = root;
  // Times and entries were counted before, by their issuers: the library counts statements.
  const fewest = { timestampThreshold: 0, tlogThreshold: 0, ctlogThreshold: thresholds.ctlog };
  new (sigstoreVerify().Verifier)(
    { ...authorities, tlogs: [], publicKey: keyFinder(subject) },
    fewest,
  ).verify({
    ...entity,
    tlogEntries: [],
    signature: contentOf(subject),
  });
}

/** A log entry, its parsed body, and the log keys that count for it. */
interface ProvableEntry {
  readonly entry: LogEntry;
  readonly logged: LoggedSignature | undefined;
  readonly tlogs: ReturnType<typeof logsFor>;
}

/**
 * Verifies one log entry by its own log alone. The library sees it as a signature by a key without a time, and so
 * checks only the entry: the signer is verified once elsewhere, which takes longer than all entries.
 */
function proveEntry(
  subject: SignedSubject,
  { authorities }: SigstoreRoot,
  { entry, logged, tlogs }: ProvableEntry,
): void {
  const { by } = subject;
  const publicKey = "key" in by ? by.key : by.certificate.publicKey;
  const trust = { ...authorities, tlogs, publicKey: () => ({ publicKey, validFor: () => true }) };
  const fewest = { timestampThreshold: 0, tlogThreshold: 1, ctlogThreshold: 0 };
  new (sigstoreVerify().Verifier)(trust, fewest).verify({
    key: { $case: "public-key", hint: "" },
    timestamps: [],
    tlogEntries: [libraryEntry(entry)],
    signature: contentOf(subject, logged),
  });
}

function prove(subject: SignedSubject, root: SigstoreRoot, now: number | undefined): number | undefined {
  const entity = entityOf(subject);
  const stated = timesOf(entity);
  if ("certificate" in subject.by) assertValidThen(subject.by.certificate, stated);
  assertEnough(subject, root, stated);
  const proved = stated.map(({ time }) => time);
  const current = now === undefined ? [] : [new Date(now)];
  const times = proved.length === 0 ? current : proved;
  proveSigner(subject, entity, root);
  for (const [at, entry] of subject.proof.entries.entries())
    proveEntry(subject, root, { entry, logged: subject.logged[at], tlogs: logsFor(root, entry, times) });
  return proved.length === 0 ? undefined : Math.min(...proved.map((time) => time.getTime()));
}

/**
 * Proves by one Sigstore root that the signer signed: the time, by timestamp authority or log; at that time a
 * certificate's chain and its signed certificate timestamps; the entries in their logs. Not verified here: the
 * signature itself, the contents of the entries, the certificate's usage.
 *
 * A key's signature needs no time: without one, the logs must be trusted at `now`.
 * @param now milliseconds since 1970; not needed for certificates, whose time is always proved
 * @returns the earliest proved time of signing, milliseconds since 1970; undefined if none
 * @throws SignatureError UNTRUSTED_SIGNER; SIGNER_EXPIRED if the certificate was not valid at the time of signing
 */
export function proveSigning(subject: SignedSubject, root: SigstoreRoot, now?: number): number | undefined {
  try {
    return prove(subject, root, now);
  } catch (cause) {
    if (cause instanceof SignatureError) throw cause;
    // Hostile ASN.1 makes the library throw errors of all kinds; each refuses the signature.
    throw new SignatureError("UNTRUSTED_SIGNER", reasonOf(cause), { cause });
  }
}
