import { describe, expect, it } from "vitest";
import { webhookConfiguration } from "../../../../../src/cluster/live/registration/webhook-configuration.ts";
import { everywhere, nowhere, watched } from "../../../../fixtures/governed.ts";
import { selectionOf } from "../../../../../src/kubernetes/selection.ts";
import { governedBy } from "../../../../../src/policy/coverage.ts";
import type { Policy } from "../../../../../src/policy/policy.ts";
import { volumeObjectKinds } from "../../../../../src/skill/source.ts";

interface Webhook {
  readonly name: string;
  readonly failurePolicy: string;
  readonly timeoutSeconds: number;
  readonly clientConfig: object;
  readonly namespaceSelector: {
    readonly matchExpressions?: readonly { readonly values: readonly string[] }[];
  };
  readonly rules: readonly {
    readonly resources: readonly string[];
    readonly operations: readonly string[];
  }[];
}

const base = {
  address: { url: "https://h:1/" },
  caBundle: "PEM",
  governed: everywhere,
  bindings: nowhere,
} as const;
const webhooksOf = (options: Parameters<typeof webhookConfiguration>[0]) =>
  webhookConfiguration(options)["webhooks"] as readonly Webhook[];

describe("webhookConfiguration", () => {
  it("asks about everything that can bring in a skill, and fails closed", () => {
    const webhooks = webhooksOf(base);
    expect(webhooks.flatMap(({ rules }) => rules.flatMap(({ resources }) => resources)).sort()).toEqual(
      [
        "configmaps configmaps cronjobs daemonsets deployments jobs pods pods/ephemeralcontainers podtemplates",
        "replicasets replicationcontrollers statefulsets",
      ].flatMap((line) => line.split(" ")),
    );
    expect(new Set(webhooks.map(({ failurePolicy }) => failurePolicy))).toEqual(new Set(["Fail"]));
  });

  it("asks about deletions of immutable ConfigMaps alone, and not of those that go with their namespace", () => {
    const [deletions, ...more] = webhooksOf(base).filter(({ rules }) =>
      rules.some(({ operations }) => operations.includes("DELETE")),
    );
    expect(more).toEqual([]);
    expect(deletions).toMatchObject({
      name: "deletions.skill-admission.dev",
      rules: [{ resources: ["configmaps"], operations: ["DELETE"] }],
      matchConditions: [
        { expression: "has(oldObject.immutable) && oldObject.immutable" },
        {
          expression: "request.userInfo.username != 'system:serviceaccount:kube-system:namespace-controller'",
        },
      ],
    });
  });

  it("asks about bindings, by both resources, only where it is told to, and fails as it is told", () => {
    const { length } = webhooksOf(base);
    for (const [bindings, failurePolicy] of [
      [everywhere, "Fail"],
      [watched, "Ignore"],
    ] as const) {
      const webhooks = webhooksOf({ ...base, bindings });
      expect(new Set(webhooks.slice(0, -1).map((one) => one.failurePolicy))).toEqual(new Set(["Fail"]));
      expect(webhooks.at(-1)?.failurePolicy).toBe(failurePolicy);
      expect(webhooks.slice(0, length)).toEqual(webhooksOf(base));
      const [rule, ...others] = webhooks.at(-1)!.rules;
      expect(others).toEqual([]);
      expect(rule).toMatchObject({ resources: ["pods/binding", "bindings"], operations: ["CREATE"] });
      // The API server leaves an empty list out, which would count as a change of the registration.
      expect(webhooks.at(-1)).not.toHaveProperty("matchConditions");
    }
  });

  it.each(volumeObjectKinds.filter((kind) => kind !== "Secret"))("asks about changes of every %s", (kind) => {
    const [rule] = webhooksOf(base)
      .flatMap(({ rules }) => rules)
      .filter(({ resources }) => resources.includes(`${kind.toLowerCase()}s`));
    expect(rule?.operations).toEqual(["CREATE", "UPDATE"]);
  });

  it("asks Azure's admissions enforcer to leave it alone", () => {
    expect(webhookConfiguration(base).metadata).toMatchObject({
      annotations: { "admissions.enforcer/disabled": "true" },
    });
  });

  it("goes with the Namespace of its installation, and with nothing where it has none", () => {
    expect(webhookConfiguration(base).metadata).not.toHaveProperty("ownerReferences");
    expect(webhookConfiguration({ ...base, owner: { name: "own", uid: "u" } }).metadata).toMatchObject({
      ownerReferences: [{ apiVersion: "v1", kind: "Namespace", name: "own", uid: "u" }],
    });
  });

  it("never asks about the controller's own namespace", () => {
    for (const { namespaceSelector } of webhooksOf({
      ...base,
      controllerNamespace: "own",
      exemptNamespaces: [],
    })) {
      expect(namespaceSelector.matchExpressions?.[0]?.values).toEqual(["own"]);
    }
    for (const { namespaceSelector } of webhooksOf({ ...base, controllerNamespace: "own" })) {
      expect(namespaceSelector.matchExpressions?.[0]?.values).toEqual([
        "kube-node-lease",
        "kube-system",
        "own",
      ]);
    }
  });

  it("exempts no namespace by its name when told so, and any by the break-glass label", () => {
    for (const { namespaceSelector } of webhooksOf({ ...base, exemptNamespaces: [] })) {
      const label = { key: "skill-admission.dev/break-glass", operator: "DoesNotExist" };
      expect(namespaceSelector).toEqual({ matchExpressions: [label] });
    }
    for (const { namespaceSelector } of webhooksOf(base))
      expect(namespaceSelector.matchExpressions).toHaveLength(2);
  });

  it("calls by URL or by service", () => {
    const caBundle = Buffer.from("PEM").toString("base64");
    expect(webhooksOf(base)[0]?.clientConfig).toEqual({ caBundle, url: "https://h:1/validate" });
    const service = { namespace: "own", name: "s", port: 443 };
    expect(webhooksOf({ ...base, address: { service } })[0]?.clientConfig).toEqual({
      caBundle,
      service: { ...service, path: "/validate" },
    });
    expect(webhooksOf({ ...base, caBundle: "" })[0]?.clientConfig).toEqual({ url: "https://h:1/validate" });
  });

  it("waits as long as told, five seconds otherwise", () => {
    expect(webhooksOf(base)[0]?.timeoutSeconds).toBe(5);
    expect(webhooksOf({ ...base, timeoutSeconds: 9 })[0]?.timeoutSeconds).toBe(9);
  });

  describe("for what policies govern", () => {
    const tenant = (mode: Policy["mode"], ...values: readonly string[]) =>
      ({
        mode,
        namespaceSelector: { matchExpressions: [{ key: "tenant", operator: "In", values }] },
      }) as unknown as Policy;
    const exempting = [
      { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-node-lease", "kube-system"] },
      { key: "skill-admission.dev/break-glass", operator: "DoesNotExist" },
    ];
    const asked = (policies: readonly Policy[], more: Partial<Parameters<typeof webhooksOf>[0]> = {}) =>
      webhooksOf({ ...base, governed: governedBy(policies), ...more }).filter(({ name }) =>
        name.startsWith("pods"),
      );

    it("registers nothing without policies", () => {
      expect(webhooksOf({ ...base, governed: nowhere })).toEqual([]);
    });

    it("refuses where one enforces, and waits a second where others only look", () => {
      expect(
        asked([
          tenant("Enforce", "a"),
          tenant("Audit", "b"),
          tenant("Warn", "a", "c"),
          tenant("Enforce", "d"),
        ]),
      ).toMatchObject([
        {
          name: "pods.skill-admission.dev",
          failurePolicy: "Fail",
          timeoutSeconds: 5,
          namespaceSelector: {
            matchExpressions: [...exempting, { key: "tenant", operator: "In", values: ["a", "d"] }],
          },
        },
        {
          name: "pods-observe.skill-admission.dev",
          failurePolicy: "Ignore",
          timeoutSeconds: 1,
          namespaceSelector: {
            matchExpressions: [...exempting, { key: "tenant", operator: "In", values: ["b", "c"] }],
          },
        },
      ]);
    });

    it("asks once about a namespace that two selectors select", () => {
      const production = {
        mode: "Enforce",
        namespaceSelector: { matchLabels: { env: "production" } },
      } as unknown as Policy;
      const both = asked([tenant("Enforce", "a"), production]);
      expect(both.map(({ name }) => name)).toEqual([
        "pods.skill-admission.dev",
        "pods-2.skill-admission.dev",
      ]);
      expect(both.map(({ namespaceSelector }) => namespaceSelector.matchExpressions)).toEqual([
        [
          { key: "env", operator: "NotIn", values: ["production"] },
          ...exempting,
          { key: "tenant", operator: "In", values: ["a"] },
        ],
        [{ key: "env", operator: "In", values: ["production"] }, ...exempting],
      ]);
    });

    it("stays within what the installation says", () => {
      const policies = [tenant("Enforce", "a"), tenant("Audit", "b")];
      const within = (matchLabels: Readonly<Record<string, string>>) =>
        asked(policies, { namespaceSelector: { matchLabels }, failurePolicy: "Ignore" });
      expect(within({ tenant: "b" }).map(({ name }) => name)).toEqual(["pods-observe.skill-admission.dev"]);
      expect(within({ pilot: "yes" })).toMatchObject([
        { failurePolicy: "Ignore", timeoutSeconds: 5 },
        { failurePolicy: "Ignore", timeoutSeconds: 1 },
      ]);
      expect(within({ "skill-admission.dev/break-glass": "x" })).toEqual([]);
    });

    it("adds what the controller asks by itself, under the same address, and only where others are asked about", () => {
      const selfCheckIn = "own";
      expect(webhooksOf({ ...base, governed: nowhere, selfCheckIn })).toEqual([]);
      const webhooks = webhooksOf({ ...base, governed: watched, controllerNamespace: "own", selfCheckIn });
      expect(webhooks.at(-1)).toMatchObject({
        name: "self.skill-admission.dev",
        failurePolicy: "Fail",
        clientConfig: webhooks[0]!.clientConfig,
        rules: [{ resources: ["leases"], operations: ["CREATE"] }],
        namespaceSelector: {
          matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: ["own"] }],
        },
        matchConditions: [{ expression: "request.dryRun && request.name == 'skill-admission-self-check'" }],
      });
    });

    it("never exempts what no selector can hold apart", () => {
      const impossible = {
        mode: "Enforce",
        namespaceSelector: {
          matchLabels: { a: "x" },
          matchExpressions: [{ key: "a", operator: "DoesNotExist" }],
        },
      } as unknown as Policy;
      expect(selectionOf(impossible.namespaceSelector)).toBeUndefined();
      expect(asked([impossible])).toEqual([]);
    });
  });
});
