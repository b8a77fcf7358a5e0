import { describe, expect, it } from "vitest";

import { SourceError } from "../../../src/skill/source-error.ts";
import { objectsToRead } from "../../../src/workload/objects-to-read.ts";
import { readPodSpec } from "../../../src/workload/pod/pod-spec.ts";
import type { PodSubject } from "../../../src/workload/pod/pod-subject.ts";
import {
  configMap,
  container,
  mount,
  namespace,
  pod,
  podWith,
  projected,
  tokenMount,
  tokenVolume,
  volume,
} from "../../fixtures/pods.ts";

const names = (subject: PodSubject, extraRoots: readonly string[]) =>
  objectsToRead(readPodSpec(subject), extraRoots).map(({ kind, name }) => `${kind}/${name}`);

describe("objectsToRead", () => {
  it("reads nothing for pods without volumes, or with their token only", () => {
    expect(names(pod({}), [])).toEqual([]);
    expect(names(podWith([], []), [])).toEqual([]);
    expect(names(podWith([tokenVolume()], [tokenMount()]), [])).toEqual([]);
  });

  it("reads a ConfigMap without items wherever it is mounted, in its namespace, once", () => {
    const volumes = [tokenVolume(), volume("a", configMap("cm")), volume("b", configMap("cm"))];
    const subject = podWith(volumes, [tokenMount(), mount("a", "/etc/config"), mount("b", "/data")]);
    expect(objectsToRead(readPodSpec(subject), [])).toEqual([{ kind: "ConfigMap", namespace, name: "cm" }]);
  });

  it("reads one with items only where their paths or the mount's place can bring in a skill", () => {
    const plain = [volume("a", configMap("cm", [["k", "app.yaml"]]))];
    const at = (path: string, more = {}) => podWith(plain, [mount("a", path, more)]);
    for (const path of ["/etc/config", "/data", "/home/agent/data"]) expect(names(at(path), [])).toEqual([]);
    for (const path of ["/skills", "/skills/x/y", "/home/agent", "/", "/x/.claude/skills/y", "/x/SKILL.md"]) {
      expect(names(at(path), [])).toEqual(["ConfigMap/cm"]);
    }
    expect(names(at("/srv/s/x"), ["/srv/s"])).toEqual(["ConfigMap/cm"]);
    expect(names(at("/srv"), ["/srv/s"])).toEqual(["ConfigMap/cm"]);
    for (const path of ["x/SKILL.md", "k8s.MD"]) {
      const markdown = podWith([volume("a", configMap("cm", [["k", path]]))], [mount("a", "/etc/config")]);
      expect(names(markdown, [])).toEqual(["ConfigMap/cm"]);
    }
  });

  it("reads nothing of a volume that no container mounts", () => {
    expect(names(podWith([volume("a", configMap("cm"))], []), [])).toEqual([]);
  });

  it("reads what only one of the containers mounts near a skill root", () => {
    const volumes = [volume("a", configMap("cm", [["k", "f"]]))];
    const containers = [
      container("a", [mount("a", "/etc/config")]),
      container("b", [mount("a", "/skills/x")]),
    ];
    expect(names(pod({ volumes, containers }), [])).toEqual(["ConfigMap/cm"]);
  });

  it("reads no Secrets", () => {
    const volumes = [
      volume("s", { secret: { secretName: "s" } }),
      volume("p", projected({ secret: { name: "t" } })),
    ];
    const subject = podWith(volumes, [mount("s", "/skills/x"), mount("p", "/skills/y")]);
    expect(names(subject, [])).toEqual([]);
  });

  const keysOf = (...args: Parameters<typeof podWith>) =>
    objectsToRead(readPodSpec(podWith(...args)), []).map(({ name, keys }) => [
      name,
      keys === undefined ? "all" : [...keys],
    ]);

  it("asks for the keys that items or subPath mount, and for all where the volume is mounted whole", () => {
    const whole = [volume("a", configMap("cm"))];
    const sub = (path: string, subPath: string) => mount("a", path, { subPath });
    expect(keysOf(whole, [sub("/x", "SKILL.md"), sub("/y", "./run.sh"), sub("/z", "d/f")])).toEqual([
      ["cm", ["SKILL.md", "run.sh", "d"]],
    ]);
    expect(keysOf(whole, [sub("/x", "SKILL.md"), mount("a", "/y")])).toEqual([["cm", "all"]]);
    const items = [volume("a", configMap("cm", [["k", "SKILL.md"]]))];
    expect(keysOf(items, [sub("/x", "other")])).toEqual([["cm", ["k"]]]);
    expect(keysOf(items, [mount("a", "/x")])).toEqual([["cm", ["k"]]]);
  });

  it("asks for all keys where it cannot be said which are mounted, or where many are", () => {
    const whole = [volume("a", configMap("cm"))];
    for (const more of [{ subPathExpr: "$(UNKNOWN)" }, { subPath: "..data/k" }, { subPath: "/k" }])
      expect(keysOf(whole, [mount("a", "/x", more)])).toEqual([["cm", "all"]]);
    expect(keysOf(whole, [mount("a", "/", { subPath: "k" })])).toEqual([["cm", "all"]]);
    const many = Array.from({ length: 101 }, (_, index) =>
      mount("a", `/x/${index}`, { subPath: `k${index}` }),
    );
    expect(keysOf(whole, many)).toEqual([["cm", "all"]]);
    expect(keysOf(whole, many.slice(1))[0]?.[1]).toHaveLength(100);
  });

  it("asks once for an object that several volumes name, with the keys of all", () => {
    const volumes = (third: object[]) => [
      volume("a", configMap("cm", [["k", "a.md"]])),
      volume("b", projected(configMap("cm", [["l", "b.md"]]), configMap("cm", [["k", "c.md"]]))),
      ...(third as never[]),
    ];
    const mounts = [mount("a", "/a"), mount("b", "/b")];
    expect(keysOf(volumes([]), mounts)).toEqual([["cm", ["k", "l"]]]);
    const all = [...mounts, mount("c", "/c")];
    expect(keysOf(volumes([volume("c", configMap("cm"))]), all)).toEqual([["cm", "all"]]);
    expect(keysOf(volumes([volume("c", configMap("cm"))]), all.toReversed())).toEqual([["cm", "all"]]);
  });

  it("refuses a pod that mounts more objects than can be held", () => {
    const many = Array.from({ length: 201 }, (_, index) => configMap(`cm-${index}`));
    const subject = podWith([volume("v", projected(...many))], [mount("v", "/skills/x")]);
    expect(() => objectsToRead(readPodSpec(subject), [])).toThrow(SourceError);
    expect(() => objectsToRead(readPodSpec(subject), [])).toThrow("spec.volumes mounts 201 objects");
  });
});
