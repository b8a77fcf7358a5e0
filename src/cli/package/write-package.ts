import type { PackedConfigMap } from "./config-maps.ts";
import { yamlDocument } from "../files/yaml-document.ts";
import type { PodVolume } from "./pod-volume.ts";

const commented = (text: string): string =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => `# ${line}\n`)
    .join("");

/** Volume and mount, as members of a pod's spec. */
export const podSnippet = ({ volume, mount }: PodVolume, container: string): object => ({
  containers: [{ name: container, volumeMounts: [mount] }],
  volumes: [volume],
});

/**
 * The ConfigMaps as one YAML stream for `kubectl apply -f -`. A pod follows where one is given, else its part as a
 * comment.
 */
export function packageYaml(
  packed: readonly PackedConfigMap[],
  volume: PodVolume,
  { pod, container }: { readonly pod: object | undefined; readonly container: string },
): string {
  const documents: string[] = packed.map(({ manifest }) => yamlDocument(manifest));
  if (pod !== undefined) return [...documents, yamlDocument(pod)].join("---\n");
  const note = `In the pod's spec (0444 is 292, 0555 is 365):\n${yamlDocument(podSnippet(volume, container))}`;
  return `${documents.join("---\n")}${commented(note)}`;
}

/** The same as one JSON `List`, for `kubectl apply -f -`. */
export function packageJson(packed: readonly PackedConfigMap[], pod: object | undefined): string {
  const items: readonly object[] = [
    ...packed.map(({ manifest }) => manifest),
    ...(pod === undefined ? [] : [pod]),
  ];
  return `${JSON.stringify({ apiVersion: "v1", kind: "List", items }, undefined, 2)}\n`;
}
