import { createHash, generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { statusOf, type Status } from "../../../../../src/cluster/live/status/conditions.ts";
import type { KubernetesObject } from "../../../../../src/kubernetes/object.ts";
import type { OwnKind } from "../../../../../src/policy/resource/kinds.ts";
import { entryMark, publisherMark, type Mark } from "../../../../../src/policy/trust/usage.ts";
import { identityKey } from "../../../../../src/policy/trust/revocations.ts";
import { issueAuthority, type IssuedCertificate } from "../../../../fixtures/certificates.ts";
import { compileObjects } from "../../../../fixtures/compile.ts";
import { skillRevocationList } from "../../../../fixtures/resources.ts";
import { keyFingerprint, policyObject, rootObject } from "../../../policy/builders.ts";
import type { Spec } from "../../../policy/resource-cases.ts";

const now = Date.parse("2026-10-01T00:00:00Z");
const pemOf = (): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" })
    .publicKey.export({ type: "spki", format: "pem" })
    .toString();
const [old, fresh, spare] = [pemOf(), pemOf(), pemOf()];
const hex = (byte: string): string => byte.repeat(32);
const keyMark = (pem: string): Mark => `key ${keyFingerprint(pem)}`;
const keyEntry = (pem: string, reason = "laptop was stolen"): Spec => ({
  digest: `sha256:${keyFingerprint(pem)}`,
  reason,
});

let authority: IssuedCertificate;
beforeAll(async () => {
  authority = await issueAuthority({ notAfter: 4_000 });
});

interface World {
  readonly policies?: readonly KubernetesObject[];
  readonly roots?: readonly KubernetesObject[];
  readonly lists?: readonly KubernetesObject[];
  readonly seen?: readonly Mark[];
}

const stored = (object: KubernetesObject, status?: Status): KubernetesObject => ({
  ...object,
  metadata: { ...(object.metadata as object), generation: 1 },
  ...(status === undefined ? {} : { status }),
});

/** The status of an object in a world of which this was seen. */
function statusIn({ policies = [], roots = [], lists = [], seen }: World, object: KubernetesObject): Status {
  const compiled = compileObjects(policies, roots, { revocationLists: lists });
  return statusOf(
    object["kind"] as OwnKind,
    object,
    { ...compiled, ...(seen === undefined ? {} : { seen: new Set(seen) }) },
    now,
  );
}

const conditionOf = ({ conditions = [] }: Status, type: string) =>
  conditions.find((condition) => condition.type === type);

const root = stored(
  rootObject({
    keys: [
      { name: "old", pem: old },
      { name: "fresh", pem: fresh },
    ],
  }),
);
const refer = (key?: string): KubernetesObject =>
  policyObject({
    publishers: [
      { name: "team", publicKey: { trustRootRef: { name: "r", ...(key === undefined ? {} : { key }) } } },
    ],
  });

describe("what of a trust root matches nothing", () => {
  const rooted = (more: World): Status => statusIn({ roots: [root], ...more }, root);

  it("is what no policy refers to", () => {
    const status = rooted({ policies: [refer("fresh")], seen: [keyMark(fresh)] });
    expect(status).toMatchObject({ unused: 1, revoked: 0 });
    expect(conditionOf(status, "Unused")).toMatchObject({
      status: "True",
      reason: "NotReferenced",
      message: "no policy refers to old; keep what is to sign later, and take out what has signed its last",
    });
  });

  it("is what has signed nothing that runs", () => {
    const status = rooted({ policies: [refer()], seen: [keyMark(fresh)] });
    expect(status).toMatchObject({ unused: 1 });
    expect(conditionOf(status, "Unused")).toMatchObject({
      status: "True",
      reason: "NothingSigned",
      message:
        "no skill that runs where policies govern is signed by old; keep what is to sign later, and take out what has signed its last",
    });
  });

  it("is nothing, where each has", () => {
    const status = rooted({ policies: [refer()], seen: [keyMark(fresh), keyMark(old)] });
    expect(status).toMatchObject({ unused: 0 });
    expect(conditionOf(status, "Unused")).toMatchObject({ status: "False", reason: "InUse" });
  });

  it("names eight at most, and counts the rest", () => {
    const keys = Array.from({ length: 11 }, (_, at) => ({ name: `k${at}`, pem: pemOf() }));
    const many = stored(rootObject({ keys }));
    const message = conditionOf(statusIn({ roots: [many], seen: [] }, many), "Unused")?.message;
    expect(message).toMatch(/^no policy refers to (k\d+, ){8}3 more; /);
  });

  it("is not known before all was judged, nor while a policy cannot be used: what was written stays", () => {
    expect(conditionOf(rooted({ policies: [refer()] }), "Unused")).toBeUndefined();
    const before = rooted({ policies: [refer()], seen: [] });
    const again = stored(root, before);
    for (const world of [
      { policies: [refer()] },
      { policies: [refer(), policyObject({ mode: "none" }, "broken")], seen: [] },
    ]) {
      const status = statusIn({ roots: [root], ...world }, again);
      expect(conditionOf(status, "Unused")).toEqual(conditionOf(before, "Unused"));
      expect(status).toMatchObject({ unused: 2 });
    }
  });
});

describe("what of trust is revoked", () => {
  const list = (spec: Spec): KubernetesObject => skillRevocationList("org-revoked", spec);

  it("is told in the trust root that holds it, with the list and the reason", () => {
    const lists = [list({ keys: [keyEntry(old)] })];
    const status = statusIn({ roots: [root], lists }, root);
    expect(status).toMatchObject({ revoked: 1 });
    expect(conditionOf(status, "Revoked")).toMatchObject({
      status: "True",
      reason: "Revoked",
      message:
        "revoked: old by SkillRevocationList org-revoked (laptop was stolen); skills signed by it are refused: take it out",
    });
    expect(conditionOf(statusIn({ roots: [root] }, root), "Revoked")).toMatchObject({
      status: "False",
      reason: "NothingRevoked",
    });
    const other = [list({ keys: [keyEntry(spare)] })];
    expect(statusIn({ roots: [root], lists: other }, root)).toMatchObject({ revoked: 0 });
  });

  it("is told of a certificate by itself and by its key", () => {
    const certified = stored(rootObject({ certificates: [{ name: "ca", pem: authority.pem }] }));
    const der = authority.certificate.raw;
    const digest = `sha256:${createHash("sha256").update(der).digest("hex")}`;
    const key = `sha256:${keyFingerprint(authority.certificate.publicKey)}`;
    for (const spec of [
      { certificates: [{ digest, reason: "a" }] },
      { keys: [{ digest: key, reason: "b" }] },
    ])
      expect(
        conditionOf(statusIn({ roots: [certified], lists: [list(spec)] }, certified), "Revoked"),
      ).toMatchObject({
        status: "True",
        message: expect.stringMatching(/^revoked: ca by SkillRevocationList org-revoked/) as string,
      });
  });

  it("is told in the policy whose publisher it is, too", () => {
    const own = stored(policyObject({ publishers: [{ name: "team", publicKey: { pem: old } }] }));
    const status = statusIn({ policies: [own], lists: [list({ keys: [keyEntry(old)] })] }, own);
    expect(conditionOf(status, "Revoked")?.message).toMatch(
      /^revoked: team by SkillRevocationList org-revoked/,
    );
    const referring = stored(refer());
    expect(
      conditionOf(
        statusIn(
          { policies: [referring], roots: [root], lists: [list({ keys: [keyEntry(old)] })] },
          referring,
        ),
        "Revoked",
      ),
    ).toMatchObject({ status: "True" });
    expect(conditionOf(statusIn({ policies: [own] }, own), "Revoked")).toMatchObject({ status: "False" });
  });
});

describe("a publisher of a policy", () => {
  const policy = stored(
    policyObject({
      publishers: [
        { name: "one", publicKey: { pem: old } },
        { name: "two", publicKey: { pem: fresh } },
      ],
    }),
  );
  const unused = (...seen: readonly Mark[]) =>
    conditionOf(statusIn({ policies: [policy], seen }, policy), "Unused");

  it("is told that nothing is signed by it where the policy governs", () => {
    expect(unused(publisherMark("p", "one"), publisherMark("other", "two"))).toMatchObject({
      status: "True",
      reason: "NothingSigned",
      message:
        "no skill that runs where it governs is signed by the publishers two; keep what is to sign later, and take out what has signed its last",
    });
    expect(unused(publisherMark("p", "one"), publisherMark("p", "two"))).toMatchObject({ status: "False" });
  });
});

describe("an entry of a revocation list", () => {
  const identity = { identity: "me@example.com", issuer: "https://issuer.example.com", reason: "c" };
  const list = stored(
    skillRevocationList("l", {
      files: [{ digest: `sha256:${hex("aa")}`, reason: "a" }],
      skills: [{ digest: `sha256:${hex("bb")}`, reason: "b" }],
      keys: [keyEntry(old)],
      identities: [identity],
    }),
  );
  const said = (world: World): readonly unknown[] => {
    const status = statusIn({ lists: [list], ...world }, list);
    const { reason, message } = conditionOf(status, "Unused") ?? {};
    return [status["matched"], reason, message];
  };

  it("is told that names nothing that runs or is trusted", () => {
    expect(said({ seen: [] })).toEqual([
      0,
      "MatchesNothing",
      `4 of 4 entries name nothing that runs where policies govern, and no key or certificate that is trusted: skills ${hex("bb")}, files ${hex("aa")}, keys ${keyFingerprint(old)}, identities ${identityKey(identity.issuer, identity.identity)}; see that the digests are right; an entry that is to keep something out may stay`,
    ]);
  });

  it("matches by what runs, by what is trusted, and by whom a policy takes", () => {
    expect(said({ seen: [entryMark("files", hex("aa"))] }).slice(0, 2)).toEqual([1, "MatchesNothing"]);
    const keyless = policyObject({
      publishers: [
        {
          name: "ci",
          keyless: {
            trustRootRef: { name: "s" },
            issuer: identity.issuer,
            identity: identity.identity,
          },
        },
      ],
    });
    const sigstore = rootObject({ sigstore: [{ name: "public", instance: "PublicGood" }] }, "s");
    const all = {
      policies: [keyless],
      roots: [root, sigstore],
      seen: [entryMark("files", hex("aa")), entryMark("skills", hex("bb"))],
    };
    expect(said(all).slice(0, 2)).toEqual([4, "InUse"]);
    expect(said({ ...all, policies: [] }).slice(0, 2)).toEqual([3, "MatchesNothing"]);
  });

  it("is not told of before all was judged", () => {
    expect(said({})).toEqual([undefined, undefined, undefined]);
  });
});

describe("a list that is enforced always", () => {
  it("says how many workloads it refuses", () => {
    const list = stored(skillRevocationList("l", { enforcement: "Always" }));
    const compiled = compileObjects([], [], { revocationLists: [list] });
    const standings = new Map([["SkillRevocationList/l", { workloads: 2, first: ["Pod a/b"] }]]);
    expect(statusOf("SkillRevocationList", list, { ...compiled, standings }, now)).toMatchObject({
      noncompliantWorkloads: 2,
      noncompliant: ["Pod a/b"],
    });
    const ordinary = stored(skillRevocationList("l", {}), { noncompliantWorkloads: 2 });
    expect(statusOf("SkillRevocationList", ordinary, { ...compiled, standings }, now)).not.toHaveProperty(
      "noncompliantWorkloads",
    );
  });
});
