import { beforeAll, describe, expect, it } from "vitest";
import { statusOf, type Status } from "../../../../../src/cluster/live/status/conditions.ts";
import { compileObjects } from "../../../../fixtures/compile.ts";
import type { KubernetesObject } from "../../../../../src/kubernetes/object.ts";
import { issueAuthority, type IssuedCertificate } from "../../../../fixtures/certificates.ts";
import { issueCrl } from "../../../../fixtures/crl.ts";
import { policyObject, rootObject } from "../../../policy/builders.ts";
import { publicKey, type Spec } from "../../../policy/resource-cases.ts";
import { skillRevocationList } from "../../../../fixtures/resources.ts";

const day = 24 * 3600 * 1000;
const now = Date.parse("2026-10-01T00:00:00Z");
const inDays = (days: number): string => new Date(now + days * day).toISOString().replace(".000", "");

let authority: IssuedCertificate;
beforeAll(async () => {
  authority = await issueAuthority({ notAfter: new Date(now + 400 * day) });
});

const stored = (object: KubernetesObject, status?: Status): KubernetesObject => ({
  ...object,
  metadata: { ...(object.metadata as object), generation: 3 },
  ...(status === undefined ? {} : { status }),
});

const statusOfRoot = (spec: Spec, before?: Status, at = now): Status => {
  const root = stored(rootObject(spec), before);
  return statusOf("SkillTrustRoot", root, compileObjects([], [root]), at);
};

const conditionOf = (status: Status, type: string) =>
  status.conditions?.find((condition) => condition.type === type);

describe("statusOf a trust root", () => {
  it("says what ends next, and that it is not soon", () => {
    const keys = [
      { name: "late", pem: publicKey, notAfter: inDays(90) },
      { name: "next", pem: publicKey, notAfter: inDays(31) },
    ];
    const status = statusOfRoot({ keys });
    expect(status).toMatchObject({ observedGeneration: 3, expires: inDays(31), expiring: "next", keys: 2 });
    expect(conditionOf(status, "Ready")).toMatchObject({ status: "True" });
    expect(conditionOf(status, "Expiring")).toMatchObject({ status: "False", reason: "NothingSoon" });
  });

  it("counts the keys of registries with those of signers", () => {
    const keys = [{ hint: "v1", pem: publicKey, notBefore: inDays(-9) }];
    const vett = [{ name: "a", sigstore: "public", keys }];
    const sigstore = [{ name: "public", instance: "PublicGood" }];
    const status = (spec: Spec): Status => statusOfRoot({ sigstore, ...spec });
    expect(status({ vett })).toMatchObject({ keys: 1, certificates: 0 });
    expect(status({ vett, keys: [{ name: "k", pem: publicKey }] })).toMatchObject({ keys: 2 });
    expect(status({})).toMatchObject({ keys: 0, sigstore: 1 });
  });

  it("is Ready while something serves, and says what cannot be had", () => {
    const tuf = { mirror: "https://tuf.example.com", root: "{}" };
    const ready = (spec: Spec) => conditionOf(statusOfRoot({ sigstore: [spec] }), "Ready");
    const fault =
      "spec.sigstore[0].tuf: no mirror is asked here; write the trusted root into the SkillTrustRoot";
    expect(ready({ name: "s", tuf, instance: "PublicGood" })).toMatchObject({
      status: "True",
      message: `in force; ${fault}; instance serves in its place`,
    });
    expect(ready({ name: "s", tuf })).toMatchObject({
      status: "False",
      reason: "UnusableTrust",
      message: fault,
    });
  });

  it("is Expiring from thirty days before an end on", () => {
    const spec = { keys: [{ name: "k", pem: publicKey, notAfter: inDays(30) }] };
    expect(conditionOf(statusOfRoot(spec), "Expiring")?.status).toBe("False");
    const later = statusOfRoot(spec, undefined, now + 1);
    expect(conditionOf(later, "Expiring")).toMatchObject({
      status: "True",
      reason: "EndsSoon",
      message: `k ends at ${inDays(30)}; add the successor beside it, and remove what has ended`,
    });
  });

  it("says what has ended, and of the rest what ends next", () => {
    const keys = [
      { name: "old", pem: publicKey, notAfter: inDays(-1) },
      { name: "new", pem: publicKey, notAfter: inDays(200) },
    ];
    const status = statusOfRoot({ keys });
    expect(status).toMatchObject({ expires: inDays(200), expiring: "new" });
    expect(conditionOf(status, "Expiring")).toMatchObject({
      status: "True",
      reason: "Ended",
      message: `old ended at ${inDays(-1)}; add the successor beside it, and remove what has ended`,
    });
    expect(statusOfRoot({ keys: keys.slice(0, 1) })).toMatchObject({
      expires: inDays(-1),
      expiring: "old",
    });
  });

  it("knows the ends of certificates", () => {
    const status = statusOfRoot({ certificates: [{ name: "ca", pem: authority.pem }] });
    expect(status).toMatchObject({ expires: inDays(400), expiring: "ca", certificates: 1 });
  });

  it("warns before a Sigstore root's period ends, and no more when it is over", () => {
    const sigstore = (notAfter: string): Spec => ({
      sigstore: [{ name: "public", instance: "PublicGood", notAfter }],
    });
    expect(conditionOf(statusOfRoot(sigstore(inDays(2))), "Expiring")?.status).toBe("True");
    expect(conditionOf(statusOfRoot(sigstore(inDays(-2))), "Expiring")?.status).toBe("False");
  });

  it("says that a revocation list ends three days before it does", async () => {
    const nextUpdate = new Date(now + 10 * day);
    const { pem } = await issueCrl({ issuer: authority, nextUpdate });
    const spec = { certificates: [{ name: "ca", pem: authority.pem }], crls: [{ name: "crl", pem }] };
    const conditionAt = (time: number) => conditionOf(statusOfRoot(spec, undefined, time), "Expiring");
    expect(conditionAt(now + 6 * day)?.status).toBe("False");
    expect(conditionAt(now + 8 * day)).toMatchObject({ status: "True", reason: "EndsSoon" });
    expect(statusOfRoot(spec)).toMatchObject({ expires: inDays(10), expiring: "crl" });
  });

  it("says that nothing ends, where that is so", () => {
    const status = statusOfRoot({ keys: [{ name: "k", pem: publicKey }] });
    expect(status).toMatchObject({ expires: "never" });
    expect(Object.keys(status)).not.toContain("expiring");
  });

  it("keeps the time of a condition while its status is the same", () => {
    const spec = { keys: [{ name: "k", pem: publicKey, notAfter: inDays(31) }] };
    const first = statusOfRoot(spec);
    expect(statusOfRoot(spec, first, now + day / 2)).toEqual(first);
    const later = statusOfRoot(spec, first, now + 2 * day);
    expect(conditionOf(later, "Ready")).toEqual(conditionOf(first, "Ready"));
    expect(conditionOf(later, "Expiring")?.lastTransitionTime).toBe(inDays(2));
  });

  it("has no ends where it cannot be used", () => {
    const status = statusOfRoot({ keys: [{ name: "k", pem: "nonsense" }] });
    expect(status.conditions?.map(({ type }) => type)).toEqual(["Ready"]);
    expect(conditionOf(status, "Ready")).toMatchObject({ status: "False", reason: "Invalid" });
  });
});

describe("statusOf a policy", () => {
  const statusOfPolicy = (
    standing?: { workloads: number; first: readonly string[] },
    before?: Status,
  ): Status => {
    const policy = stored(policyObject(), before);
    const compiled = compileObjects([policy]);
    const [{ name } = { name: "" }] = compiled.policies;
    const standings = standing && { standings: new Map([[name, standing]]) };
    return statusOf("ClusterSkillPolicy", policy, { ...compiled, ...standings }, now);
  };

  it("says how many workloads do not meet it, and which come first", () => {
    const status = statusOfPolicy({ workloads: 12, first: ["Deployment payments/etl"] });
    expect(status).toMatchObject({ noncompliantWorkloads: 12, noncompliant: ["Deployment payments/etl"] });
    const none = statusOfPolicy({ workloads: 0, first: [] }, status);
    expect(none).toMatchObject({ noncompliantWorkloads: 0 });
    expect(none).not.toHaveProperty("noncompliant");
  });

  it("keeps what a leader before wrote while it is not known", () => {
    expect(statusOfPolicy()).not.toHaveProperty("noncompliantWorkloads");
    const before = statusOfPolicy({ workloads: 1, first: ["Pod payments/etl"] });
    expect(statusOfPolicy(undefined, before)).toMatchObject({
      noncompliantWorkloads: 1,
      noncompliant: ["Pod payments/etl"],
    });
  });
});

describe("the dates of a policy", () => {
  const statusAt = (spec: Spec, at = now): Status => {
    const policy = stored(policyObject(spec));
    return statusOf("ClusterSkillPolicy", policy, compileObjects([policy]), at);
  };
  const dated = { unsigned: { action: "Warn", until: inDays(30) } };

  it("are none, where nothing ends", () => {
    const status = statusAt({ unsigned: { action: "Warn" } });
    expect(status).toMatchObject({ expires: "never" });
    expect(conditionOf(status, "Expiring")).toMatchObject({ status: "False", reason: "NothingSoon" });
  });

  it("tell of unsigned.until, from thirty days before it on and not after it", () => {
    const before = statusAt(dated);
    expect(before).toMatchObject({ expires: inDays(30), expiring: "unsigned.until" });
    expect(conditionOf(before, "Expiring")?.status).toBe("False");
    expect(conditionOf(statusAt(dated, now + 1), "Expiring")).toMatchObject({
      status: "True",
      reason: "EndsSoon",
      message: `unsigned.until ends at ${inDays(30)}; have the skills signed before unsigned.until, from which on unsigned ones are refused`,
    });
    const after = statusAt(dated, now + 31 * day);
    expect(after).toMatchObject({ expires: "never" });
    expect(conditionOf(after, "Expiring")?.status).toBe("False");
  });

  it("tell of the certificates that its publishers bring, and of no other policy's", () => {
    const own = { publishers: [{ name: "team", certificate: { pem: authority.pem } }], ...dated };
    const status = statusAt(own, now + 380 * day);
    expect(status).toMatchObject({ expires: inDays(400), expiring: "team" });
    expect(conditionOf(status, "Expiring")).toMatchObject({
      message: `team ends at ${inDays(400)}; add the successor beside it, and remove what has ended`,
    });
    const [one, other] = [stored(policyObject(dated, "pay")), stored(policyObject({}, "payments"))];
    expect(statusOf("ClusterSkillPolicy", other, compileObjects([one, other]), now)).toMatchObject({
      expires: "never",
    });
  });
});

describe("statusOf a revocation list", () => {
  it("counts what it revokes, and nothing where it cannot be used", () => {
    const digest = `sha256:${"ab".repeat(32)}`;
    const list = (spec: Spec): Status => {
      const object = stored(skillRevocationList("l", spec));
      const compiled = compileObjects([policyObject()], [], { revocationLists: [object] });
      return statusOf("SkillRevocationList", object, compiled, now);
    };
    const entry = { digest, reason: "a" };
    expect(list({ skills: [entry, entry], keys: [entry] })).toMatchObject({
      skills: 2,
      files: 0,
      certificates: 0,
      keys: 1,
      identities: 0,
      conditions: [{ type: "Ready", status: "True" }],
    });
    expect(list({ skills: [entry, { digest: "x", reason: "a" }] })).toMatchObject({
      skills: 0,
      conditions: [{ type: "Ready", status: "False", reason: "Invalid" }],
    });
  });
});
