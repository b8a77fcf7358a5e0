import type { Place, SkillReference } from "../../skill/reference.ts";
import { baseName } from "../../skill/path.ts";
import { cleanPath, isBelow } from "../pod/container-path.ts";
import { behindLinks } from "../pod/process-links.ts";
import type { Container, PodSpec } from "../pod/pod-spec.ts";
import type { Volume } from "../pod/volume.ts";

/** A folder of the node that holds other pods' volumes, or the state of the container runtime. */
export interface HostFolder {
  readonly path: string;
  readonly of: string;
  readonly source: string;
}

const kubelet = "https://kubernetes.io/docs/reference/node/kubelet-files/";
const containerd = "https://github.com/containerd/containerd/blob/main/docs/ops.md";
const crio = "https://github.com/containers/storage/blob/main/docs/containers-storage.conf.5.md";
const docker = "https://docs.docker.com/engine/daemon/";
const k3s = "https://docs.k3s.io/cli/agent";

/** Known folders; docs/roots.md is generated from these. */
export const hostRuntimeFolders: readonly HostFolder[] = [
  { path: "/var/lib/kubelet", of: "kubelet", source: kubelet },
  { path: "/var/lib/k0s/kubelet", of: "kubelet (k0s)", source: "https://docs.k0sproject.io/stable/" },
  {
    path: "/var/snap/microk8s/common",
    of: "kubelet and containerd (MicroK8s)",
    source: "https://canonical.com/microk8s/docs",
  },
  { path: "/var/lib/containerd", of: "containerd", source: containerd },
  { path: "/run/containerd", of: "containerd", source: containerd },
  { path: "/var/lib/k0s/containerd", of: "containerd (k0s)", source: "https://docs.k0sproject.io/stable/" },
  { path: "/var/lib/rancher/k3s/agent", of: "containerd (K3s)", source: k3s },
  { path: "/var/lib/rancher/rke2/agent", of: "containerd (RKE2)", source: "https://docs.rke2.io/" },
  { path: "/run/k3s", of: "containerd (K3s, RKE2)", source: k3s },
  { path: "/var/lib/containers", of: "CRI-O", source: crio },
  { path: "/run/containers", of: "CRI-O", source: crio },
  { path: "/run/crio", of: "CRI-O", source: crio },
  { path: "/var/lib/docker", of: "Docker", source: docker },
  { path: "/run/docker", of: "Docker", source: docker },
  { path: "/run/docker.sock", of: "Docker", source: docker },
  { path: "/run/cri-dockerd.sock", of: "Docker", source: docker },
  {
    path: "/proc",
    of: "processes of all containers",
    source: "https://man7.org/linux/man-pages/man5/proc_pid_root.5.html",
  },
];

/** What the kernel shows of no process, such as `/proc/sys`: links of a process lead to all of its files. */
const ofNoProcess = /^\/proc\/(?!self(?:\/|$)|thread-self(?:\/|$)|\d)/;

/** Folders of the kubelet that hold sockets and device records only: plugins of the node need them. */
export const harmlessKubeletFolders: readonly string[] = [
  "/var/lib/kubelet/device-plugins",
  "/var/lib/kubelet/plugins_registry",
  "/var/lib/kubelet/pod-resources",
];

const atOrBelow = (folder: string, path: string): boolean => path === folder || isBelow(folder, path);

/** The folder of the table that a host path gives access to. */
function reached(hostPath: string): HostFolder | undefined {
  const clean = behindLinks(hostPath, undefined) ?? cleanPath(hostPath);
  // On today's nodes /var/run is a link to /run.
  const path = atOrBelow("/var/run", clean) ? clean.slice("/var".length) : clean;
  if (harmlessKubeletFolders.some((folder) => atOrBelow(folder, path)) || ofNoProcess.test(path))
    return undefined;
  return hostRuntimeFolders.find((folder) => atOrBelow(folder.path, path) || atOrBelow(path, folder.path));
}

const hostPathOf = ({ kind, parts: [part] }: Volume): string | undefined =>
  kind === "HostPath" ? part?.name : undefined;

/** Whether a volume gives access to the node's runtime. */
export function isHostRuntime(volume: Volume): boolean {
  const path = hostPathOf(volume);
  return path !== undefined && reached(path) !== undefined;
}

/** One reference for each of a container's mounts that give access to the node's runtime, wherever it lies. */
export function hostRuntimeReferences(
  container: Container,
  { writable }: PodSpec,
): readonly SkillReference[] {
  return container.mounts.flatMap(({ volume, path }) => {
    const name = hostPathOf(volume);
    const folder = name === undefined ? undefined : reached(name);
    if (name === undefined || folder === undefined) return [];
    const isWritable = writable.has(volume.name);
    const place: Place = {
      rule: isWritable ? "hostRuntime" : "hostRuntimeReadOnly",
      why: `the host path gives access to ${folder.path} of the node (${folder.of}), with the files of other pods`,
      remedy: "mount a narrower host path",
    };
    const detail = `the volume ${JSON.stringify(volume.name)} is the host path ${name}, mounted ${isWritable ? "writable" : "read-only"}`;
    return [
      {
        name: baseName(path),
        path,
        containers: [container.name],
        sources: [{ kind: "HostPath", name, writable: isWritable }],
        content: { state: "unverifiable", kind: "HostPath", detail, place },
      },
    ];
  });
}
