import { podSnippet } from "./write-package.ts";
import type { PodVolume } from "./pod-volume.ts";

/** Strategic merge patch that mounts the volume into a container of a Deployment. */
export const deploymentPatch = (volume: PodVolume, container: string): object => ({
  spec: { template: { spec: podSnippet(volume, container) } },
});
