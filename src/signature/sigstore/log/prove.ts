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

/** The signature as `@sigstore/verify` takes it: made from what was read strictly, not from the bundle's own JSON. */
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
 * What the library compares with the log: that it reads the entry as we do. The entry itself was held against signature and
 * digest before, and the signature against key and artifact, under the key's own curve, which it does not look at.
 */
const contentOf = (subject: SignedSubject, logged?: LoggedSignature): SignedEntity["signature"] => ({
  signature: Buffer.from(subject.signature),
  compareSignature: (other) => logged?.signature.equals(other) === true,
  compareDigest: (other) => logged?.digest.value.equals(other) === true,
  verifySignature: () => true,
});

interface StatedTime {
  readonly time: Date;
  /** Who states it: a timestamp authority's certificate or a log; two statements of one are worth one. */
  readonly by: string;
}

/** Times that the verifier is going to prove, or refuse the signature for: of timestamps, and of the logs' promises. */
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

/** Does a root know the logs that the entries say they are in. */
export const knowsLogs = ({ authorities }: SigstoreRoot, { entries }: LogProof): boolean =>
  entries.every((entry) => authorities.tlogs.some(({ logID }) => logID.equals(entry.logId.keyId)));

/**
 * The keys that count for an entry: of the very log that it names, and trusted at all of these times. The library asks for
 * the time only for promises, not for checkpoints, which is all that there is in Rekor 2; and it would take any log's
 * checkpoint for any log's entry.
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
 * A certificate is for one signature: without a time nobody knows whether it was valid. A key is valid until it is dropped, so
 * that it needs a time only where the root's operator says so, and a log only where the caller does.
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

/** A trusted key is one at any time, as far as the library is concerned. */
const keyFinder =
  ({ by }: SignedSubject): SigstoreRoot["authorities"]["publicKey"] =>
  () => {
    if ("key" in by) return { publicKey: by.key, validFor: () => true };
    throw new SignatureError("UNTRUSTED_SIGNER", "it was not signed by a key");
  };

/** Timestamps, and the certificate with its chain and logs at all stated times. */
function proveSigner(subject: SignedSubject, entity: SignedEntity, root: SigstoreRoot): void {
  const { thresholds = defaultThresholds, authorities } = root;
  // Times and entries were counted before, by who states them: the library counts statements.
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

/** A log entry, what we read in it, and the keys that count for it. */
interface ProvableEntry {
  readonly entry: LogEntry;
  readonly logged: LoggedSignature | undefined;
  readonly tlogs: ReturnType<typeof logsFor>;
}

/**
 * One log entry by its own log alone. Who signed is proved elsewhere, and once: that takes longer than all entries. To the
 * library it is a signature by a key without any time, so that it looks at nothing but the entry.
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
 * Proves by one Sigstore root that the signer signed: the time, by a timestamp authority or the log; a certificate's chain
 * and its certificate log's word at that time; the entries in their logs. Not the signature itself, nor what the entries
 * are about, nor what the certificate may be used for.
 *
 * A key's signature needs no time: where it has none, the logs have to be trusted now.
 * @param now milliseconds since 1970; not needed for certificates, whose time is always proved
 * @returns the earliest proved time of signing, milliseconds since 1970; undefined where there is none
 * @throws SignatureError UNTRUSTED_SIGNER; SIGNER_EXPIRED where it signed outside the certificate's validity
 */
export function proveSigning(subject: SignedSubject, root: SigstoreRoot, now?: number): number | undefined {
  try {
    return prove(subject, root, now);
  } catch (cause) {
    if (cause instanceof SignatureError) throw cause;
    // Hostile ASN.1 makes the library throw all kinds of errors; none of them may pass for a proof.
    throw new SignatureError("UNTRUSTED_SIGNER", reasonOf(cause), { cause });
  }
}
