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

/** A signature in the skill's own folder by somebody who is trusted, by whomever. */
const isGood = (one: SignatureEvidence): one is Good & { readonly format: FolderFormat } =>
  (one.outcome === "signed" || one.outcome === "tampered") && isFolderFormat(one.format);

const holds = ({ proved, unsigned }: Format, path: string): boolean =>
  proved.includes(path) || unsigned.includes(path);

/** The signature, of another format, whose file this is by its name. */
const ownerOf = (path: string, format: FolderFormat): Format | undefined =>
  formats.find((one) => one.name !== format && holds(one, path));

/**
 * Is this room that was left for another format's files: they themselves, and everything below a folder of any such name,
 * for whoever leaves `CARD.md` out leaves `CARD.md/run.sh` out with it. No signature consists of that.
 */
const isInRoom = (path: string, format: FolderFormat): boolean => {
  const [top = "", ...below] = path.split("/");
  return below.length > 0 ? formats.some((one) => holds(one, top)) : ownerOf(path, format) !== undefined;
};

/**
 * A signature, with what it says of the other signatures' files set right. Those formats that answer for theirs are no
 * difference where its own tool passes over them, and not unlisted where it was told to leave them out. A file under such
 * a name for which nobody answers is an added one, also where it was left out: room was left for a signature, not for anything.
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
  // Somebody's bytes under a signature are others, even where no path can be named.
  const tampered = one.outcome === "tampered" && found.length === 0;
  return differences.length === 0 && !tampered
    ? { ...one, outcome: "signed", unlisted }
    : { ...one, outcome: "tampered", differences, unlisted };
}

/**
 * The formats whose signatures answer for their own files: by a publisher of the policy, in force, over the very files that
 * are there. Two may each need the other: what is left when those that fail are taken away, one by one. Where the policy
 * denies what any signature finds, one that fails says so itself, and that its file is there needs no finding of its own.
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
 * A skill's signatures as this policy sees them. Each format has rules about files that it does not list, and another
 * signature's are such files: they count as signed where that signature is good by a publisher of the policy and the
 * format's own tool would not mind them. Nothing else is let pass that is not without this.
 *
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

/** How two formats go together in one skill, and what to do otherwise. */
function remedyOf(one: Format, other: Format): string {
  const leaveOut = `leave ${one.file} or ${other.file} out`;
  const [registry, own] = one.byRegistry ? [one, other] : [other, one];
  if (registry.byRegistry)
    return `have the registry sign the skill without ${own.file} and make ${own.file} after that, or ${leaveOut}`;
  const [first, later] = one.leavesRoomFor === undefined ? [other, one] : [one, other];
  if (first.leavesRoomFor === undefined) return `${leaveOut}: their formats do not go together`;
  return `make ${first.file} anew with room for the other (skill-admission sign --beside ${later.name}), then ${later.file}, or ${leaveOut}`;
}

/** What is said of an added file that is another signature's; undefined of any other. */
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
