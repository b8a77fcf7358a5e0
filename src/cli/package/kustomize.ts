import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve, sep } from "node:path";

import { defined } from "../../text/fields.ts";
import { UsageError } from "../command-line.ts";
import { ioMessage } from "../files/file-faults.ts";
import { yamlDocument } from "../files/yaml-document.ts";
import type { PackedConfigMap } from "./config-maps.ts";
import { deploymentPatch } from "./deployment-patch.ts";
import type { PodVolume } from "./pod-volume.ts";

/** First line of every file that is written here, and may be replaced. */
const mark = "# Written by skill-admission package: run it again rather than edit this.\n";

export interface ComponentOptions {
  readonly container: string;
  /** The Deployment that gets the skill; absent: every one of the kustomization. */
  readonly deployment?: string;
}

/** Files of a kustomize Component that adds the ConfigMaps, and mounts them, by their names. */
export function componentFiles(
  packed: readonly PackedConfigMap[],
  volume: PodVolume,
  { container, deployment }: ComponentOptions,
): ReadonlyMap<string, string> {
  const patch = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    // The target below decides which ones; a patch has to have a name all the same.
    metadata: { name: deployment ?? "every-deployment" },
    ...deploymentPatch(volume, container),
  };
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1alpha1",
    kind: "Component",
    resources: ["configmaps.yaml"],
    patches: [{ path: "patch.yaml", target: { kind: "Deployment", ...defined({ name: deployment }) } }],
  };
  const documents: readonly (readonly [string, string])[] = [
    ["configmaps.yaml", packed.map(({ manifest }) => yamlDocument(manifest)).join("---\n")],
    ["patch.yaml", yamlDocument(patch)],
    ["kustomization.yaml", yamlDocument(kustomization)],
  ];
  return new Map(documents.map(([name, text]) => [name, mark + text]));
}

/** @throws UsageError for a file that is there and was not written here */
async function assertOurs(path: string): Promise<void> {
  const there = await readFile(path, "utf8").catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return mark;
    throw cause;
  });
  if (!there.startsWith(mark))
    throw new UsageError(
      `${path} is there already, and was not written by package`,
      "name a folder of its own with --to",
    );
}

/**
 * Writes files into a folder, which is made where it is missing. Those of an earlier call are replaced, others never.
 * @param skill folder of the skill: files in it would be files of the skill
 * @throws UsageError
 */
export async function writeComponent(
  folder: string,
  files: ReadonlyMap<string, string>,
  skill: string,
): Promise<void> {
  if (`${resolve(folder)}${sep}`.startsWith(`${resolve(skill)}${sep}`))
    throw new UsageError(
      `${folder} lies in the skill, and what is written there would be a part of it`,
      "name a folder beside it with --to",
    );
  try {
    await mkdir(folder, { recursive: true });
    for (const name of files.keys()) await assertOurs(join(folder, name));
    for (const [name, text] of files) await writeFile(join(folder, name), text);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`cannot write to ${folder}: ${ioMessage(cause)}`, undefined, { cause });
  }
}
