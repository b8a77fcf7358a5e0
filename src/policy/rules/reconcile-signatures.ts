import { formatOf, formats, type Format } from "../../signature/formats.ts";
import {
  isFolderFormat,
  type FolderFormat,
  type SignatureEvidence,
} from "../../signature/signature-evidence.ts";
import type { Difference } from "../../signature/compare.ts";
import type { Policy } from "../policy.ts";
import type { Explanation } from "./differences.ts";
import { outsideTrustPeriod } from "./periods.ts";
import { isByPublisher } from "./publishers.ts";

type Good = Extract<SignatureEvidence, { outcome: "signed" | "tampered" }>;

/** True for a signature in the skill's folder by a trusted signer, publisher or not. */
const isGood = (one: SignatureEvidence): one is Good & { readonly format: FolderFormat } =>
  (one.outcome === "signed" || one.outcome === "tampered") && isFolderFormat(one.format);

const holds = ({ proved, unsigned }: Format, path: string): boolean =>
  proved.includes(path) || unsigned.includes(path);

/** Format, other than this one, that the file belongs to by its name. */
const ownerOf = (path: string, format: FolderFormat): Format | undefined =>
  formats.find((one) => one.name !== format && holds(one, path));

/**
 * True for files that this signature may leave out for another format: that format's files, and everything below a
 * folder with such a name, since ignoring `CARD.md` also ignores `CARD.md/run.sh`. No signature has files there.
 */
const isInRoom = (path: string, format: FolderFormat): boolean => {
  const [top = "", ...below] = path.split("/");
  return below.length > 0 ? formats.some((one) => holds(one, top)) : ownerOf(path, format) !== undefined;
};

/**
 * Corrects a signature's differences for files of other signatures. Files of a format in `answering` are no
 * difference if this format's own tool passes over them, and not unlisted if this signature left them out. A file
 * with such a name is reported as added if no signature in `answering` covers it, even if it was left out: the name
 * is reserved for a signature.
 */
function reconcile(one: SignatureEvidence, answering: ReadonlySet<FolderFormat>): SignatureEvidence {
  if (!isGood(one)) return one;
  const { passesOver } = formatOf[one.format];
  const isAnsweredFor = (path: string): boolean => {
    const owner = ownerOf(path, one.format);
    return owner !== undefined && answering.has(owner.name);
  };
  const isUnsigned = (path: string): boolean => formats.some(({ unsigned }) => unsigned.includes(path));
  const found = one.outcome === "tampered" ? one.differences : [];
  const pardoned = found.filter(
    ({ change, path }) => change === "added" && passesOver(path) && isAnsweredFor(path),
  );
  const leftOut = [...one.unlisted, ...pardoned.map(({ path }) => path)];
  const strange = leftOut.filter((path) => isInRoom(path, one.format) && !isAnsweredFor(path));
  const differences: readonly Difference[] = [
    ...found.filter((difference) => !pardoned.includes(difference)),
    ...strange.map((path): Difference => ({ path, change: "added" })),
  ];
  const unlisted = leftOut.filter(
    (path) => !isInRoom(path, one.format) || (isAnsweredFor(path) && isUnsigned(path)),
  );
  if (pardoned.length + strange.length === 0 && unlisted.length === one.unlisted.length) return one;
  // Tampered without a nameable path: stays tampered.
  const tampered = one.outcome === "tampered" && found.length === 0;
  return differences.length === 0 && !tampered
    ? { ...one, outcome: "signed", unlisted }
    : { ...one, outcome: "tampered", differences, unlisted };
}

/**
 * Formats whose signatures cover their own files: by a publisher, in force, and untampered. Two may depend on each
 * other: remove those that fail until none does. If the policy denies bad signatures beside a good one, a failing
 * signature is reported itself, and the presence of its file needs no finding.
 */
function answeringFormats(
  policy: Policy,
  signatures: readonly SignatureEvidence[],
  now: number,
): ReadonlySet<FolderFormat> {
  const candidates = signatures
    .filter(isGood)
    .filter((one) => isByPublisher(policy, one) && outsideTrustPeriod(policy, one, now) === undefined);
  let kept = candidates;
  for (;;) {
    const answering = new Set(kept.map(({ format }) => format));
    if (policy.otherSignatures === "Deny") return answering;
    const next = kept.filter((one) => reconcile(one, answering).outcome === "signed");
    if (next.length === kept.length) return answering;
    kept = next;
  }
}

/**
 * A skill's signatures as this policy sees them. For each format, files of another signature are unlisted files:
 * they count as signed if a publisher made that signature and this format's own tool would accept them. Nothing
 * else becomes acceptable.
 * @param now milliseconds since 1970
 */
export function reconcileSignatures(
  policy: Policy,
  signatures: readonly SignatureEvidence[],
  now: number,
): readonly SignatureEvidence[] {
  const answering = answeringFormats(policy, signatures, now);
  return signatures.map((one) => reconcile(one, answering));
}

/** Remedy for two formats in one skill. */
function remedyOf(one: Format, other: Format): string {
  const leaveOut = `leave ${one.file} or ${other.file} out`;
  const [registry, own] = one.byRegistry ? [one, other] : [other, one];
  if (registry.byRegistry)
    return `have the registry sign the skill without ${own.file} and make ${own.file} after that, or ${leaveOut}`;
  const [first, later] = one.leavesRoomFor === undefined ? [other, one] : [one, other];
  if (first.leavesRoomFor === undefined) return `${leaveOut}: their formats do not go together`;
  return `make ${first.file} anew with room for the other (skill-admission sign --beside ${later.name}), then ${later.file}, or ${leaveOut}`;
}

/** Explanation of an added file that belongs to another signature; undefined for any other difference. */
export function explainAdded(
  policy: Policy,
  signatures: readonly SignatureEvidence[],
  by: SignatureEvidence,
  { path, change }: Difference,
): Explanation | undefined {
  if (by.outcome === "unsigned" || !isFolderFormat(by.format) || change !== "added") return undefined;
  const format: Format = formatOf[by.format];
  const owner = ownerOf(path, format.name);
  const signature = signatures.find((one) => one.outcome !== "unsigned" && one.format === owner?.name);
  if (owner === undefined || signature === undefined) return undefined;
  if (isByPublisher(policy, signature)) {
    const message = `is neither listed nor ignored by ${format.file}`;
    return { message, remedy: remedyOf(format, owner) };
  }
  const message = `belongs to the signature ${owner.file}, which no publisher of this policy made`;
  return { message, remedy: `leave ${owner.file} out, or have a publisher of the policy make it` };
}
