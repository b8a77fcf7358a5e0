import type { KubernetesObject } from "../../../kubernetes/object.ts";
import { objectName } from "./scalars.ts";

/** `metadata.name`, or undefined if the API server would refuse it. */
export function nameOf(object: KubernetesObject): string | undefined {
  const metadata: unknown = object.metadata;
  if (typeof metadata !== "object" || metadata === null || !("name" in metadata)) return undefined;
  const result = objectName.safeParse(metadata.name);
  return result.success ? result.data : undefined;
}
