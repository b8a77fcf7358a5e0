import { describe, expect, it } from "vitest";

import { mountsObject, objectNames } from "../../../../src/workload/pod/mounted-objects.ts";
import { configMap, namespace, podWith, projected, volume } from "../../../fixtures/pods.ts";

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
    expect(objectNames(subject).map(({ kind, name }) => `${kind}/${name}`)).toEqual([
      "ConfigMap/one",
      "Secret/two",
      "ConfigMap/three",
      "Secret/one",
    ]);
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
    expect(objectNames({ ...subject, spec: {} })).toEqual([]);
  });
});

describe("mountsObject", () => {
  it("tells kind, name and namespace apart", () => {
    expect(mountsObject(subject, { kind: "ConfigMap", namespace, name: "three" })).toBe(true);
    expect(mountsObject(subject, { kind: "Secret", namespace, name: "two" })).toBe(true);
    expect(mountsObject(subject, { kind: "Secret", namespace, name: "three" })).toBe(false);
    expect(mountsObject(subject, { kind: "ConfigMap", namespace: "other", name: "three" })).toBe(false);
    expect(mountsObject(subject, { kind: "ConfigMap", namespace, name: "four" })).toBe(false);
  });
});
