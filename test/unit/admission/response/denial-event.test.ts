import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Decision } from "../../../../src/admission/decision.ts";
import { denialEvent } from "../../../../src/admission/response/denial-event.ts";
import type { Verdict } from "../../../../src/policy/finding.ts";
import type { KubernetesObject } from "../../../../src/kubernetes/object.ts";
import { subject } from "../../../fixtures/review-subject.ts";

const verdict = (path: string, outcome: Verdict["outcome"] = "deny", count = 1): Verdict => ({
  policy: "payments",
  tenant: "payments",
  mode: "Enforce",
  outcome,
  skills: Array.from({ length: count }, (_, index) => ({
    reference: {
      name: `skill-${index}`,
      path: `/skills/${index}`,
      containers: ["agent"],
      sources: [{ kind: "ConfigMap", name: "c", writable: false }],
      content: { state: "resolved", skill: { name: "etl", files: new Map() } },
    },
    grades: { integrity: "ABSENT", authorship: "ABSENT", freshness: "UNVERIFIED" },
    findings: [{ code: "FILE_UNSIGNED", message: "was not signed", path, tolerated: false }],
  })),
});

const denied = (path = "extra.py", over: Partial<typeof subject> = {}): Decision => ({
  outcome: "deny",
  id: "7f3c1a9e",
  subject: { ...subject, ...over },
  verdicts: [verdict(path)],
  trust: "sha256:7",
});

const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "etl-1", uid: "u-1", controller: true };
const pod = (ownerReferences?: unknown): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "etl", uid: "p-1", ...(ownerReferences === undefined ? {} : { ownerReferences }) },
});

describe("denialEvent", () => {
  it("is about the controller that made the object, and names the policy", () => {
    const others = [{ ...owner, controller: false, name: "other" }, owner];
    expect(denialEvent(denied(), pod(others))).toMatchObject({
      reason: "SkillDenied",
      namespace: "payments",
      regarding: {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        name: "etl-1",
        namespace: "payments",
        uid: "u-1",
      },
      related: { kind: "ClusterSkillPolicy", name: "payments" },
    });
  });

  it("is about the object itself, where nothing made it; with its uid only where it exists", () => {
    const itself = { apiVersion: "v1", kind: "Pod", name: "etl", namespace: "payments" };
    expect(denialEvent(denied(), pod())?.regarding).toEqual(itself);
    expect(denialEvent(denied("x", { operation: "UPDATE" }), pod())?.regarding).toEqual({
      ...itself,
      uid: "p-1",
    });
    expect(denialEvent(denied("x", { name: "etl-*" }), pod())?.regarding.name).toBe("etl-");
  });

  it("is about the pod that is not bound, whatever the Binding says of owners, and shows the reasons first", () => {
    const binding = {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name: "etl", uid: "p-1", ownerReferences: [owner] },
    };
    const event = denialEvent(denied("x", { kind: "Binding", resource: "pods/binding" }), binding);
    expect(event?.regarding).toEqual({
      apiVersion: "v1",
      kind: "Pod",
      name: "etl",
      namespace: "payments",
      uid: "p-1",
    });
    expect(event?.note().split("\n")[0]).toMatch(
      /denied Binding payments\/etl: 1 of 1 skill failed: \S+ FILE_UNSIGNED \S+$/,
    );
    expect(denialEvent(denied(), pod())?.note().split("\n")[0]).toMatch(
      /1 of 1 skill failed: \S+ FILE_UNSIGNED \S+$/,
    );
  });

  it("is none where a mode lets in what could not be reviewed", () => {
    const failed = { outcome: "error", id: "7f3c1a9e", subject, code: "TIMEOUT", message: "late" } as const;
    expect(denialEvent(failed, pod())).toMatchObject({ reason: "SkillReviewFailed" });
    expect(denialEvent({ ...failed, letInBy: "Audit" }, pod())).toBeUndefined();
  });

  it.each([
    ["no list", {}],
    ["no controller", [{ ...owner, controller: false }]],
    ["a controller without a name", [{ ...owner, name: undefined }]],
    ["a controller with a name without end", [{ ...owner, name: "x".repeat(254) }]],
    ["a controller that is text", ["x"]],
  ])("is about the object itself, where its owners are %s", (_, owners) => {
    expect(denialEvent(denied(), pod(owners))?.regarding.kind).toBe("Pod");
  });

  it.each([
    ["apps/v1", "DaemonSet"],
    ["apps/v1", "Deployment"],
    ["apps/v1", "ReplicaSet"],
    ["apps/v1", "StatefulSet"],
    ["batch/v1", "CronJob"],
    ["batch/v1", "Job"],
    ["v1", "ReplicationController"],
    ["tekton.dev/v1", "TaskRun"],
    ["argoproj.io/v1alpha1", "Workflow"],
    ["agents.x-k8s.io/v1alpha1", "Sandbox"],
  ])("is about its controller, a %s %s", (apiVersion, kind) => {
    expect(denialEvent(denied(), pod([{ ...owner, apiVersion, kind }]))?.regarding).toMatchObject({
      apiVersion,
      kind,
    });
  });

  it.each([
    ["v1", "Node"],
    ["v1", "Namespace"],
    ["v1", "ReplicaSet"],
    ["apps/v1", "Node"],
    ["apps/v1 ReplicaSet", ""],
    ["apps/v1", "constructor"],
    ["rbac.authorization.k8s.io/v1", "ClusterRole"],
    ["storage.k8s.io/v1", "StorageClass"],
    ["tekton.dev", "TaskRun"],
    ["tekton.dev/v1/x", "TaskRun"],
    ["../v1", "TaskRun"],
  ])("is about the object itself, where it calls a %s %s its controller", (apiVersion, kind) => {
    const forged = { apiVersion, kind, name: "worker-1", uid: "worker-1", controller: true };
    expect(denialEvent(denied(), pod([forged]))?.regarding).toMatchObject({ kind: "Pod", name: "etl" });
  });

  it("tells the same denial from another one", () => {
    const told = (path: string, over = {}) => denialEvent(denied(path, over), pod([owner]));
    expect(told("a", { uid: "other", name: "etl-2" })?.cause).toBe(told("a")?.cause);
    expect(told("b")?.cause).not.toBe(told("a")?.cause);
  });

  it("names who asked, of whose Events there are so many", () => {
    const user = "system:serviceaccount:kube-system:replicaset-controller";
    expect(denialEvent(denied("a", { user }), pod([owner]))?.requester).toBe(user);
  });

  it("says what the denial says, in at most a kibibyte", () => {
    const note = denialEvent(denied(), pod())?.note() ?? "";
    expect(note).toMatch(/^policy "payments" denied Pod payments\/etl: 1 of 1 skill failed: [^\n]+\n/);
    expect(note).toMatch(/\ndecision 7f3c1a9e$/);
    const many: Decision = {
      ...denied(),
      outcome: "deny",
      verdicts: [verdict("ü".repeat(200), "deny", 50)],
      trust: "sha256:7",
    };
    const long = denialEvent(many, pod())?.note() ?? "";
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(1024);
    expect(long).toContain("more");
  });

  it("keeps the reason in the first line, whatever the names are", () => {
    const wide = { ...verdict("ü".repeat(500)), policy: "p".repeat(253) };
    const about = { ...subject, namespace: "s".repeat(63), name: "n".repeat(253) };
    const decision: Decision = {
      outcome: "deny",
      id: "7f3c1a9e",
      subject: about,
      verdicts: [wide],
      trust: "sha256:7",
    };
    const note = denialEvent(decision, pod([owner]))?.note() ?? "";
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
    expect(note.split("\n")[0]).toMatch(
      /^policy "p+.*" denied Pod s+.*n: 1 of 1 skill failed: skill-0 FILE_UNSIGNED ü+…ü+$/,
    );
    expect(note).toMatch(/\ndecision 7f3c1a9e$/);
  });

  it("tells of a review that failed", () => {
    const failed: Decision = {
      outcome: "error",
      id: "1",
      subject,
      code: "SOURCE_UNAVAILABLE",
      message: "ü".repeat(5_000),
    };
    const event = denialEvent(failed, pod([owner]));
    expect(event).toMatchObject({ reason: "SkillReviewFailed", regarding: { kind: "ReplicaSet" } });
    expect(event?.note()).toContain("SOURCE_UNAVAILABLE ü");
    expect(Buffer.byteLength(event?.note() ?? "")).toBeLessThanOrEqual(1024);
  });

  it("is none for what a person tried to create, who has read the answer, but for its maker and for what exists", () => {
    const person = { user: "ada@example.com" };
    expect(denialEvent(denied("x", person), pod())).toBeUndefined();
    const late = { outcome: "error", id: "1", code: "TIMEOUT", message: "late" } as const;
    expect(denialEvent({ ...late, subject: { ...subject, ...person } }, pod())).toBeUndefined();
    expect(denialEvent(denied("x", person), pod([owner]))?.regarding.kind).toBe("ReplicaSet");
    expect(denialEvent(denied("x", { ...person, operation: "UPDATE" }), pod())?.regarding.kind).toBe("Pod");
    for (const user of ["system:serviceaccount:payments:ci", "system:node:n1"])
      expect(denialEvent(denied("x", { user }), pod())?.regarding.kind).toBe("Pod");
  });

  it("is none for a dry run, for what is let in, and for what is in no namespace", () => {
    expect(denialEvent(denied("x", { dryRun: true }), pod())).toBeUndefined();
    expect(denialEvent(denied("x", { namespace: "" }), pod())).toBeUndefined();
    for (const outcome of ["allow", "warn"] as const) {
      const decision: Decision = {
        outcome,
        id: "1",
        subject,
        verdicts: [verdict("x", outcome)],
        trust: "sha256:7",
      };
      expect(denialEvent(decision, pod())).toBeUndefined();
    }
    expect(denialEvent({ outcome: "allow", id: "1", subject, bypass: "no-skills" }, pod())).toBeUndefined();
    expect(denialEvent(denied(), undefined)).toBeUndefined();
  });

  it("takes whatever stands in an object's metadata", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (metadata, owners) => {
        for (const object of [{ apiVersion: "v1", metadata }, pod(owners), pod([owners])])
          expect(() => denialEvent(denied(), object)?.note()).not.toThrow();
      }),
    );
  });
});
