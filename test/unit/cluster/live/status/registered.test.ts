import { describe, expect, it } from "vitest";
import { scopeOf } from "../../../../../src/cluster/live/registration/scope.ts";
import { statusOf, type Status } from "../../../../../src/cluster/live/status/conditions.ts";
import { textsOf, type RegistrationStanding } from "../../../../../src/cluster/live/status/registered.ts";
import type { LabelSelector } from "../../../../../src/kubernetes/label-selector.ts";
import { governedBy } from "../../../../../src/policy/coverage.ts";
import { compileObjects } from "../../../../fixtures/compile.ts";
import { nowhere } from "../../../../fixtures/governed.ts";
import { clusterSkillPolicy } from "../../../../fixtures/resources.ts";
import { publishers, type Spec } from "../../../policy/resource-cases.ts";

const now = Date.parse("2026-10-01T00:00:00Z");
const policy = (spec: Spec = {}, generation = 1, status?: Status) => {
  const object = clusterSkillPolicy("own", {
    publishers,
    namespaceSelector: { matchLabels: { tenant: "a" } },
    ...spec,
  });
  return {
    ...object,
    metadata: { ...(object.metadata as object), generation },
    ...(status === undefined ? {} : { status }),
  };
};
const compiledFrom = (object: ReturnType<typeof policy>) => compileObjects([object], []);

/** As it stands after the webhook was registered for these policies. */
const registeredFor = (
  object: ReturnType<typeof policy>,
  more: { readonly failurePolicy?: "Ignore"; readonly namespaceSelector?: LabelSelector } = {},
): RegistrationStanding => ({
  governed: textsOf(governedBy(compiledFrom(object).policies)),
  scope: scopeOf(more),
  failurePolicy: more.failurePolicy ?? "Fail",
});
const nothing: RegistrationStanding = {
  governed: textsOf(nowhere),
  scope: scopeOf({}),
  failurePolicy: "Fail",
};

const refuses = "the API server asks about its namespaces, and refuses while no replica answers";

const conditions = (object: ReturnType<typeof policy>, registration?: RegistrationStanding) => {
  const from = { ...compiledFrom(object), ...(registration === undefined ? {} : { registration }) };
  const found = statusOf("ClusterSkillPolicy", object, from, now).conditions ?? [];
  return Object.fromEntries(
    found.map(({ type, status, reason, message }) => [type, { status, reason, message }]),
  );
};

describe("condition Registered of a policy", () => {
  it("is True once the API server asks about its namespaces, and only then the policy is Ready", () => {
    const object = policy();
    expect(conditions(object, registeredFor(object))).toMatchObject({
      Ready: { status: "True", reason: "Compiled" },
      Registered: { status: "True", message: refuses },
    });
    const pending = { status: "False", reason: "Pending" };
    for (const registration of [nothing, undefined])
      expect(conditions(object, registration)).toMatchObject({ Ready: pending, Registered: pending });
  });

  it("is not True for Enforce where the webhook is registered for Audit only, and the other way it is", () => {
    const [audit, enforce] = [policy({ mode: "Audit" }), policy()];
    expect(conditions(enforce, registeredFor(audit))["Registered"]?.status).toBe("False");
    const { status, message } = conditions(audit, registeredFor(enforce))["Registered"]!;
    expect(status).toBe("True");
    expect(message).toContain("a second at most");
  });

  it("says why the webhook is not registered, and what an installation leaves out", () => {
    const object = policy();
    expect(conditions(object, { problem: "an operator unregistered it" })["Ready"]).toEqual({
      status: "False",
      reason: "NotRegistered",
      message: "an operator unregistered it",
    });
    const elsewhere = { namespaceSelector: { matchLabels: { tenant: "b" } } };
    expect(conditions(object, registeredFor(object, elsewhere))["Ready"]).toMatchObject({
      status: "False",
      reason: "OutOfScope",
    });
    expect(
      conditions(object, registeredFor(object, { failurePolicy: "Ignore" }))["Registered"]?.message,
    ).toContain("everything goes through");
    const never = policy({
      namespaceSelector: {
        matchLabels: { a: "x" },
        matchExpressions: [{ key: "a", operator: "NotIn", values: ["x"] }],
      },
    });
    expect(conditions(never, registeredFor(never))["Ready"]?.reason).toBe("SelectsNothing");
  });

  it("is False while the API server gets no answer, with its words and what becomes of objects", () => {
    const unanswered = { unanswered: "dial tcp: connection refused" };
    for (const [mode, becomes] of [
      ["Enforce", "refuses"],
      ["Warn", "lets in"],
    ] as const) {
      const object = policy({ mode });
      const { Ready, Registered } = conditions(object, { ...registeredFor(object), ...unanswered });
      expect(Ready).toEqual(Registered);
      expect(Registered).toEqual({
        status: "False",
        reason: "Unanswered",
        message: `the API server gets no answer of the webhook, and ${becomes} what it would ask about: dial tcp: connection refused`,
      });
    }
  });

  it("stays as a leader before said of the same generation, while nobody knows", () => {
    const object = policy();
    const said = statusOf(
      "ClusterSkillPolicy",
      object,
      { ...compiledFrom(object), registration: registeredFor(object) },
      now,
    );
    expect(conditions(policy({}, 1, said))["Ready"]?.status).toBe("True");
    expect(conditions(policy({}, 2, said))["Ready"]).toMatchObject({ status: "False", reason: "Pending" });
  });

  it("does not hide that a policy cannot be used", () => {
    const broken = policy({ publishers: [] });
    expect(conditions(broken, nothing)).toMatchObject({
      Ready: { status: "False", reason: "Invalid" },
      Registered: { status: "False", reason: "Pending" },
    });
    expect(conditions(broken, registeredFor(broken))["Registered"]?.status).toBe("True");
  });
});
