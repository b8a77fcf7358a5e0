import { isFields } from "../text/fields.ts";
import { walkedFields, type WalkedPod } from "./pod/pod-subject.ts";

/** Identifies all that a walk reads of a pod. */
export interface WalkKey {
  readonly text: string;
  /**
   * The name of its token's volume, which is not in the text: the API server chooses it at random. A walk whose outcome
   * mentions it holds for this pod only. Absent: the text has all names.
   */
  readonly tokenVolume?: string;
}

/** As the API server names the volume of a pod's token (plugin ServiceAccount, `kube-api-access-` and five letters). */
const tokenVolumeName = /^kube-api-access-[a-z0-9]{5}$/;

const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function tokenVolumeOf({ spec }: WalkedPod): string | undefined {
  for (const volume of listIn(spec.volumes)) {
    if (!isFields(volume)) continue;
    const { name, projected } = volume;
    if (typeof name === "string" && isFields(projected) && tokenVolumeName.test(name)) return name;
  }
  return undefined;
}

/** How many entries of a list have this name. */
function namesakes(name: string, list: unknown): number {
  let count = 0;
  for (const one of listIn(list)) if (isFields(one) && one["name"] === name) count += 1;
  return count;
}

/** Number of the places at which a volume's name stands for the volume and nothing else. */
function placesOf(volume: string, { spec }: WalkedPod): number {
  let places = namesakes(volume, spec.volumes);
  for (const containers of [spec.initContainers, spec.containers, spec.ephemeralContainers])
    for (const one of listIn(containers)) if (isFields(one)) places += namesakes(volume, one["volumeMounts"]);
  return places;
}

/** Stands for the token's volume: JSON never holds it. */
const mark = "\0";

/**
 * Equal for two pods only if every walk has the same outcome for both, with one's token volume in the place of the
 * other's.
 *
 * @param extraRoots as the walk gets them
 */
export function walkKey(pod: WalkedPod, extraRoots: readonly string[]): WalkKey {
  const spec = JSON.stringify(walkedFields.map((field) => pod.spec[field]));
  // Complete by its type, as `walkedFields` is: a walk can read no field that the key lacks.
  const rest: { readonly [field in Exclude<keyof WalkedPod, "spec">]-?: unknown } = {
    namespace: pod.namespace,
    // Variables of the downward API alone read it.
    name: spec.includes('"metadata.name"') ? pod.name : undefined,
    isPod: pod.isPod,
    field: pod.field,
    imagesBefore: pod.imagesBefore && [...pod.imagesBefore],
  };
  const others = JSON.stringify([rest, extraRoots]);
  const volume = tokenVolumeOf(pod);
  const pieces = volume === undefined ? [] : spec.split(`"${volume}"`);
  if (volume === undefined || pieces.length - 1 !== placesOf(volume, pod)) return { text: others + spec };
  return { text: others + pieces.join(mark), tokenVolume: volume };
}
