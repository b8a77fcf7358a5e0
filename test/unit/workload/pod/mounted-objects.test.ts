import { describe, expect, it } from "vitest";

import { objectNames } from "../../../../src/workload/pod/mounted-objects.ts";
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
    expect(objectNames(subject)).toEqual([
      { kind: "ConfigMap", namespace, name: "one" },
      { kind: "Secret", namespace, name: "two" },
      { kind: "ConfigMap", namespace, name: "three" },
      { kind: "Secret", namespace, name: "one" },
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
