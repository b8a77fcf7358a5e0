import { describe, expect, it } from "vitest";
import type { SkillReference } from "../../../../src/skill/reference.ts";
import { findSkills } from "../../../../src/workload/find-skills.ts";
import { afterUpdate } from "../../../../src/workload/pod/earlier-images.ts";
import { readPodSpec } from "../../../../src/workload/pod/pod-spec.ts";
import {
  configMap,
  container,
  emptyDir,
  mount,
  objects,
  pod,
  volume,
  type Part,
} from "../../../fixtures/pods.ts";

const read = objects({ cm: { "SKILL.md": "S" } });
const scratch = volume("e", emptyDir);
const agent = (more: Part = {}, at = "/skills/x", mountMore: Part = {}) =>
  container("agent", [mount("e", at, mountMore)], more);
const writer = (more: Part = {}, mountMore: Part = {}) =>
  container("writer", [mount("e", "/out", mountMore)], more);
const idle = (more: Part = {}) => container("idle", [], more);

const shown = ({ path, containers, content }: SkillReference): string =>
  content.state === "resolved"
    ? `${path}: resolved`
    : `${path} in ${containers.join(" ")}: ${content.detail.replace('the volume "e" is an emptyDir, and ', "")}`;

type Parts = Parameters<typeof pod>[0];

const foundIn = (parts: Omit<Parts, "volumes">, volumes: Parts["volumes"] = [scratch]): readonly string[] =>
  findSkills(readPodSpec(pod({ volumes, ...parts })), [], read).map(shown);

const privileged = { securityContext: { privileged: true } };
const admin = (name: string): Part => ({ securityContext: { capabilities: { add: ["CHOWN", name] } } });

describe("an emptyDir brings nothing in", () => {
  it.each<[string, Omit<Parts, "volumes">]>([
    ["that its own container writes only", { containers: [agent()] }],
    ["at a home", { containers: [agent({}, "/home/nonroot")] }],
    ["at a HOME in env", { containers: [agent({ env: [{ name: "HOME", value: "/tmp" }] }, "/tmp")] }],
    ["at the working directory", { containers: [agent({ workingDir: "/src" }, "/src")] }],
    ["at the container's root", { containers: [agent({}, "/")] }],
    [
      "by a subPath that only the node knows",
      { containers: [agent({}, "/skills/x", { subPathExpr: "$(A)" })] },
    ],
    ["beside a container that mounts it not at all", { containers: [agent(), idle()] }],
    ["that the other container reads only", { containers: [agent(), writer({}, { readOnly: true })] }],
    [
      "mounted twice",
      { containers: [container("agent", [mount("e", "/skills/x"), mount("e", "/skills/y")])] },
    ],
    ["of a container that is privileged itself", { containers: [agent(privileged), idle()] }],
    [
      "in a pod of one container that shares its processes",
      { containers: [agent()], more: { hostPID: true } },
    ],
    [
      "with a capability that mounts nothing",
      { containers: [agent(), writer(admin("NET_ADMIN"), { readOnly: true })] },
    ],
  ])("%s", (_name, parts) => {
    expect(foundIn(parts)).toEqual([]);
  });

  it("and hides nothing of what lies around it", () => {
    const mounts = [mount("v", "/skills/x"), mount("e", "/skills/x/cache")];
    const volumes = [scratch, volume("v", configMap("cm"))];
    expect(foundIn({ containers: [container("agent", mounts)] }, volumes)).toEqual(["/skills/x: resolved"]);
  });

  it("with no type written", () => {
    expect(foundIn({ containers: [agent()] }, [volume("e", {})])).toEqual([]);
  });
});

describe("an emptyDir is unverifiable for a reader whose volume somebody else can write", () => {
  it.each<[string, Omit<Parts, "volumes">, string]>([
    ["a container", { containers: [agent(), writer()] }, '"agent" and "writer" can write it'],
    [
      "an init container",
      { more: { initContainers: [writer()] }, containers: [agent()] },
      '"writer" and "agent" can write it',
    ],
    [
      "an ephemeral one",
      { containers: [agent()], more: { ephemeralContainers: [writer()] } },
      '"agent" and "writer" can write it',
    ],
    [
      "a container, by another subPath",
      { containers: [agent({}, "/skills/x", { subPath: "a" }), writer({}, { subPath: "b" })] },
      '"agent" and "writer" can write it',
    ],
    [
      "the one that may write, where the reader may not",
      { containers: [agent({}, "/skills/x", { readOnly: true }), writer()] },
      '"writer" can write it',
    ],
    [
      "a privileged container without a mount",
      { containers: [agent(), idle(privileged)] },
      '"agent" and "idle" can write it',
    ],
    [
      "a process of a Windows node",
      { containers: [agent(), idle({ securityContext: { windowsOptions: { hostProcess: true } } })] },
      '"agent" and "idle" can write it',
    ],
    [
      "a process of a Windows node, by the pod",
      { containers: [agent(), idle()], more: { securityContext: { windowsOptions: { hostProcess: true } } } },
      '"agent" and "idle" can write it',
    ],
    [
      "a container that can mount it anew",
      { containers: [agent(), writer(admin("SYS_ADMIN"), { readOnly: true })] },
      '"agent" and "writer" can write it',
    ],
    [
      "a container with every capability",
      { containers: [agent(), writer(admin("ALL"), { readOnly: true })] },
      '"agent" and "writer" can write it',
    ],
    [
      "a container that shares the processes",
      { containers: [agent(), idle()], more: { shareProcessNamespace: true } },
      "every container can write it, by shareProcessNamespace",
    ],
    [
      "a container that shares the node's processes",
      { containers: [agent(), idle()], more: { hostPID: true } },
      "every container can write it, by hostPID",
    ],
    [
      "an ephemeral container that sees the reader's processes",
      { containers: [agent()], more: { ephemeralContainers: [idle({ targetContainerName: "agent" })] } },
      '"agent" and "idle" can write it',
    ],
    [
      "another's debugger",
      {
        containers: [agent({}, "/skills/x", { readOnly: true }), writer()],
        more: { ephemeralContainers: [idle({ targetContainerName: "writer" })] },
      },
      '"writer" and "idle" can write it',
    ],
  ])("%s", (_name, parts, why) => {
    expect(foundIn(parts)).toEqual([`/skills/x in agent: ${why}`]);
  });

  it("not for an ephemeral container that sees another's processes", () => {
    const more = { ephemeralContainers: [idle({ targetContainerName: "other" })] };
    expect(foundIn({ containers: [agent(), container("other", [])], more })).toEqual([]);
  });

  it("naming three of many", () => {
    const others = ["b", "c", "d", "e"].map((name) => container(name, [mount("e", "/out")]));
    expect(foundIn({ containers: [agent(), ...others] })).toEqual([
      '/skills/x in agent: "agent" and "b" and "c" and 2 more can write it',
    ]);
  });

  it("as a generic ephemeral volume is for every reader, for that is a claim", () => {
    const volumes = [volume("e", { ephemeral: { volumeClaimTemplate: {} } })];
    expect(foundIn({ containers: [agent()] }, volumes)).toHaveLength(1);
  });

  it("as its container was with another image", () => {
    const subject = pod({
      volumes: [scratch],
      containers: [agent({ image: "new" }), idle({ image: "same" })],
    });
    const before = (image: string) =>
      pod({ volumes: [scratch], containers: [agent({ image }), idle({ image: "same" })] });
    const after = (image: string, of = subject) =>
      findSkills(readPodSpec(afterUpdate(before(image), of)), [], read).map(shown);
    expect(after("new")).toEqual([]);
    expect(after("old")).toEqual(['/skills/x in agent: "agent" could write it with its image before, old']);
    // The pods that a controller makes have emptyDirs of their own.
    expect(after("old", { ...subject, kind: "Deployment", isPod: false })).toEqual([]);
  });

  it("not where only a reader's image was another", () => {
    const parts = (image: string) =>
      pod({ volumes: [scratch], containers: [agent(), writer({ image }, { readOnly: true })] });
    expect(findSkills(readPodSpec(afterUpdate(parts("old"), parts("new"))), [], read)).toEqual([]);
  });
});
