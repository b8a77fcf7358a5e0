import { describe, expect, it } from "vitest";

import { objectNames } from "../../../../src/workload/pod/mounted-objects.ts";
import { objectProjections, objectVolumes } from "../../../../src/workload/pod/object-types.ts";
import { readPodSpec } from "../../../../src/workload/pod/pod-spec.ts";
import { configMap, mount, namespace, podWith, projected, volume } from "../../../fixtures/pods.ts";

const subject = podWith(
  [
    volume("a", configMap("one")),
    volume("b", { secret: { secretName: "two" } }),
    volume("c", projected(configMap("one"), configMap("three"), { secret: { name: "one" } })),
    volume("d", { emptyDir: {} }),
  ],
  [],
);

describe("objectNames", () => {
  it("names every ConfigMap and Secret of the volumes once", () => {
    expect(objectNames(subject)).toEqual([
      { kind: "ConfigMap", namespace, name: "one" },
      { kind: "Secret", namespace, name: "two" },
      { kind: "ConfigMap", namespace, name: "three" },
      { kind: "Secret", namespace, name: "one" },
    ]);
  });

  const plain = [...objectVolumes].map(([type, of]) => ({ ...of, type, wrap: (source: object) => source }));
  const inside = [...objectProjections].map(([type, of]) => ({ ...of, type, wrap: projected }));
  it.each([...plain, ...inside])("names the $kind that a pod takes files from, by $nameField", (one) => {
    const { kind, nameField, type, wrap } = one;
    const source = wrap({ [type]: { [nameField]: "o" } });
    const mounting = podWith([volume("v", { ...source })], [mount("v", "/skills")]);
    expect(objectNames(mounting)).toEqual([{ kind, namespace, name: "o" }]);
    const parts = readPodSpec(mounting).containers[0]?.mounts[0]?.volume.parts;
    expect(parts).toMatchObject([{ from: "object", kind, name: "o" }]);
  });

  it("names the ConfigMaps of variables, where a container mounts more than its token", () => {
    const variables = {
      envFrom: [{ configMapRef: { name: "one" } }, { secretRef: { name: "two" } }],
      env: [
        { name: "HOME", valueFrom: { configMapKeyRef: { name: "three", key: "k" } } },
        { name: "A", valueFrom: { secretKeyRef: { name: "four", key: "k" } } },
      ],
    };
    const at = (path: string) =>
      objectNames(podWith([volume("d", { emptyDir: {} })], [mount("d", path)], variables));
    expect(at("/data").map(({ kind, name }) => `${kind}/${name}`)).toEqual([
      "ConfigMap/one",
      "ConfigMap/three",
    ]);
    expect(at("/var/run/secrets/kubernetes.io/serviceaccount")).toEqual([]);
  });

  it("names nothing for what is malformed", () => {
    for (const volumes of [
      "x",
      [1, null, "x"],
      [{ configMap: "x" }],
      [{ configMap: { name: 1 } }],
      [{ projected: { sources: {} } }],
    ]) {
      expect(objectNames({ ...subject, spec: { volumes } })).toEqual([]);
    }
    for (const containers of [
      "x",
      [1, null],
      [{ volumeMounts: [1], envFrom: "x", env: {} }],
      [
        {
          volumeMounts: [{}],
          envFrom: [1, {}, { configMapRef: 1 }],
          env: [1, {}, { valueFrom: { configMapKeyRef: {} } }],
        },
      ],
    ]) {
      expect(objectNames({ ...subject, spec: { containers } })).toEqual([]);
    }
    expect(objectNames({ ...subject, spec: {} })).toEqual([]);
  });
});
