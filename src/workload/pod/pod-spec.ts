import { assertContainerPath, cleanPath, componentsOf, isBelow } from "./container-path.ts";
import { environmentOf, expand, type Environment } from "./environment.ts";
import { environmentSources, type EnvironmentSources } from "./environment-sources.ts";
import { defined, type Fields } from "../../text/fields.ts";
import { fieldsAt, flagAt, listAt, malformed, optionalText, textAt } from "../../kubernetes/read-fields.ts";
import { podLimits } from "./limits.ts";
import { behindLinks } from "./process-links.ts";
import type { WalkedPod } from "./pod-subject.ts";
import {
  containerSecurity,
  sharedProcesses,
  type ContainerSecurity,
  type SharedProcesses,
} from "./security-context.ts";
import { volumeOf, type Volume } from "./volume.ts";

/** One entry of a container's `volumeMounts`. */
export interface Mount {
  readonly volume: Volume;
  /** Absolute and clean. */
  readonly path: string;
  /** As written. */
  readonly spelling: string;
  /** The mounted file or folder of the volume, clean; empty: the whole volume; undefined: it may be any of them. */
  readonly subPath: string | undefined;
  readonly readOnly: boolean;
  /** The reason why it is in doubt what the mount shows, or where, with its remedy. */
  readonly fault?: string;
}

/** A file that the kubelet makes, or a device, at a path of its own. */
export interface KubeletFile {
  /** The field that asks for it, `spec.containers[0].volumeDevices[0].devicePath`. */
  readonly field: string;
  /** The volume behind a device; absent for a file. */
  readonly device?: Volume;
}

export interface Container {
  readonly name: string;
  readonly ephemeral: boolean;
  readonly mounts: readonly Mount[];
  readonly environment: Environment;
  /** Where the values come from that the pod itself does not hold. */
  readonly environmentSources: EnvironmentSources;
  /** Empty if the pod leaves it to its controller. */
  readonly image: string;
  /** Its image before the update under review; absent if that leaves it. */
  readonly earlierImage?: string;
  readonly security: ContainerSecurity;
  readonly workingDir: string | undefined;
  /** Files and devices of the kubelet's own, by clean absolute path. */
  readonly kubeletFiles: ReadonlyMap<string, KubeletFile>;
}

/** A pod's parsed volumes and containers: they decide which files are visible. */
export interface PodSpec {
  readonly namespace: string;
  /** Path of the spec in the object, `spec.template.spec`, for messages. */
  readonly field: string;
  readonly volumes: ReadonlyMap<string, Volume>;
  /** Names of volumes that some container can write to. */
  readonly writable: ReadonlySet<string>;
  /** The field by which containers reach each other's files through `/proc`; absent: they do not. */
  readonly sharedProcesses?: SharedProcesses;
  /** Init containers, then containers, then ephemeral ones. */
  readonly containers: readonly Container[];
}

/** Names of containers for messages: some of many. */
export function quotedNames(containers: readonly Container[]): string {
  const shown = containers.slice(0, 3).map(({ name }) => JSON.stringify(name));
  return [...shown, ...(containers.length > 3 ? [`${containers.length - 3} more`] : [])].join(" and ");
}

const containerLists = ["initContainers", "containers", "ephemeralContainers"] as const;

/**
 * Parses a pod's volumes and containers.
 * @throws SourceError SOURCE_MALFORMED or LIMIT_EXCEEDED naming the field
 */
export function readPodSpec(pod: WalkedPod): PodSpec {
  const volumes = new Map<string, Volume>();
  const field = `${pod.field}.volumes`;
  for (const [index, entry] of listAt(pod.spec["volumes"], field, podLimits.volumes).entries()) {
    const volume = volumeOf(entry, `${field}[${index}]`);
    if (volumes.has(volume.name))
      throw malformed(`${field}[${index}].name`, "is the name of another volume too");
    volumes.set(volume.name, volume);
  }
  const containers = containerLists.flatMap((list) =>
    listAt(pod.spec[list], `${pod.field}.${list}`, podLimits.containers).map((entry, index) =>
      readContainer(entry, `${pod.field}.${list}[${index}]`, volumes, pod),
    ),
  );
  const { namespace } = pod;
  return {
    namespace,
    field: pod.field,
    volumes,
    containers,
    writable: writableOf(containers),
    ...defined({ sharedProcesses: sharedProcesses(pod) }),
  };
}

function writableOf(containers: readonly Container[]): ReadonlySet<string> {
  const mounts = containers.flatMap((container) => container.mounts);
  return new Set(
    mounts.filter(({ volume, readOnly }) => !volume.readOnly && !readOnly).map(({ volume }) => volume.name),
  );
}

function readContainer(
  entry: unknown,
  field: string,
  volumes: ReadonlyMap<string, Volume>,
  pod: WalkedPod,
): Container {
  const fields = fieldsAt(entry, field);
  const ephemeral = field.startsWith(`${pod.field}.ephemeralContainers`);
  const environment = environmentOf(fields, field, pod);
  const mounts = listAt(fields["volumeMounts"], `${field}.volumeMounts`, podLimits.mounts).map(
    (mount, index) => readMount(mount, `${field}.volumeMounts[${index}]`, volumes, environment),
  );
  const name = textAt(fields["name"], `${field}.name`);
  const image = optionalText(fields["image"], `${field}.image`) ?? "";
  const before = pod.imagesBefore?.get(name);
  return {
    name,
    ephemeral,
    mounts,
    environment,
    environmentSources: environmentSources(fields, field, environment),
    image,
    ...defined({ earlierImage: before === image ? undefined : before }),
    security: containerSecurity(fields, field, pod),
    workingDir: optionalText(fields["workingDir"], `${field}.workingDir`),
    kubeletFiles: kubeletFilesOf(fields, field, volumes),
  };
}

/**
 * The kubelet mounts a writable file at `terminationMessagePath` and a device at each `devicePath`, over whatever is
 * there: either could replace a file of a skill.
 */
function kubeletFilesOf(
  container: Fields,
  field: string,
  volumes: ReadonlyMap<string, Volume>,
): ReadonlyMap<string, KubeletFile> {
  const files = new Map<string, KubeletFile>();
  const add = (value: unknown, at: string, device?: Volume): void => {
    const path = optionalText(value, at);
    if (path === undefined) return;
    assertContainerPath(path, at);
    for (const place of [cleanPath(path), behindLinks(path, "/") ?? cleanPath(path)])
      files.set(place, { field: at, ...defined({ device }) });
  };
  add(container["terminationMessagePath"], `${field}.terminationMessagePath`);
  const devices = listAt(container["volumeDevices"], `${field}.volumeDevices`, podLimits.mounts);
  for (const [index, device] of devices.entries()) {
    const at = `${field}.volumeDevices[${index}]`;
    const { name, devicePath } = fieldsAt(device, at);
    add(devicePath, `${at}.devicePath`, typeof name === "string" ? volumes.get(name) : undefined);
  }
  return files;
}

function readMount(
  entry: unknown,
  field: string,
  volumes: ReadonlyMap<string, Volume>,
  environment: Environment,
): Mount {
  const fields = fieldsAt(entry, field);
  const name = textAt(fields["name"], `${field}.name`);
  const volume = volumes.get(name);
  if (volume === undefined) {
    throw malformed(
      `${field}.name`,
      `names the volume ${JSON.stringify(name.slice(0, 80))}, which the pod does not have; add it`,
    );
  }
  const spelling = textAt(fields["mountPath"], `${field}.mountPath`);
  assertContainerPath(spelling, `${field}.mountPath`);
  const path = cleanPath(spelling);
  const sub = readSubPath(fields, field, environment);
  const fault = sub.fault ?? mountFault(path, spelling, field);
  return {
    volume,
    path,
    spelling,
    subPath: sub.subPath,
    readOnly: flagAt(fields["readOnly"], `${field}.readOnly`),
    ...defined({ fault }),
  };
}

/** A component that begins as the kubelet's own entries do: every file of a volume is reached through its link `..data`. */
const reserved = (path: string): string | undefined =>
  componentsOf(path).find((name) => name.startsWith(".."));

function mountFault(path: string, spelling: string, field: string): string | undefined {
  if (path === "/") return `${field}.mountPath is the container's root; mount a folder below it`;
  if (behindLinks(spelling, "/") !== path)
    return `${field}.mountPath goes through links of /proc, which lead elsewhere; write out where`;
  const name = reserved(path);
  if (name === undefined) return undefined;
  return `${field}.mountPath goes through ${JSON.stringify(name)}, which is the kubelet's own; mount it elsewhere`;
}

type SubPath = Pick<Mount, "subPath" | "fault">;

function readSubPath(fields: Fields, field: string, environment: Environment): SubPath {
  const plain = optionalText(fields["subPath"], `${field}.subPath`);
  const expression = optionalText(fields["subPathExpr"], `${field}.subPathExpr`);
  if (plain !== undefined && expression !== undefined) {
    throw malformed(`${field}.subPathExpr`, "stands beside subPath; keep one of them");
  }
  if (expression === undefined) return checkSubPath(plain ?? "", `${field}.subPath`);
  // The kubelet refuses an empty value as it does a missing one.
  const expanded = expand(expression, (name) => environment.get(name) || undefined);
  if (expanded !== undefined) return checkSubPath(expanded, `${field}.subPathExpr`);
  const fault = `${field}.subPathExpr has variables whose values only the node knows; write the path out as subPath`;
  return { subPath: undefined, fault };
}

function checkSubPath(subPath: string, at: string): SubPath {
  assertContainerPath(subPath, at);
  const components = componentsOf(subPath);
  if (subPath.startsWith("/"))
    return { subPath: undefined, fault: `${at} is absolute; write it relative to the volume` };
  const name = reserved(subPath);
  if (name === undefined) return { subPath: components.join("/") };
  const fault = `${at} goes through ${JSON.stringify(name)}, which is the kubelet's own; name the file or folder itself`;
  if (components.includes("..")) return { subPath: undefined, fault };
  // Through the kubelet's own folder, at the volume's root, a path leads to the same files as without it.
  return { subPath: components.slice(components[0] === name ? 1 : 0).join("/"), fault };
}

/**
 * The paths at which a mount may lie: the kubelet's own folders are links, and so are some of `/proc`, through which it
 * lands where they lead.
 */
export function placesOf({ path, spelling }: Mount): readonly string[] {
  const led = behindLinks(spelling, "/") ?? path;
  if (!path.includes("/..")) return led === path ? [path] : [path, led];
  const names = componentsOf(path).filter((name) => !name.startsWith(".."));
  return [...new Set([path, `/${names.join("/")}`, led])];
}

/** Folders that a mount's path enters and leaves again by `..`, in order. */
export function foldersOnTheWay({ spelling, path }: Mount): readonly string[] {
  if (!spelling.includes("..")) return [];
  const way: string[] = [];
  let at = "/";
  for (const component of componentsOf(spelling)) {
    at = cleanPath(`${at}/${component}`);
    way.push(at);
  }
  return way.filter((folder) => folder !== path && !isBelow(folder, path));
}
