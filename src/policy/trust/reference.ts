import type { SigstoreRootSpec } from "../resource/sigstore-root.ts";
import { sha256 } from "../../skill/digest.ts";

/** A key of a ConfigMap or Secret in the controller's own namespace. */
export interface ObjectReference {
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
  readonly key: string;
}

/** A file that a TUF repository publishes (The Update Framework, version 1). */
export interface MirrorReference {
  readonly kind: "TUF";
  /** Base URL of its metadata, without a slash at the end. */
  readonly mirror: string;
  /** Text of the root.json from which trust in it starts. */
  readonly root: string;
  /** Path of the file in the repository. */
  readonly target: string;
}

/** Where the text of a trusted root is, that does not stand in its SkillTrustRoot. */
export type TrustReference = ObjectReference | MirrorReference;

/** A reference, and the entry that has it: `trust-root/entry`. */
export interface NamedReference {
  readonly name: string;
  readonly reference: TrustReference;
}

/** What a reference leads to at present. With both members: the last text that was good, and why there is none newer. */
export interface ResolvedReference {
  readonly text?: string;
  /** Why there is none, one sentence with the remedy. The same words as long as the same is wrong. */
  readonly fault?: string;
}

/** Port: what each reference leads to. Answers at once, from memory. */
export type TrustReferenceResolver = (reference: TrustReference) => ResolvedReference;

/** For where nothing is read but what stands in the resources themselves. */
export const resolveNothing: TrustReferenceResolver = ({ kind }) => ({
  fault: `no ${kind === "TUF" ? "mirror is asked" : `${kind} is read`} here; write the trusted root into the SkillTrustRoot`,
});

/** The same for two references that lead to the same text. */
export const referenceKey = (reference: TrustReference): string =>
  reference.kind === "TUF"
    ? JSON.stringify([reference.kind, reference.mirror, reference.target, sha256(reference.root)])
    : JSON.stringify([reference.kind, reference.name, reference.key]);

/** A mirror's URL as it is compared: what the URL standard writes, without slashes at the end. */
export function normalMirror(mirror: string): string {
  const text = URL.parse(mirror)?.href ?? mirror;
  let end = text.length;
  while (end > 0 && text[end - 1] === "/") end -= 1;
  return text.slice(0, end);
}

/** The file that Sigstore's own repository has it in. */
const usualTarget = "trusted_root.json";

/** The object or mirror that an entry names, if it does. */
export function objectReference({ trustedRootFrom }: SigstoreRootSpec): ObjectReference | undefined {
  if (trustedRootFrom?.configMap !== undefined) return { kind: "ConfigMap", ...trustedRootFrom.configMap };
  if (trustedRootFrom?.secret !== undefined) return { kind: "Secret", ...trustedRootFrom.secret };
  return undefined;
}

export const mirrorReference = ({ tuf }: SigstoreRootSpec): MirrorReference | undefined =>
  tuf && { kind: "TUF", mirror: normalMirror(tuf.mirror), root: tuf.root, target: tuf.target ?? usualTarget };

/** Everything that a trust root refers to. */
export const referencesOf = (
  root: string,
  entries: readonly SigstoreRootSpec[] = [],
): readonly NamedReference[] =>
  entries.flatMap((entry) =>
    [objectReference(entry), mirrorReference(entry)].flatMap((reference) =>
      reference === undefined ? [] : [{ name: `${root}/${entry.name}`, reference }],
    ),
  );
