import { SourceError } from "../../skill/source-error.ts";
import type { VolumeObject } from "../../skill/source.ts";
import { namespaceOf, type KubernetesObject } from "../../kubernetes/object.ts";
import { decodeVolumeObject, describeRef, withStringData } from "../../kubernetes/volume-object.ts";
import type { ObjectReference, ResolvedReference } from "./reference.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Namespace of a manifest; `default` if it names none, as with kubectl. */
const homeOf = (object: KubernetesObject): string => namespaceOf(object, "default");

/** Text of the key that a reference names, in the object that it names. */
export const referencedText = ({ key }: ObjectReference, object: VolumeObject): ResolvedReference => {
  const file = object.files.get(key);
  if (file === undefined) return { fault: `${describeRef(object)} has no key ${key}; add it` };
  try {
    return { text: utf8.decode(file.bytes) };
  } catch {
    return {
      fault: `${describeRef(object)}: the key ${key} does not hold UTF-8 text; give a trusted_root.json`,
    };
  }
};

/**
 * Resolves a reference to a ConfigMap or Secret among known objects.
 * @param found objects of the reference's kind and name, in any namespace
 * @param namespace the controller's own; undefined if not known, as on a laptop: then the one object of this name
 * counts
 */
export function resolveAmong(
  reference: ObjectReference,
  found: readonly KubernetesObject[],
  namespace: string | undefined,
): ResolvedReference {
  const { kind, name } = reference;
  const own = namespace === undefined ? found : found.filter((one) => homeOf(one) === namespace);
  const [object, another] = own;
  const called = namespace === undefined ? `${kind} ${name}` : describeRef({ kind, namespace, name });
  if (object === undefined) return { fault: `there is no ${called}; create it` };
  if (another !== undefined) {
    const places = own.map(homeOf).sort().join(" and ");
    return { fault: `${called} is in the namespaces ${places}; keep that of the controller's namespace` };
  }
  const ref = { kind, namespace: homeOf(object), name, keys: new Set([reference.key]) };
  try {
    return referencedText(reference, decodeVolumeObject(withStringData(object, ref), ref));
  } catch (error) {
    if (error instanceof SourceError) return { fault: `${error.message}; correct it` };
    throw error;
  }
}
