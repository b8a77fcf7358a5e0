import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agrees, describeDrift } from "../../../../../src/cluster/live/registration/drift.ts";
import { webhookConfiguration } from "../../../../../src/cluster/live/registration/webhook-configuration.ts";
import type { KubernetesObject } from "../../../../../src/kubernetes/object.ts";
import { everywhere, nowhere } from "../../../../fixtures/governed.ts";

const owner = { name: "skill-admission", uid: "u-1" };
const wanted = webhookConfiguration({
  address: { service: { namespace: "skill-admission", name: "skill-admission", port: 443 } },
  caBundle: "x",
  governed: everywhere,
  bindings: nowhere,
  owner,
});

interface Changeable {
  metadata: Record<string, unknown>;
  webhooks: Record<string, unknown>[];
}

/** The registration as somebody left it. */
function changed(change: (object: Changeable) => void): KubernetesObject {
  const copy = structuredClone(wanted) as unknown as Changeable;
  change(copy);
  return copy as unknown as KubernetesObject;
}

const pods = "pods.skill-admission.dev";
const entry = (manager: string, time: string, fields: object, name = pods) => ({
  manager,
  time,
  fieldsV1: { "f:webhooks": { [`k:${JSON.stringify({ name })}`]: fields } },
});

describe("describeDrift", () => {
  it("says that nothing is registered", () => {
    expect(describeDrift(undefined, wanted)).toBe("it was deleted");
  });

  it.each<[string, (object: Changeable) => void, string]>([
    [
      "a field",
      ({ webhooks }) => (webhooks[0]!["failurePolicy"] = "Ignore"),
      `webhooks[${pods}].failurePolicy: expected "Fail", found "Ignore"`,
    ],
    [
      "a field deep within",
      ({ webhooks }) => ((webhooks[0]!["clientConfig"] as { service: { port: number } }).service.port = 1),
      `webhooks[${pods}].clientConfig.service.port: expected 443, found 1`,
    ],
    [
      "a field that was taken away",
      ({ webhooks }) => delete webhooks[0]!["timeoutSeconds"],
      `webhooks[${pods}].timeoutSeconds: expected 5, found nothing`,
    ],
    [
      "a field that was added",
      ({ webhooks }) => (webhooks[0]!["objectSelector"] = { matchLabels: { a: "b" } }),
      `webhooks[${pods}].objectSelector.matchLabels: expected nothing, found {"a":"b"}`,
    ],
    [
      "a rule that was taken away",
      ({ webhooks }) => (webhooks[0]!["rules"] as unknown[]).pop(),
      `webhooks[${pods}].rules: expected [{`,
    ],
    ["another order", ({ webhooks }) => webhooks.reverse(), 'webhooks: expected ["pods.skill-admission.dev"'],
    ["a webhook that was taken away", ({ webhooks }) => webhooks.shift(), `webhooks[${pods}]: expected {`],
    [
      "a webhook that was added",
      ({ webhooks }) => webhooks.push({ name: "x" }),
      'webhooks[x]: expected nothing, found {"name":"x"}',
    ],
    [
      "the owner that was taken away",
      ({ metadata }) => (metadata["ownerReferences"] = []),
      'metadata.ownerReferences: expected "u-1", found []',
    ],
  ])("names %s, with what is expected and found", (_, change, text) => {
    const present = changed(change);
    expect(agrees(present, wanted)).toBe(false);
    expect(describeDrift(present, wanted)).toContain(text);
  });

  it("says that there is more than it names, and cuts what is long", () => {
    const present = changed(({ webhooks }) => {
      for (const webhook of webhooks) Object.assign(webhook, { failurePolicy: "x".repeat(9_999), a: 1 });
    });
    const text = describeDrift(present, wanted);
    expect(text.match(/expected/g)).toHaveLength(3);
    expect(text).toMatch(/; and more$/);
    expect(text.length).toBeLessThan(1_000);
  });

  it("lets no value, name or manager forge a line", () => {
    const present = changed(({ metadata, webhooks }) => {
      metadata["managedFields"] = [entry("m\u202e\n", "1", { "f:failurePolicy": {} })];
      webhooks[0]!["failurePolicy"] = "\u001b[2J\nerror";
      webhooks.push({ name: "a\nb" });
    });
    expect(describeDrift(present, wanted)).not.toMatch(/[\n\u001b\u202e]/);
  });

  it("names the last one who wrote the field, and no one who wrote others", () => {
    const by = (...managedFields: readonly unknown[]): string =>
      describeDrift(
        changed(({ metadata, webhooks }) => {
          metadata["managedFields"] = managedFields;
          webhooks[0]!["failurePolicy"] = "Ignore";
        }),
        wanted,
      ).slice(`webhooks[${pods}].failurePolicy: expected "Fail", found "Ignore"`.length);
    const field = { "f:failurePolicy": {} };
    expect(by()).toBe("");
    expect(by(entry("argocd", "2026-01-01T00:00:00Z", field))).toBe(' (by "argocd")');
    expect(
      by(
        entry("flux", "2026-01-02T00:00:00Z", field),
        entry("argocd", "2026-01-01T00:00:00Z", field),
        entry("skill-admission", "2026-01-03T00:00:00Z", field),
      ),
    ).toBe(' (by "flux")');
    expect(by(entry("argocd", "2026-01-01T00:00:00Z", { "f:rules": {} }))).toBe("");
    expect(by(entry("argocd", "2026-01-01T00:00:00Z", field, "configmaps.skill-admission.dev"))).toBe("");
    expect(by(entry("skill-admission", "2026-01-01T00:00:00Z", field))).toBe(
      " (by another version or installation of Skill Admission)",
    );
    expect(by("x", null, { manager: 1, fieldsV1: [] })).toBe("");
  });

  it("names something wherever something differs, and nothing where nothing does", () => {
    expect(
      describeDrift(
        changed(() => undefined),
        wanted,
      ),
    ).toBe("");
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (value, webhooks, managedFields) => {
        for (const change of [
          (object: Changeable) => (object.webhooks[1]!["rules"] = value),
          (object: Changeable) => (object.webhooks = webhooks as never),
        ]) {
          const present = changed((object) => {
            object.metadata["managedFields"] = managedFields;
            change(object);
          });
          const text = describeDrift(present, wanted);
          expect(text === "").toBe(agrees(present, wanted));
          expect(text.length).toBeLessThan(2_000);
        }
      }),
    );
  });
});
