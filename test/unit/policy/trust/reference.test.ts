import { describe, expect, it } from "vitest";
import { compileObjects } from "../../../fixtures/compile.ts";
import {
  normalMirror,
  referenceKey,
  type ResolvedReference,
  type TrustReference,
} from "../../../../src/policy/trust/reference.ts";
import { publicGoodRoot } from "../../../../src/signature/sigstore/root/public-good-root.ts";
import { maxTrustedRootLength } from "../../../../src/signature/sigstore/root/trusted-root.ts";
import { policyObject, rootObject } from "../builders.ts";
import type { Spec } from "../resource-cases.ts";

const keyless = policyObject({
  publishers: [
    {
      name: "ci",
      keyless: { trustRootRef: { name: "r" }, issuer: "https://issuer.test", identity: "ci@example.com" },
    },
  ],
});
const fromConfigMap = { trustedRootFrom: { configMap: { name: "roots", key: "trusted_root.json" } } };
const mirror = "https://tuf.example.com";
const fromMirror = { tuf: { mirror, root: "{}" } };

/** A root that is not the public instance's. */
const otherRoot = (): string => {
  const root = JSON.parse(publicGoodRoot) as { timestampAuthorities?: unknown };
  delete root.timestampAuthorities;
  return JSON.stringify(root);
};

const compiled = (entry: Spec, told?: (reference: TrustReference) => ResolvedReference) =>
  compileObjects([keyless], [rootObject({ sigstore: [{ name: "s", ...entry }] })], {
    ...(told === undefined ? {} : { resolve: told }),
  });
const problemOf = (...args: Parameters<typeof compiled>) =>
  compiled(...args).problems.find(({ kind }) => kind === "SkillTrustRoot");

const version = (entry: Spec, told?: (reference: TrustReference) => ResolvedReference): string => {
  const { problems, trust } = compiled(entry, told);
  expect(problems).toEqual([]);
  return trust.version;
};

describe("a trusted root in an object", () => {
  it("is the same trust as its text in the trust root itself", () => {
    const asked: TrustReference[] = [];
    const told = (reference: TrustReference): ResolvedReference => {
      asked.push(reference);
      return { text: publicGoodRoot };
    };
    expect(version(fromConfigMap, told)).toBe(version({ instance: "PublicGood" }));
    expect(asked).toEqual([{ kind: "ConfigMap", name: "roots", key: "trusted_root.json" }]);
    const secret = { trustedRootFrom: { secret: { name: "roots", key: "k" } } };
    expect(version(secret, told)).toBe(version({ instance: "PublicGood" }));
    expect(asked[1]).toEqual({ kind: "Secret", name: "roots", key: "k" });
  });

  it("is other trust once it holds another text, and the same object while it does not", () => {
    const first = compiled(fromConfigMap, () => ({ text: publicGoodRoot }));
    const again = (text: string) =>
      compileObjects([keyless], [rootObject({ sigstore: [{ name: "s", ...fromConfigMap }] })], {
        resolve: () => ({ text }),
        previous: first.trust,
      });
    expect(again(publicGoodRoot).trust).toBe(first.trust);
    expect(again(otherRoot()).trust.version).not.toBe(first.trust.version);
  });

  it("makes trust root and policy unusable while it cannot be had, and says why", () => {
    const fault = "ConfigMap n/roots has no key trusted_root.json; add it";
    const { problems, policies, references } = compiled(fromConfigMap, () => ({ fault }));
    expect(problems).toMatchObject([
      {
        kind: "SkillTrustRoot",
        reason: "UnusableTrust",
        message: `spec.sigstore[0].trustedRootFrom: ${fault}`,
      },
      { kind: "ClusterSkillPolicy", reason: "TrustRootMissing" },
    ]);
    expect(policies[0]?.invalidReason).toBeDefined();
    // It has to be followed all the same, or it could never be had.
    expect(references.map(({ name }) => name)).toEqual(["r/s"]);
  });

  it("leads to nothing where nobody supplies anything", () => {
    expect(problemOf(fromConfigMap)?.message).toMatch(
      /no ConfigMap is read here; write the trusted root into/,
    );
    expect(problemOf(fromMirror)?.message).toMatch(/tuf: no mirror is asked here/);
  });

  it.each([
    ["no JSON", "not json", /key trusted_root\.json: the trusted root is/],
    ["another file", "{}", /mediaType is missing; give the text of a trusted_root\.json/],
    ["a text without end", " ".repeat(maxTrustedRootLength + 1), /longer than/],
  ])("is refused when it is %s, by the name of the object", (_what, text, message) => {
    const told = problemOf(fromConfigMap, () => ({ text }))?.message;
    expect(told).toMatch(/^spec\.sigstore\[0\]\.trustedRootFrom: ConfigMap roots, key trusted_root\.json: /);
    expect(told).toMatch(message);
  });

  it("is held to the thresholds of its entry", () => {
    const asking = { ...fromConfigMap, tlogThreshold: 4 };
    expect(problemOf(asking, () => ({ text: publicGoodRoot }))?.message).toMatch(
      /4 transparency logs are asked for/,
    );
    expect(problemOf({ ...asking, tlogThreshold: 2 }, () => ({ text: publicGoodRoot }))).toBeUndefined();
  });
});

describe("a trusted root from a mirror", () => {
  const silent: ResolvedReference = { fault: "the mirror has not answered; see that it can be reached" };

  it("counts once the mirror has answered, and denies before", () => {
    expect(version(fromMirror, () => ({ text: publicGoodRoot }))).toBe(version({ instance: "PublicGood" }));
    expect(problemOf(fromMirror, () => silent)?.message).toBe(`spec.sigstore[0].tuf: ${silent.fault}`);
  });

  it("stands behind what is beside it until then, which a note tells", () => {
    const beside = { ...fromMirror, instance: "PublicGood" };
    const before = compiled(beside, () => silent);
    expect(before.problems).toEqual([]);
    expect(before.trust.version).toBe(version({ instance: "PublicGood" }));
    expect(before.trustNotes).toEqual([
      { name: "r", message: `spec.sigstore[0].tuf: ${silent.fault}; instance serves in its place` },
    ]);
    const after = compiled(beside, () => ({ text: otherRoot() }));
    expect(after.trustNotes).toEqual([]);
    expect(after.trust.version).toBe(version({ trustedRoot: otherRoot() }));
  });

  it("stays as it was published last while the mirror fails, which a note tells", () => {
    const { problems, trust, trustNotes } = compiled(fromMirror, () => ({ text: otherRoot(), ...silent }));
    expect(problems).toEqual([]);
    expect(trust.version).toBe(version({ trustedRoot: otherRoot() }));
    expect(trustNotes[0]?.message).toMatch(/has not answered.*what it published last serves/);
  });

  it("names both, where neither it nor the object beside it can be had", () => {
    const told = problemOf({ ...fromMirror, ...fromConfigMap }, ({ kind }) => ({ fault: `no ${kind}` }));
    expect(told?.message).toBe(
      "spec.sigstore[0].tuf: no TUF; spec.sigstore[0].trustedRootFrom: no ConfigMap",
    );
  });

  it("is never replaced by what stands beside it because it is unusable", () => {
    const told = problemOf({ ...fromMirror, instance: "PublicGood" }, () => ({ text: "{}" }));
    expect(told?.message).toMatch(
      /spec\.sigstore\[0\]\.tuf: trusted_root\.json of https:\/\/tuf\.example\.com: .*mediaType/,
    );
  });

  it("is asked for by its mirror, root and path", () => {
    const [reference] = compiled(
      { tuf: { mirror: `${mirror}/repo//`, root: "x", target: "a/b.json" } },
      () => silent,
    ).references;
    expect(reference).toEqual({
      name: "r/s",
      reference: { kind: "TUF", mirror: `${mirror}/repo`, root: "x", target: "a/b.json" },
    });
  });
});

describe("referenceKey", () => {
  const tuf: TrustReference = { kind: "TUF", mirror, root: "{}", target: "trusted_root.json" };
  const object: TrustReference = { kind: "ConfigMap", name: "a", key: "b" };

  it("tells apart what may lead to different texts", () => {
    const all: readonly TrustReference[] = [
      tuf,
      { ...tuf, mirror: `${mirror}/other` },
      { ...tuf, root: "{ }" },
      { ...tuf, target: "other.json" },
      object,
      { ...object, kind: "Secret" },
      { ...object, name: "a/b", key: "" },
      { ...object, key: "c" },
    ];
    expect(new Set(all.map(referenceKey)).size).toBe(all.length);
    expect(referenceKey({ ...tuf })).toBe(referenceKey(tuf));
  });
});

describe("normalMirror", () => {
  it.each([
    ["https://a.example/", "https://a.example"],
    ["https://A.example:443//", "https://a.example"],
    ["https://a.example/x/../y/", "https://a.example/y"],
    ["https://a.example/Y", "https://a.example/Y"],
  ])("writes %s as %s", (given, normal) => {
    expect(normalMirror(given)).toBe(normal);
  });
});
