import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseReview, ReviewError } from "../../../src/admission/admission-request.ts";
import { subject } from "../../fixtures/review-subject.ts";

const body = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

const request = {
  uid: subject.uid,
  kind: { group: "", version: "v1", kind: "Pod" },
  resource: { group: "", version: "v1", resource: "pods" },
  namespace: "payments",
  name: "etl",
  operation: "CREATE",
  userInfo: { username: subject.user },
  object: { kind: "Pod", metadata: { name: "etl" } },
  oldObject: null,
};

const review = (changes: Readonly<Record<string, unknown>> = {}): Uint8Array =>
  body({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: { ...request, ...changes } });

describe("parseReview", () => {
  it("reads what a decision needs", () => {
    expect(parseReview(review())).toEqual({
      resource: "pods",
      object: request.object,
      oldObject: undefined,
      subject,
    });
  });

  it("names a subresource, a dry run, and an object that has no name yet", () => {
    const parsed = parseReview(
      review({
        subResource: "ephemeralcontainers",
        dryRun: true,
        name: "",
        object: { metadata: { generateName: "etl-" } },
      }),
    );
    expect(parsed.subject).toMatchObject({
      resource: "pods/ephemeralcontainers",
      dryRun: true,
      name: "etl-*",
    });
  });

  it("names the owners that the object names, its controller first, and no half of one", () => {
    const one = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-5d4f9c", uid: "u-1" };
    const other = { apiVersion: "v1", kind: "ConfigMap", name: "settings", uid: "u-2" };
    const owned = (ownerReferences: unknown) =>
      parseReview(review({ object: { metadata: { name: "etl", ownerReferences } } })).subject.owners;
    const namespace = "payments";
    expect(owned([other, { ...one, controller: true }])).toEqual([
      { ...one, namespace },
      { ...other, namespace },
    ]);
    expect(owned([{ kind: "ReplicaSet" }, 7, null, { ...one, name: "x".repeat(300) }])).toBeUndefined();
    expect(owned("ReplicaSet")).toBeUndefined();
    expect(owned(Array.from({ length: 1000 }, () => one))).toHaveLength(20);
  });

  it("counts resources that it does not know as other, so that labels stay a closed set", () => {
    const parsed = parseReview(review({ resource: { resource: "surprises" } }));
    expect(parsed.subject.resource).toBe("other");
    expect(parsed.resource).toBe("surprises");
  });

  it.each([
    ["no JSON", Buffer.from("<html>"), "not JSON"],
    ["a list", body([]), "not a JSON object"],
    ["no request", body({ kind: "AdmissionReview" }), "request is missing"],
    ["no uid", review({ uid: undefined }), "uid"],
    ["a uid without end", review({ uid: "x".repeat(129) }), "uid"],
    ["another operation", review({ operation: "PATCH" }), "operation"],
    ["no resource", review({ resource: null }), "resource"],
    ["an object that is text", review({ object: "x" }), "request.object"],
    ["an old object that is a list", review({ oldObject: [] }), "request.oldObject"],
    [
      "the old version",
      body({ apiVersion: "admission.k8s.io/v1beta1", kind: "AdmissionReview", request }),
      "v1",
    ],
    ["a repeated key", Buffer.from('{"request":{"uid":"a","uid":"b"}}'), "same key twice"],
    ["half a surrogate pair", Buffer.from('{"request":{"uid":"\\ud800"}}'), "surrogate"],
    ["deep nesting", Buffer.from(`{"request":${"[".repeat(9999)}${"]".repeat(9999)}}`), "nested deeper"],
  ])("refuses %s, saying what is wrong", (_, input, message) => {
    expect(() => parseReview(input)).toThrow(ReviewError);
    expect(() => parseReview(input)).toThrow(message);
  });

  it("keeps the uid of a review that it refuses, for the answer", () => {
    try {
      parseReview(review({ operation: "PATCH" }));
      expect.unreachable();
    } catch (error) {
      expect((error as ReviewError).uid).toBe(request.uid);
    }
  });

  describe("of an object with too many values", () => {
    const many = { data: Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`k${at}`, ""])) };
    const wide = review({ object: many, oldObject: many, dryRun: true });

    it("reads everything but the object", () => {
      const parsed = parseReview(wide);
      expect(parsed).toMatchObject({ object: undefined, oldObject: undefined });
      expect(parsed.tooLarge?.object?.get("data")).toBe(JSON.stringify(many.data));
      expect(parsed.tooLarge?.oldObject?.get("data")).toBe(JSON.stringify(many.data));
      expect(parsed.subject).toEqual({ ...parseReview(review({})).subject, dryRun: true });
    });

    it("has no old object where there is none", () => {
      expect(parseReview(review({ object: many, oldObject: null })).tooLarge?.oldObject).toBeUndefined();
    });

    it("reads one that has just no more", () => {
      const few = { data: Object.fromEntries(Object.entries(many.data).slice(0, 49_000)) };
      expect(parseReview(review({ object: few }))).toMatchObject({ object: few });
      expect(parseReview(review({ object: few }))).not.toHaveProperty("tooLarge");
    });

    it.each([
      ["a repeated key", /"uid":/, '"uid":"other","uid":', "same key twice"],
      ["no uid", /"uid":"[^"]*",/, "", "uid is missing"],
      ["half a surrogate pair", /"namespace":"[^"]*"/, '"namespace":"\\ud800"', "surrogate"],
      ["a user without end", /"userInfo":/, `"x":"${"y".repeat(300_000)}","userInfo":`, "characters beside"],
    ])("refuses %s, saying what is wrong", (_, place, put, message) => {
      const text = wide.toString();
      const changed = text.replace(place, put);
      expect(changed).not.toBe(text);
      expect(() => parseReview(Buffer.from(changed))).toThrow(ReviewError);
      expect(() => parseReview(Buffer.from(changed))).toThrow(message);
    });
  });

  it("throws nothing but a ReviewError, whatever comes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(request)), (value, field) => {
        try {
          parseReview(review({ [field]: value }));
        } catch (error) {
          expect(error).toBeInstanceOf(ReviewError);
        }
      }),
    );
  });
});
