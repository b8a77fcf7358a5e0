import { describe, expect, it } from "vitest";

import { distinctPods } from "../../../src/workload/distinct-pods.ts";
import type { PodSubject } from "../../../src/workload/pod/pod-subject.ts";
import {
  configMap,
  container,
  mount,
  pod,
  tokenMount,
  tokenVolume,
  volume,
  type Part,
} from "../../fixtures/pods.ts";

const skill = volume("skill", configMap("skills"));
const atRoot = mount("skill", "/skills/x");

/** A replica as the API server stores it: its token's volume has a name of its own. */
function replica(name: string, more: Part = {}, mounts: readonly Part[] = [atRoot]): PodSubject {
  const token = `kube-api-access-${name}`;
  const agent = container("agent", [...mounts, tokenMount(token)], more);
  return pod({ name, volumes: [skill, tokenVolume(token)], containers: [agent] });
}

const reads = (name: string, fieldPath: string): Part => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const noRule = (): string => "";
const noPause = (): Promise<void> => Promise.resolve();
const names = async (...pods: readonly PodSubject[]): Promise<readonly string[]> =>
  (await distinctPods(pods, noRule, noPause)).map(({ name }) => name);

describe("distinctPods", () => {
  it("leaves one of the replicas of a template, each with its account's token", async () => {
    expect(await names(replica("a"), replica("b"), replica("c"))).toEqual(["a"]);
    expect(await names()).toEqual([]);
  });

  it.each<[string, Part]>([
    ["its name", { env: [reads("POD_NAME", "metadata.name")] }],
    ["its address, which is in no path that can be known", { env: [reads("HOME", "status.podIP")] }],
    ["its labels", { env: [reads("TEAM", "metadata.labels['team']")] }],
    ["nothing", { env: [{ name: "HOME", value: "/home/agent" }] }],
  ])("takes replicas for alike whose variables read %s", async (_, more) => {
    expect(await names(replica("a", more), replica("b", more))).toEqual(["a"]);
  });

  it.each<[string, Part, (readonly Part[])?]>([
    [
      "a mount's subPathExpr",
      { env: [reads("POD_NAME", "metadata.name")] },
      [mount("skill", "/skills/x", { subPathExpr: "$(POD_NAME)" })],
    ],
    ["the home", { env: [reads("HOME", "metadata.name")] }],
    ["a variable that moves a root", { env: [reads("CLAUDE_CONFIG_DIR", "metadata.name")] }],
    [
      "another variable",
      { env: [reads("POD_NAME", "metadata.name"), { name: "HOME", value: "/data/$(POD_NAME)" }] },
    ],
  ])("takes no two pods for alike whose name comes into %s", async (_, more, mounts) => {
    expect(await names(replica("a", more, mounts), replica("b", more, mounts))).toEqual(["a", "b"]);
  });

  it.each<[string, PodSubject]>([
    ["another place", replica("b", {}, [mount("skill", "/skills/y")])],
    ["another key", replica("b", {}, [mount("skill", "/skills/x", { subPath: "SKILL.md" })])],
    ["another working directory", replica("b", { workingDir: "/work" })],
    ["no token", pod({ name: "b", volumes: [skill], containers: [container("agent", [atRoot])] })],
  ])("tells pods apart by %s", async (_, other) => {
    expect(await names(replica("a"), other)).toEqual(["a", "b"]);
    expect(await names(other, replica("a"))).toEqual(["b", "a"]);
  });

  it.each(["hostPID", "shareProcessNamespace"])("tells pods apart by %s", async (field) => {
    const one = replica("a");
    expect(await names(one, { ...replica("b"), spec: { ...one.spec, [field]: true } })).toEqual(["a", "b"]);
  });

  it("tells pods apart that other rules apply to", async () => {
    const pods = [replica("a"), replica("b"), replica("c")];
    const distinct = await distinctPods(pods, ({ name }) => String(name === "b"), noPause);
    expect(distinct.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  it("tells pods apart that mount the same volumes the other way round, by whatever names", async () => {
    const tenant = (name: string, [one, other]: readonly [string, string]): PodSubject =>
      pod({
        name,
        volumes: [volume(one, configMap("signed")), volume(other, configMap("swapped"))],
        containers: [
          container("agent", [
            mount("kube-api-access-aaaaa", "/skills/x"),
            mount("kube-api-access-bbbbb", "/data"),
          ]),
        ],
      });
    const [a, b] = ["kube-api-access-aaaaa", "kube-api-access-bbbbb"] as const;
    expect(await names(tenant("a", [a, b]), tenant("b", [b, a]))).toEqual(["a", "b"]);
  });

  it.each<[string, Part]>([
    ["volumes that are no list", { volumes: {} }],
    ["mounts that are no list", { containers: [{ name: "agent", volumeMounts: {} }] }],
    ["a container that is none", { containers: ["agent"] }],
  ])("does not take a pod with %s for one without any", async (_, more) => {
    const plain = pod({ name: "a", containers: [{ name: "agent" }] });
    expect(await names({ ...plain, name: "b", spec: { ...plain.spec, ...more } }, plain)).toEqual(["b", "a"]);
  });
});
