import type { VolumeObjectRef } from "../skill/source.ts";

/** Names a ConfigMap or Secret among those of one namespace: `ConfigMap/skills-etl`. */
export const volumeObjectKey = (ref: Pick<VolumeObjectRef, "kind" | "name">): string =>
  `${ref.kind}/${ref.name}`;
