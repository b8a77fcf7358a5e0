import { describe, expect, it } from "vitest";
import { resolveAmong } from "../../../../src/policy/trust/object-reference.ts";
import type { ObjectReference } from "../../../../src/policy/trust/reference.ts";
import type { KubernetesObject } from "../../../../src/kubernetes/object.ts";

const reference: ObjectReference = { kind: "ConfigMap", name: "roots", key: "root.json" };
const object = (content: object, namespace?: string): KubernetesObject => ({
  metadata: { name: "roots", ...(namespace === undefined ? {} : { namespace }) },
  ...content,
});
const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString("base64");

describe("resolveAmong", () => {
  it("reads text from data, and bytes that are text from binaryData", () => {
    expect(resolveAmong(reference, [object({ data: { "root.json": "ä" } }, "n")], "n")).toEqual({
      text: "ä",
    });
    const binary = object({ binaryData: { "root.json": base64("ä") } }, "n");
    expect(resolveAmong(reference, [binary], "n")).toEqual({ text: "ä" });
  });

  it("reads a Secret, as the API server gives it and as people write it", () => {
    const secret: ObjectReference = { ...reference, kind: "Secret" };
    expect(resolveAmong(secret, [object({ data: { "root.json": base64("x") } }, "n")], "n")).toEqual({
      text: "x",
    });
    expect(resolveAmong(secret, [object({ stringData: { "root.json": "x" } }, "n")], "n")).toEqual({
      text: "x",
    });
  });

  it.each<[string, readonly KubernetesObject[], RegExp]>([
    ["is not there", [], /^there is no ConfigMap n\/roots; create it$/],
    [
      "is in another namespace",
      [object({ data: { "root.json": "x" } }, "m")],
      /there is no ConfigMap n\/roots/,
    ],
    ["names no namespace", [object({ data: { "root.json": "x" } })], /there is no ConfigMap n\/roots/],
    [
      "has no such key",
      [object({ data: { other: "x" } }, "n")],
      /^ConfigMap n\/roots has no key root\.json; add it$/,
    ],
    ["has an inherited key only", [object({ data: {} }, "n")], /has no key/],
    [
      "holds no text",
      [object({ binaryData: { "root.json": base64(Buffer.from([0xff, 0xfe])) } }, "n")],
      /ConfigMap n\/roots: the key root\.json does not hold UTF-8/,
    ],
    ["is broken", [object({ data: 7 }, "n")], /ConfigMap n\/roots: data is not a map; correct it/],
  ])("says so when the object %s", (_what, found, fault) => {
    expect(resolveAmong(reference, found, "n").fault).toMatch(fault);
    expect(resolveAmong(reference, found, "n").text).toBeUndefined();
  });

  it("takes the one object of a name where nobody knows the namespace, and none of two", () => {
    const [here, there] = [object({ data: { "root.json": "x" } }, "m"), object({ data: {} }, "n")];
    expect(resolveAmong(reference, [here], undefined)).toEqual({ text: "x" });
    expect(resolveAmong(reference, [here, there], undefined).fault).toMatch(
      /ConfigMap roots is in the namespaces m and n; keep/,
    );
    expect(resolveAmong(reference, [], undefined).fault).toBe("there is no ConfigMap roots; create it");
  });
});
