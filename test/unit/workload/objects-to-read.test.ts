import { describe, expect, it } from "vitest";

import { SourceError } from "../../../src/skill/source-error.ts";
import { objectsToRead } from "../../../src/workload/objects-to-read.ts";
import {
  configMap,
  container,
  mount,
  namespace,
  pod,
  podWith,
  projected,
  volume,
} from "../../fixtures/pods.ts";

const token = volume(
  "kube-api-access",
  projected(
    { serviceAccountToken: { path: "token", expirationSeconds: 3607 } },
    configMap("kube-root-ca.crt", [["ca.crt", "ca.crt"]]),
    { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
  ),
);
const tokenMount = mount("kube-api-access", "/var/run/secrets/kubernetes.io/serviceaccount", {
  readOnly: true,
});

const names = (...args: Parameters<typeof objectsToRead>) =>
  objectsToRead(...args).map(({ kind, name }) => `${kind}/${name}`);

describe("objectsToRead", () => {
  it("reads nothing for pods without volumes, or with their token only", () => {
    expect(names(pod({}), [])).toEqual([]);
    expect(names(podWith([], []), [])).toEqual([]);
    expect(names(podWith([token], [tokenMount]), [])).toEqual([]);
  });

  it("reads a ConfigMap without items wherever it is mounted, in its namespace, once", () => {
    const volumes = [token, volume("a", configMap("cm")), volume("b", configMap("cm"))];
    const subject = podWith(volumes, [tokenMount, mount("a", "/etc/config"), mount("b", "/data")]);
    expect(objectsToRead(subject, [])).toEqual([{ kind: "ConfigMap", namespace, name: "cm" }]);
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

  it("reads Secrets only when asked to", () => {
    const volumes = [
      volume("s", { secret: { secretName: "s" } }),
      volume("p", projected({ secret: { name: "t" } })),
    ];
    const subject = podWith(volumes, [mount("s", "/skills/x"), mount("p", "/skills/y")]);
    expect(names(subject, [])).toEqual([]);
    expect(names(subject, [], { readSecrets: true })).toEqual(["Secret/s", "Secret/t"]);
  });

  it("refuses a pod that mounts more objects than can be held", () => {
    const many = Array.from({ length: 201 }, (_, index) => configMap(`cm-${index}`));
    const subject = podWith([volume("v", projected(...many))], [mount("v", "/skills/x")]);
    expect(() => objectsToRead(subject, [])).toThrow(SourceError);
    expect(() => objectsToRead(subject, [])).toThrow("spec.volumes mounts 201 objects");
  });
});
