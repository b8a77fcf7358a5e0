import { isFields } from "../text/fields.ts";
import { metadataOf, type KubernetesObject } from "./object.ts";

/**
 * The client that wrote an object last, as `metadata.managedFields` has it: a name that the client gave itself, such as
 * `kubectl-edit`. Who was behind it is in the API server's audit log.
 */
export interface Writer {
  readonly manager: string;
  /** RFC 3339, to the second. */
  readonly time?: string;
}

/** Entries that are looked at: the API server itself keeps about ten of updates. */
const maxEntries = 100;

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value.slice(0, 128) : undefined;

/** Undefined where the object does not say. Whoever wrote a subresource, such as the status, is no writer. */
export function writerOf(object: KubernetesObject): Writer | undefined {
  const { managedFields } = metadataOf(object);
  const entries: readonly unknown[] = Array.isArray(managedFields) ? managedFields.slice(0, maxEntries) : [];
  let last: Writer | undefined;
  for (const entry of entries) {
    if (!isFields(entry) || textOf(entry["subresource"]) !== undefined) continue;
    const [manager, time] = [textOf(entry["manager"]), textOf(entry["time"])];
    if (manager === undefined || (last?.time ?? "") > (time ?? "")) continue;
    last = { manager, ...(time === undefined ? {} : { time }) };
  }
  return last;
}
