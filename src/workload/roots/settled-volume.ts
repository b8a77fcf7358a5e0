import type { Volume } from "../pod/volume.ts";

/** Whether a volume shows the keys of objects, all under their own names: keys hold no folders. */
export const isFlat = ({ parts }: Volume): boolean =>
  parts.every((part) => part.from === "object" && part.items === undefined);

/** Whether the pod names every file of a volume, as of a token of the kubelet's, or its files hold no folders. */
export const isSettled = ({ parts }: Volume): boolean =>
  parts.every((part) => part.from === "object" || part.paths !== undefined);
