import type { KubernetesObject } from "../../../kubernetes/object.ts";
import { objectName } from "./scalars.ts";

/** `metadata.name` of an object, or undefined where it is none that the API server would take. */
export function nameOf(object: KubernetesObject): string | undefined {
  const metadata: unknown = object.metadata;
  if (typeof metadata !== "object" || metadata === null || !("name" in metadata)) return undefined;
  const result = objectName.safeParse(metadata.name);
  return result.success ? result.data : undefined;
}
