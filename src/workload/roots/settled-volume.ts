import type { Volume, VolumePart } from "../pod/volume.ts";

/** Paths of the files that a part of a volume shows; undefined: not known. Keys hold no folders. */
function namesOf(part: VolumePart): readonly string[] | undefined {
  return part.from === "object" ? (part.items ?? []).map(({ path }) => path) : part.paths;
}

/** Whether the files of a volume lie in no folder of it, such as the keys of a Secret under their own names. */
export const isFlat = ({ parts }: Volume): boolean =>
  parts.every((part) => namesOf(part)?.every((path) => !path.includes("/")) === true);

/** Whether a volume shows keys and files that the pod names only, such as the kubelet's token: no folder beyond these. */
export const isSettled = ({ parts }: Volume): boolean => parts.every((part) => namesOf(part) !== undefined);
