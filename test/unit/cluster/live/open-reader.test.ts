import { describe, expect, it } from "vitest";
import { ApiError, type ApiRequest } from "../../../../src/cluster/live/api/client.ts";
import { readerOf } from "../../../../src/cluster/live/open-reader.ts";
import {
  webhookConfiguration,
  type WebhookOptions,
} from "../../../../src/cluster/live/registration/webhook-configuration.ts";
import type { KubernetesObject } from "../../../../src/kubernetes/object.ts";
import { collectionPath, ownKinds } from "../../../../src/policy/resource/kinds.ts";
import { forbidden, listingApi } from "../../../fixtures/listing-api.ts";
import { clusterSkillPolicy } from "../../../fixtures/resources.ts";
import { nowhere } from "../../../fixtures/governed.ts";

const signal = AbortSignal.timeout(60_000);
const pod = (namespace: string, name: string): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace, name },
});
const pods = (count: number, namespace = "payments") =>
  Array.from({ length: count }, (_, index) => pod(namespace, `pod-${index}`));

/** Refuses every request whose path has these words. */
const refuse =
  (words: string, error: ApiError) =>
  ({ path }: ApiRequest): void => {
    if (path.includes(words)) throw error;
  };

async function podsIn(reader: ReturnType<typeof readerOf>, namespace?: string) {
  const pages: { readonly names: readonly string[]; readonly remaining: number | undefined }[] = [];
  for await (const { pods: some, remaining } of reader.podPages(namespace)) {
    expect(some.every(({ apiVersion, kind }) => apiVersion === "v1" && kind === "Pod")).toBe(true);
    const names = some.map(({ metadata }) =>
      Object.values(metadata as Record<string, string>)
        .slice(2)
        .join("/"),
    );
    pages.push({ names, remaining });
  }
  return pages;
}

describe("podPages", () => {
  it("lists in pages, and says how many follow", async () => {
    const client = listingApi({ collections: { "/api/v1/pods": pods(230) } });
    const pages = await podsIn(readerOf(client, "security"));
    expect(pages.map(({ names, remaining }) => [names.length, remaining])).toEqual([
      [100, 130],
      [100, 30],
      [30, undefined],
    ]);
  });

  it("leaves out namespaces about which the webhook is never asked, but not one that is named", async () => {
    const homes = ["kube-node-lease", "kube-system", "payments", "security"];
    const all = homes.map((home) => pod(home, "a"));
    const collections = { "/api/v1/pods": all, "/api/v1/namespaces/kube-system/pods": [all[1]!] };
    const reader = readerOf(listingApi({ collections }), "security");
    expect(await podsIn(reader)).toMatchObject([{ names: ["payments/a"] }]);
    expect(await podsIn(reader, "kube-system")).toMatchObject([{ names: ["kube-system/a"] }]);
  });
});

describe("exemptions", () => {
  const path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
  const registered = (options: Partial<WebhookOptions> = {}): KubernetesObject =>
    webhookConfiguration({
      address: { url: "https://h" },
      caBundle: "",
      governed: nowhere,
      bindings: nowhere,
      ...options,
    });
  const read = (collections: Readonly<Record<string, readonly KubernetesObject[]>>, before?: () => void) =>
    readerOf(
      listingApi({ collections, ...(before === undefined ? {} : { before }) }),
      "security",
    ).exemptions();

  const namespaces = {
    "/api/v1/namespaces": [
      ...["kube-system", "quiet", "security"].map((name) => ({
        metadata: { name, labels: { pilot: "yes" } },
      })),
      { metadata: { name: "other" } },
      { metadata: { name: "open", labels: { pilot: "yes", "skill-admission.dev/break-glass": "" } } },
    ],
  };

  it("are those of the registered webhook, also while nothing is asked about, and pods there are left out", async () => {
    const own = registered({ controllerNamespace: "security", exemptNamespaces: ["quiet"] });
    const collections = {
      ...namespaces,
      [path]: [own],
      "/api/v1/pods": ["kube-system", "open", "quiet", "security"].map((home) => pod(home, "a")),
    };
    expect(await read(collections)).toMatchObject({ names: new Set(["quiet", "security"]) });
    expect(await podsIn(readerOf(listingApi({ collections }), "security"))).toMatchObject([
      // Break-glass is for a while: what came in meanwhile is looked at.
      { names: ["kube-system/a", "open/a"] },
    ]);
  });

  it("are those too that the installation's own selector leaves out", async () => {
    const own = registered({ exemptNamespaces: [], namespaceSelector: { matchLabels: { pilot: "yes" } } });
    const collections = {
      ...namespaces,
      [path]: [own],
      "/api/v1/pods": ["other", "quiet"].map((home) => pod(home, "a")),
    };
    expect(await podsIn(readerOf(listingApi({ collections }), "security"))).toMatchObject([
      { names: ["quiet/a"] },
    ]);
  });

  it("are those of every installation where they cannot be read, which is said", async () => {
    const names = new Set(["kube-node-lease", "kube-system", "security"]);
    expect(await read({})).toEqual({ names, unknown: "no webhook is registered there" });
    for (const annotations of [
      {},
      { "skill-admission.dev/scope": "{" },
      { "skill-admission.dev/scope": "{}" },
    ])
      expect(
        await read({ [path]: [{ ...registered(), metadata: { name: "skill-admission", annotations } }] }),
      ).toEqual({
        names,
        unknown: "an older version registered the webhook",
      });
    const refused = await read({}, () => {
      throw forbidden("get", "validatingwebhookconfigurations");
    });
    expect(refused.names).toEqual(names);
    expect(refused.unknown).toMatch(/cannot get .*; grant that right \(docs\/cli\.md has a ClusterRole\)$/);
  });
});

describe("errors name what is missing, and end with what to do", () => {
  const own = Object.fromEntries(ownKinds.map((kind) => [collectionPath(kind), []]));

  it.each<[string, string, ApiError, RegExp]>([
    [
      "the right to list pods",
      "/pods",
      forbidden("list", "pods"),
      /^the pods could not be read: User "tester" cannot list resource "pods"; grant that right \(docs\/cli\.md has a ClusterRole\)$/,
    ],
    [
      "credentials",
      "/pods",
      new ApiError(401, "Unauthorized"),
      /Unauthorized; renew the credentials in the kubeconfig$/,
    ],
    [
      "an answer",
      "/pods",
      new ApiError(0, "connect ECONNREFUSED"),
      /ECONNREFUSED; see that the API server can be reached/,
    ],
  ])("%s", async (_what, words, error, message) => {
    const reader = readerOf(listingApi({ collections: {}, before: refuse(words, error) }), "security");
    const listing = podsIn(reader);
    await expect(listing).rejects.toMatchObject({ name: "SourceError", code: "SOURCE_UNAVAILABLE" });
    await expect(listing).rejects.toThrow(message);
  });

  it("names the kind that may not be listed", async () => {
    const before = refuse("skilltrustroots", forbidden("list", "skilltrustroots"));
    const reading = readerOf(listingApi({ collections: own, before }), "security").policyObjects();
    await expect(reading).rejects.toThrow(/^the skilltrustroots could not be read: .*; grant that right/);
  });

  it("tells a cluster without the product from one without policies", async () => {
    const reader = readerOf(listingApi({ collections: {} }), "security");
    await expect(reader.policyObjects()).rejects.toThrow(
      /knows no ClusterSkillPolicy: Skill Admission is not installed there/,
    );
    const found = await readerOf(listingApi({ collections: own }), "security").policyObjects();
    expect(found.ClusterSkillPolicy).toEqual([]);
  });

  it("speaks of the caller's rights, not of the controller's", async () => {
    const before = ({ path }: ApiRequest): void => {
      if (path.includes("configmaps")) throw forbidden("get", "configmaps");
      if (path.includes("namespaces/a")) throw forbidden("get", "namespaces");
    };
    const reader = readerOf(listingApi({ collections: {}, before }), "security");
    const reading = reader.read({ kind: "ConfigMap", namespace: "b", name: "c" }, signal);
    await expect(reading).rejects.toThrow(
      /^ConfigMap b\/c could not be read: .*"configmaps"; grant that right/,
    );
    await expect(reader.namespaceLabels("a", signal)).rejects.toThrow(/^Namespace a .*; grant that right/);
    await expect(reader.namespaceLabels("b", signal)).rejects.toThrow(/^there is no Namespace b$/);
  });
});

describe("what is there", () => {
  it("is read: own objects over several pages, an absent ConfigMap, labels once", async () => {
    const policies = Array.from({ length: 120 }, (_, index) => clusterSkillPolicy(`p-${index}`, {}));
    const client = listingApi({
      collections: {
        ...Object.fromEntries(ownKinds.map((kind) => [collectionPath(kind), []])),
        [collectionPath("ClusterSkillPolicy")]: policies,
        "/api/v1/namespaces": [{ metadata: { name: "payments", labels: { tenant: "a" } } }],
      },
    });
    const reader = readerOf(client, "security");
    expect((await reader.policyObjects()).ClusterSkillPolicy).toHaveLength(120);
    expect(await reader.read({ kind: "ConfigMap", namespace: "b", name: "c" }, signal)).toBeUndefined();
    const before = client.asked.length;
    for (let round = 0; round < 3; round += 1)
      expect(await reader.namespaceLabels("payments", signal)).toEqual({ tenant: "a" });
    expect(client.asked.length).toBe(before + 1);
  });
});
