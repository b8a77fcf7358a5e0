import { metadataOf, type KubernetesObject } from "../../../kubernetes/object.ts";
import { objectName } from "./scalars.ts";

/** `metadata.name`, or undefined if the API server would refuse it. */
export function nameOf(object: KubernetesObject): string | undefined {
  const result = objectName.safeParse(metadataOf(object)["name"]);
  return result.success ? result.data : undefined;
}
