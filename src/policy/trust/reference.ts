import type { SigstoreRootSpec } from "../resource/sigstore-root.ts";
import { sha256 } from "../../skill/digest.ts";

/** A key of a ConfigMap or Secret in the controller's own namespace. */
export interface ObjectReference {
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
  readonly key: string;
}

/** A target file of a TUF repository (The Update Framework, version 1). */
export interface MirrorReference {
  readonly kind: "TUF";
  /** Base URL of its metadata, without trailing slash. */
  readonly mirror: string;
  /** Text of the initial trusted root.json. */
  readonly root: string;
  /** Path of the target in the repository. */
  readonly target: string;
}

/** Location of a trusted root outside of its SkillTrustRoot. */
export type TrustReference = ObjectReference | MirrorReference;

/** A reference and its entry: `trust-root/entry`. */
export interface NamedReference {
  readonly name: string;
  readonly reference: TrustReference;
}

/**
 * Current result of a reference. With both members: the last good text, and the reason why there is no newer one.
 */
export interface ResolvedReference {
  readonly text?: string;
  /** Reason why there is no text: one sentence with the remedy, stable while the fault lasts. */
  readonly fault?: string;
}

/** Port: resolves references. Answers at once, from memory. */
export type TrustReferenceResolver = (reference: TrustReference) => ResolvedReference;

/** Resolves no reference: for calls that read only the resources themselves. */
export const resolveNothing: TrustReferenceResolver = ({ kind }) => ({
  fault: `no ${kind === "TUF" ? "mirror is asked" : `${kind} is read`} here; write the trusted root into the SkillTrustRoot`,
});

/** Equal for references to the same text. */
export const referenceKey = (reference: TrustReference): string =>
  reference.kind === "TUF"
    ? JSON.stringify([reference.kind, reference.mirror, reference.target, sha256(reference.root)])
    : JSON.stringify([reference.kind, reference.name, reference.key]);

/** A mirror's URL, normalised by the URL standard (WHATWG), without trailing slashes. */
export function normalMirror(mirror: string): string {
  const text = URL.parse(mirror)?.href ?? mirror;
  let end = text.length;
  while (end > 0 && text[end - 1] === "/") end -= 1;
  return text.slice(0, end);
}

/** Path of the trusted root in Sigstore's own repository. */
const usualTarget = "trusted_root.json";

/** The object that an entry refers to, if any. */
export function objectReference({ trustedRootFrom }: SigstoreRootSpec): ObjectReference | undefined {
  if (trustedRootFrom?.configMap !== undefined) return { kind: "ConfigMap", ...trustedRootFrom.configMap };
  if (trustedRootFrom?.secret !== undefined) return { kind: "Secret", ...trustedRootFrom.secret };
  return undefined;
}

export const mirrorReference = ({ tuf }: SigstoreRootSpec): MirrorReference | undefined =>
  tuf && { kind: "TUF", mirror: normalMirror(tuf.mirror), root: tuf.root, target: tuf.target ?? usualTarget };

/** All references of a trust root. */
export const referencesOf = (
  root: string,
  entries: readonly SigstoreRootSpec[] = [],
): readonly NamedReference[] =>
  entries.flatMap((entry) =>
    [objectReference(entry), mirrorReference(entry)].flatMap((reference) =>
      reference === undefined ? [] : [{ name: `${root}/${entry.name}`, reference }],
    ),
  );
