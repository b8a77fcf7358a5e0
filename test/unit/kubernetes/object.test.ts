import { describe, expect, it } from "vitest";

import {
  generationOf,
  labelsOf,
  metadataOf,
  nameOf,
  namespaceOf,
  uidOf,
} from "../../../src/kubernetes/object.ts";

const pod = {
  metadata: { name: "agent", namespace: "payments", uid: "u-1", labels: { team: "a" }, generation: 3 },
};

describe("fields of metadata", () => {
  it("are read where they stand", () => {
    expect(metadataOf(pod)).toBe(pod.metadata);
    expect([nameOf(pod), uidOf(pod), namespaceOf(pod, "default")]).toEqual(["agent", "u-1", "payments"]);
    expect(labelsOf(pod)).toEqual({ team: "a" });
    expect(generationOf(pod)).toBe(3);
  });

  it.each<[string, unknown]>([
    ["is missing", undefined],
    ["is null", null],
    ["is a list", ["name"]],
    ["is text", "name"],
    ["is empty", {}],
    ["holds other types", { name: 1, uid: {}, namespace: null, labels: null, generation: "3" }],
    ["holds empty text", { name: "", uid: "", namespace: "" }],
  ])("are empty where metadata %s", (_case, metadata) => {
    const object = { metadata };
    expect([nameOf(object), uidOf(object), namespaceOf(object, "default")]).toEqual(["", "", "default"]);
    expect(labelsOf(object)).toEqual({});
    expect(generationOf(object)).toBeUndefined();
  });
});
