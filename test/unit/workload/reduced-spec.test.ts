import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { podOf } from "../../../src/workload/carriers/pod-of.ts";
import { objectsToRead } from "../../../src/workload/objects-to-read.ts";
import { readPodSpec, type PodSpec } from "../../../src/workload/pod/pod-spec.ts";
import type { PodSubject } from "../../../src/workload/pod/pod-subject.ts";
import { reducedSpec } from "../../../src/workload/reduced-spec.ts";
import { environmentRequests } from "../../../src/workload/roots/container-variables.ts";
import { movedRoots } from "../../../src/workload/roots/moved-roots.ts";
import { anyPod, manifestOf } from "../../fixtures/generated-pods/pods.ts";
import { popularPods } from "../../fixtures/popular-pods.ts";
import {
  configMap,
  container,
  emptyDir,
  mount,
  pod,
  podWith,
  tokenMount,
  tokenVolume,
  volume,
  type Part,
} from "../../fixtures/pods.ts";
import { runs } from "../../fixtures/property-runs.ts";

const reduced = (subject: PodSubject): PodSubject => ({ ...subject, spec: reducedSpec(subject.spec) });

/** All that is read of a pod's spec; of the variables, what they decide. */
function readOf(subject: PodSubject): unknown {
  const spec = readPodSpec(subject);
  const containers = spec.containers.map((one) => ({
    ...one,
    environment: undefined,
    environmentSources: undefined,
  }));
  const decided = spec.containers.map((one) => [
    movedRoots(one, new Map()),
    environmentRequests(one, subject.namespace),
  ]);
  return [
    { ...spec, containers } satisfies Partial<Record<keyof PodSpec, unknown>>,
    decided,
    objectsToRead(spec, ["/extra"]),
  ];
}

const env = (...variables: readonly (readonly [name: string, value: string | Part])[]): Part => ({
  env: variables.map(([name, value]) =>
    typeof value === "string" ? { name, value } : { name, valueFrom: value },
  ),
});
const key = (name: string): Part => ({ configMapKeyRef: { name, key: "k" } });
const skill = volume("skill", configMap("skills"));
const at = (subPathExpr: string): readonly Part[] => [mount("skill", "/skills/x", { subPathExpr })];

describe("reducedSpec", () => {
  it("keeps all that is read of popular pods", () => {
    for (const { name, spec } of popularPods) {
      const subject = { ...pod({ name }), spec };
      expect(readOf(reduced(subject)), name).toEqual(readOf(subject));
    }
  });

  it("keeps all that is read of any pod", () => {
    fc.assert(
      fc.property(anyPod({ image: "agent" }, "ls"), (parts) => {
        const subject = podOf(manifestOf("any", parts), "n")!;
        let whole: unknown;
        try {
          whole = readOf(subject);
        } catch (error) {
          expect(() => readOf(reduced(subject))).toThrow((error as Error).message);
          return;
        }
        expect(readOf(reduced(subject))).toEqual(whole);
      }),
      runs(400),
    );
  });

  it.each<[string, PodSubject]>([
    ["the home", podWith([skill], [mount("skill", "/a")], env(["HOME", "/a"]))],
    ["a variable that the home refers to", podWith([skill], at("x"), env(["A", "/a"], ["HOME", "$(A)/b"]))],
    [
      "variables in a row, the later of one name, and one that comes too late",
      podWith(
        [skill],
        at("$(C)/$(LATE)"),
        env(["A", "a"], ["A", "b"], ["B", "$(A)"], ["C", "$$(A)$(B)"], ["HOME", "$(LATE)"], ["LATE", "x"]),
      ),
    ],
    [
      "ConfigMaps of variables that move roots",
      podWith(
        [skill],
        at("x"),
        env(["P", key("paths")], ["CLAUDE_CONFIG_DIR", "$(P)"], ["HOME", key("home")]),
      ),
    ],
    [
      "variables that stand several times, and what stands before the one that refers to it",
      podWith(
        [skill],
        at("x"),
        env(
          ["HOME", "/a"],
          ["P", key("paths")],
          ["OTHER", key("other")],
          ["HOME", { configMapKeyRef: { name: "c", key: "k", optional: true } }],
          ["CODEX_HOME", "$(P)/$(OTHER)"],
          ["P", "/later"],
        ),
      ),
    ],
    ["envFrom", podWith([skill], at("x"), { envFrom: [{ prefix: "H", configMapRef: { name: "c" } }] })],
    [
      "an agent told by its image",
      podWith([skill], [mount("skill", "/plugins")], { image: "kagent-dev/kagent/app:1" }),
    ],
    [
      "an agent told by a variable",
      podWith([skill], [mount("skill", "/plugins")], env(["KAGENT_NAME", "a"])),
    ],
    [
      "devices, files of the kubelet, and reach",
      podWith([skill], at("x"), {
        volumeDevices: [{ name: "d", devicePath: "/dev/x" }],
        terminationMessagePath: "/skills/x/log",
        workingDir: "/work",
        securityContext: { privileged: true, capabilities: { add: ["SYS_ADMIN"] } },
        targetContainerName: "other",
      }),
    ],
    [
      "shared processes",
      pod({
        volumes: [volume("e", emptyDir)],
        containers: [container("a", [mount("e", "/e")])],
        more: { shareProcessNamespace: true },
      }),
    ],
    ["processes of the node", pod({ containers: [container("a", [])], more: { hostPID: true } })],
    [
      "a pod of Windows",
      pod({
        containers: [container("a", [])],
        more: { securityContext: { windowsOptions: { hostProcess: true } } },
      }),
    ],
  ])("keeps %s", (_, subject) => {
    expect(readOf(reduced(subject))).toEqual(readOf(subject));
  });

  it("keeps of a megabyte of variables those that name a path", () => {
    const many = Array.from({ length: 15_000 }, (__, index) => ({
      name: `V${index}`,
      value: "x".repeat(60),
    }));
    const telling = Array.from({ length: 1000 }, (__, index) => ({ name: `KAGENT_${index}`, value: "x" }));
    const subject = podWith([skill], at("$(V7)"), {
      env: [...many, ...telling, { name: "HOME", value: "/home/$(V9)" }],
      command: ["x".repeat(100_000)],
    });
    const { spec } = reduced(subject);
    expect(JSON.stringify(spec).length).toBeLessThan(1000);
    expect((spec["containers"] as readonly Part[])[0]!["env"]).toEqual([
      many[7],
      many[9],
      { name: "KAGENT_0" },
      { name: "HOME", value: "/home/$(V9)" },
    ]);
  });

  it("is one for replicas, whose token has a volume of another name in each", () => {
    const replica = (token: string): Part =>
      pod({
        volumes: [skill, tokenVolume(token)],
        containers: [container("a", [mount("skill", "/skills/x"), tokenMount(token)])],
      }).spec;
    const one = reducedSpec(replica("kube-api-access-aaaaa"));
    expect(reducedSpec(replica("kube-api-access-bbbbb"))).toEqual(one);
    expect(reducedSpec(replica("kube-api-access-long1-name"))).not.toEqual(one);
    expect(JSON.stringify(one)).toContain("kube-api-access-*");
  });

  it("leaves names that would become one", () => {
    const two = ["kube-api-access-aaaaa", "kube-api-access-bbbbb"] as const;
    const spec = pod({
      volumes: [volume(two[0], configMap("signed")), volume(two[1], configMap("other"))],
      containers: [container("a", [mount(two[1], "/skills/x"), mount(two[0], "/data")])],
    }).spec;
    expect(reducedSpec(spec)["volumes"]).toEqual(spec["volumes"]);
  });

  it.each<[string, Part]>([
    ["lists that are none", { volumes: {}, containers: "x", initContainers: null }],
    [
      "entries that are none",
      { volumes: ["x"], containers: ["x", { name: "a", env: "x", volumeMounts: 1 }] },
    ],
    ["variables that are none", { containers: [{ name: "a", env: ["x", { name: 1 }, { value: "x" }] }] }],
  ])("leaves %s as malformed as they are", (_, spec) => {
    expect(reducedSpec(spec)).toEqual(spec);
  });
});
