import { nameOf } from "../../kubernetes/object.ts";
import { resolveAmong } from "../../policy/trust/object-reference.ts";
import type { MirrorReference, TrustReferenceResolver } from "../../policy/trust/reference.ts";
import type { Manifest } from "../files/manifests.ts";

/** True if a text is TUF root metadata; its signatures are checked when the mirror is contacted. */
function isRootMetadata(text: string): boolean {
  try {
    const { signed } = JSON.parse(text) as { readonly signed?: { readonly _type?: unknown } | null };
    return signed?._type === "root";
  } catch {
    return false;
  }
}

/** The reason why a mirror gives this command no text. */
export const mirrorFault = ({ mirror, root }: MirrorReference): string =>
  isRootMetadata(root)
    ? `${mirror} is not asked by this command, which goes by what stands beside tuf (trustedRoot, clientTrustConfig, instance or trustedRootFrom)`
    : `root is not the text of a root.json; give one of the repository ${mirror}`;

/**
 * Resolves references among the files of a call. The controller's namespace is not known here: the one object of a
 * name counts.
 */
export const resolverOf =
  (manifests: readonly Manifest[]): TrustReferenceResolver =>
  (reference) => {
    if (reference.kind === "TUF") return { fault: mirrorFault(reference) };
    const found = manifests.filter(
      ({ object }) =>
        object.apiVersion === "v1" && object.kind === reference.kind && nameOf(object) === reference.name,
    );
    return resolveAmong(
      reference,
      found.map(({ object }) => object),
      undefined,
    );
  };
