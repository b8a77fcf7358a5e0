import { UsageError } from "../command-line.ts";

/** Other forms than ConfigMaps for `kubectl apply -f -`. */
export const packageForms = ["deployment-patch", "kustomize"] as const;

type PackageForm = (typeof packageForms)[number];

export interface PackageCommandOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly mountPath?: string;
  readonly output: "yaml" | "json";
  /** Image of an example pod, written with the ConfigMaps. */
  readonly withPod?: string;
  /** Writes only the pod's part: volume and mount. */
  readonly podSnippet?: boolean;
  readonly as?: PackageForm;
  /** Container that mounts the skill. */
  readonly container: string;
  /** Deployment that a kustomize Component patches. */
  readonly deployment?: string;
  /** Folder of a kustomize Component. */
  readonly to?: string;
}

/** @throws UsageError for options that are of no use together */
function assertForm({ as, to, deployment, output }: PackageCommandOptions): void {
  if (as === "kustomize") {
    if (to === undefined)
      throw new UsageError("--as kustomize writes files, and no folder is named", "name one with --to");
    if (output === "json") throw new UsageError("--as kustomize writes YAML only", "leave --output out");
  } else if (to !== undefined || deployment !== undefined)
    throw new UsageError("--to and --deployment go with --as kustomize", "add it, or leave them out");
}

/** A mount path must name exactly one place. */
function assertMountPath(path: string): void {
  const clean =
    path.startsWith("/") && !/\/\/|\/\.{1,2}(?:\/|$)|:|[\u0000-\u001f]/.test(path) && path !== "/";
  if (clean) return;
  throw new UsageError(
    `--mount-path ${JSON.stringify(path)} is not a clean absolute path`,
    `write it as /skills/NAME`,
  );
}

/** The API server would refuse the name, and YAML would carry it there. */
function assertLabel(flag: string, name: string | undefined, what: string): void {
  if (name === undefined || /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return;
  throw new UsageError(
    `${flag} ${JSON.stringify(name.slice(0, 100))} cannot be the name of ${what}`,
    `use at most 63 lower-case letters, digits and inner "-"`,
  );
}

/**
 * @param mountPath that of the options, or the usual one
 * @throws UsageError for values that no object can have, and for options that are of no use together
 */
export function assertOptions(options: PackageCommandOptions, mountPath: string): void {
  assertForm(options);
  assertMountPath(mountPath);
  assertLabel("--namespace", options.namespace, "a namespace");
  assertLabel("--container", options.container, "a container");
  assertLabel("--deployment", options.deployment, "a Deployment");
}
