import { describe, expect, it } from "vitest";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { lostFields } from "../../../src/policy/resource/lost-fields.ts";
import { parseResource } from "../../../src/policy/resource/parse.ts";
import { compileObjects } from "../../fixtures/compile.ts";
import { policyObject } from "./builders.ts";
import { publicKey, publishers } from "./resource-cases.ts";

const managed = (spec: object, over: object = {}) => ({
  manager: "kubectl",
  operation: "Apply",
  apiVersion: "skill-admission.dev/v1alpha1",
  fieldsType: "FieldsV1",
  fieldsV1: { "f:spec": spec },
  ...over,
});

/** A policy as the API server shows it, with who owns which of its fields. */
const owned = (spec: object, ...managedFields: readonly unknown[]): KubernetesObject => ({
  ...policyObject(spec as Record<string, unknown>),
  metadata: { name: "p", managedFields },
});

const team = {
  ".": {},
  'k:{"name":"team"}': { ".": {}, "f:name": {}, "f:publicKey": { "f:pem": {} } },
};

describe("lostFields", () => {
  it.each<[string, KubernetesObject, readonly string[]]>([
    [
      "of a whole object, none",
      owned(
        { publishers, mode: "Warn", skillRoots: ["/a"], namespaceSelector: { matchLabels: { "a/b": "c" } } },
        managed({
          ".": {},
          "f:mode": {},
          "f:publishers": team,
          "f:skillRoots": { ".": {}, 'v:"/a"': {} },
          "f:namespaceSelector": { "f:matchLabels": { "f:a/b": {} } },
        }),
      ),
      [],
    ],
    [
      "directly in spec",
      owned({ publishers }, managed({ "f:closed": { "f:data": {} }, "f:mode": {} })),
      ["spec.closed", "spec.mode"],
    ],
    [
      "deep in it, of several owners once",
      owned(
        { publishers, unverifiable: { default: "Deny" } },
        managed({ "f:unverifiable": { "f:above": {} } }),
        managed({ "f:unverifiable": { "f:above": {}, "f:default": {} } }),
      ),
      ["spec.unverifiable.above"],
    ],
    [
      "in an item of a list",
      owned(
        { publishers: [{ name: "other" }, { name: "team", publicKey: {} }] },
        managed({ "f:publishers": team }),
      ),
      ["spec.publishers.publicKey.pem"],
    ],
    [
      "not an item that is gone, which no schema takes away",
      owned({ publishers: [{ name: "other" }] }, managed({ "f:publishers": team })),
      [],
    ],
    ["not of a status", owned({}, managed({}, { fieldsV1: { "f:status": { "f:publishers": {} } } })), []],
    ["not of another version", owned({}, managed({ "f:mode": {} }, { apiVersion: "x/v1" })), []],
    ["of an object without managedFields, none", policyObject({ publishers }), []],
    ["of nonsense, none", owned({}, 1, null, { apiVersion: 1 }, managed({ "f:mode": 1, "k:[]": {} })), []],
  ])("%s", (_what, object, expected) => {
    expect(lostFields(object)).toEqual(expected);
  });

  it("takes no longer for thousands of items of a list", () => {
    const skills = Array.from({ length: 20_000 }, (_, index) => ({ name: `s${index}` }));
    const owners = Object.fromEntries(
      skills.map(({ name }) => [`k:${JSON.stringify({ name })}`, { "f:name": {}, "f:gone": {} }]),
    );
    expect(lostFields(owned({ skills }, managed({ "f:skills": owners })))).toEqual(["spec.skills.gone"]);
  });
});

describe("a resource that lost fields", () => {
  const lost = owned({ mode: "Enforce", publishers }, managed({ "f:closed": {} }));

  it("is refused, naming them and what to do", () => {
    expect(() => parseResource("ClusterSkillPolicy", lost)).toThrow(
      expect.objectContaining({
        code: "FieldsLost",
        message: expect.stringMatching(
          /^fields that were written are gone: spec\.closed; .*Apply those of/,
        ) as string,
      }),
    );
    expect(
      parseResource("ClusterSkillPolicy", owned({ publishers }, managed({ "f:publishers": team }))),
    ).toMatchObject({ name: "p" });
  });

  it("denies what it governs, in its mode", () => {
    const { policies, problems } = compileObjects([lost]);
    expect(policies).toMatchObject([
      { mode: "Enforce", invalidReason: expect.stringContaining("spec.closed") as string },
    ]);
    expect(problems).toMatchObject([{ kind: "ClusterSkillPolicy", name: "p", reason: "FieldsLost" }]);
  });

  it("names no more than five of them", () => {
    const many = Object.fromEntries(["a", "b", "c", "d", "e", "f", "g"].map((letter) => [`f:${letter}`, {}]));
    expect(() => parseResource("ClusterSkillPolicy", owned({}, managed(many)))).toThrow(
      "gone: spec.a, spec.b, spec.c, spec.d, spec.e, 2 more;",
    );
  });

  it("makes a revocation list that lost some deny everything, and a trust root that did unusable", () => {
    const metadata = { name: "r", managedFields: [managed({ "f:later": {} })] };
    const list = {
      apiVersion: "skill-admission.dev/v1alpha1",
      kind: "SkillRevocationList",
      metadata,
      spec: { keys: [] },
    };
    const root = { ...list, kind: "SkillTrustRoot", spec: { keys: [{ name: "k", pem: publicKey }] } };
    const policy = policyObject({ publishers });
    expect(compileObjects([policy], [], { revocationLists: [list] })).toMatchObject({
      policies: [{ invalidReason: expect.stringContaining("spec.later") as string }],
    });
    const using = policyObject({ publishers: [{ name: "a", publicKey: { trustRootRef: { name: "r" } } }] });
    expect(compileObjects([using], [root]).policies[0]?.invalidReason).toContain("SkillTrustRoot r");
  });
});

describe("a kind whose served schema is too old", () => {
  const behind = (kind: string) => (kind === "ClusterSkillPolicy" ? "the schema is too old" : undefined);

  it("has all its objects refused, and no other kind's", () => {
    const root = {
      apiVersion: "skill-admission.dev/v1alpha1",
      kind: "SkillTrustRoot",
      metadata: { name: "r" },
      spec: { keys: [{ name: "k", pem: publicKey }] },
    };
    const { policies, problems } = compileObjects([policyObject({ publishers })], [root], { behind });
    expect(policies).toMatchObject([{ invalidReason: "the schema is too old" }]);
    expect(problems).toMatchObject([{ kind: "ClusterSkillPolicy", reason: "SchemaTooOld" }]);
    expect(compileObjects([policyObject({ publishers })], [root]).problems).toEqual([]);
  });
});
