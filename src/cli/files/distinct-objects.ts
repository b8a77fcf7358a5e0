import { isDeepStrictEqual } from "node:util";

import { nameOf, namespaceOf, type KubernetesObject } from "../../kubernetes/object.ts";
import { printable } from "../../text/printable.ts";
import type { CommandLine } from "../command-line.ts";
import { placeOf, readManifests, type Manifest } from "./manifests.ts";

const keyOf = ({ apiVersion, kind, ...object }: KubernetesObject): string =>
  JSON.stringify([apiVersion, kind, namespaceOf(object, ""), nameOf(object)]);

const titleOf = (object: KubernetesObject): string =>
  [object.kind, [namespaceOf(object, ""), nameOf(object)].filter((part) => part !== "").join("/")].join(" ");

/** Of objects that are the same to the last field the first, and a word for each of the others. */
function distinct(manifests: readonly Manifest[]): {
  readonly kept: readonly Manifest[];
  readonly repeated: readonly string[];
} {
  const seen = new Map<string, Manifest[]>();
  const kept: Manifest[] = [];
  const repeated: string[] = [];
  for (const manifest of manifests) {
    const { object } = manifest;
    const before = seen.get(keyOf(object)) ?? [];
    // Of a generated name, every object is another one.
    const twin =
      nameOf(object) === "" ? undefined : before.find((other) => isDeepStrictEqual(other.object, object));
    if (twin === undefined) {
      kept.push(manifest);
      seen.set(keyOf(object), [...before, manifest]);
    } else repeated.push(`${titleOf(object)} is at ${placeOf(twin)} and at ${placeOf(manifest)}`);
  }
  return { kept, repeated };
}

/**
 * Reads manifests, of which objects that are the same in several places count once: applied twice they come to the same.
 * That is said on standard error.
 * @throws UsageError as `readManifests`
 */
export async function readDistinctManifests(
  paths: readonly string[],
  line: Pick<CommandLine, "readStdin" | "stderr">,
  call: string,
): Promise<readonly Manifest[]> {
  const { kept, repeated } = distinct(await readManifests(paths, line, call));
  const [first] = repeated;
  const more = repeated.length > 1 ? ` (and ${repeated.length - 1} more)` : "";
  if (first !== undefined)
    line.stderr.write(`note: ${printable(first, 400)}, the same, and counts once${more}\n`);
  return kept;
}
