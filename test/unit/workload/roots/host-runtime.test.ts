import { describe, expect, it } from "vitest";
import { findSkills } from "../../../../src/workload/find-skills.ts";
import { readPodSpec } from "../../../../src/workload/pod/pod-spec.ts";
import { harmlessKubeletFolders, hostRuntimeFolders } from "../../../../src/workload/roots/host-runtime.ts";
import { mount, podWith, volume, type Part } from "../../../fixtures/pods.ts";

const rulesOf = (hostPath: string, more: Part = {}, mountPath = "/host") =>
  findSkills(
    readPodSpec(podWith([volume("v", { hostPath: { path: hostPath } })], [mount("v", mountPath, more)])),
    [],
    new Map(),
  ).map(({ content }) => (content.state === "unverifiable" ? content.place?.rule : content.state));

describe("a host path that gives access to the node's runtime", () => {
  const reaching = [
    ...["/", "/var", "/var/lib", "/run", "/var/run", "/var/lib/kubelet/pods", "/var/lib/kubelet/plugins/x"],
    ...[
      "/var/run/docker.sock",
      "/var/run/containerd/containerd.sock",
      "/var/lib/../lib/kubelet",
      "//var//lib/",
    ],
    ...hostRuntimeFolders.map(({ path }) => path),
    ...["/proc/1", "/proc/self/cwd", "/proc/1/task/1/fd/3", "/proc/1/root", "/proc/1/root/var/lib/kubelet"],
    ...["/proc/thread-self/../../root", "/proc/self/root/run", "/dev/fd/../root/var"],
  ];

  it.each(reaching)("counts wherever it is mounted: %s", (path) => {
    for (const at of ["/host", "/data", "/var/log/x"]) {
      expect(rulesOf(path, {}, at)).toEqual(["hostRuntime"]);
      expect(rulesOf(path, { readOnly: true }, at)).toEqual(["hostRuntimeReadOnly"]);
    }
  });

  it.each([
    ...[
      "/var/log",
      "/var/log/pods",
      "/etc",
      "/opt",
      "/srv",
      "/proc/sys/net",
      "/proc/cpuinfo",
      "/process",
      "/sys",
      "/dev",
      "/var/lib/kubelets",
      "/runner",
    ],
    ...harmlessKubeletFolders,
  ])("is none: %s", (path) => {
    expect(rulesOf(path)).toEqual([]);
  });

  it("is none of a process's link that leads elsewhere", () => {
    expect(rulesOf("/proc/1/root/srv")).toEqual([]);
  });

  it("counts as what it is at a root too", () => {
    expect(rulesOf("/", {}, "/skills")).toEqual(["root", "hostRuntime"]);
  });
});
