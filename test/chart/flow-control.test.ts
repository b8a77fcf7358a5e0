import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connectByKubeconfig } from "../../src/cluster/live/api/connection.ts";
import { patience } from "../fixtures/patience.ts";
import { api } from "../cluster/harness/api.ts";
import { apply } from "../cluster/harness/apply.ts";
import { kubectl } from "../cluster/harness/cluster.ts";
import { kubeconfig } from "../cluster/harness/opened.ts";
import { render } from "./helm.ts";

const connection = await connectByKubeconfig(kubeconfig);

/** By which FlowSchema and at which level the API server dealt with a request of this user; by their uids. */
async function flowOf(user: string): Promise<{ readonly schema: unknown; readonly level: unknown }> {
  const { headers, ...options } = await connection.options(false);
  const as = {
    "impersonate-user": user,
    "impersonate-group": ["system:serviceaccounts", "system:authenticated"],
  };
  return await new Promise((resolve, reject) => {
    const outgoing = request(`${connection.server}/api/v1/namespaces/default/configmaps`, {
      ...options,
      headers: { ...(headers as object), ...as },
      timeout: 20_000,
    });
    outgoing.once("error", reject);
    outgoing.once("timeout", () => outgoing.destroy(new Error("no answer")));
    outgoing.once("response", (response) => {
      response.resume();
      resolve({
        schema: response.headers["x-kubernetes-pf-flowschema-uid"],
        level: response.headers["x-kubernetes-pf-prioritylevel-uid"],
      });
    });
    outgoing.end();
  });
}

const uidOf = async (plural: string): Promise<string> =>
  (
    await api<{ readonly metadata: { readonly uid: string } }>(
      `/apis/flowcontrol.apiserver.k8s.io/v1/${plural}/skill-admission`,
    )
  ).metadata.uid;

beforeAll(async () => {
  const objects = await render();
  await apply(...objects.filter(({ apiVersion }) => apiVersion.startsWith("flowcontrol.")));
});
afterAll(async () => {
  await kubectl(["delete", "flowschema,prioritylevelconfiguration", "skill-admission"]);
});

describe("on an API server, requests", () => {
  it("of the controller's account are dealt with at a level of their own", async () => {
    const own = { schema: await uidOf("flowschemas"), level: await uidOf("prioritylevelconfigurations") };
    await vi.waitFor(
      async () => expect(await flowOf("system:serviceaccount:skill-admission:skill-admission")).toEqual(own),
      patience,
    );
  });

  it.each([
    "system:serviceaccount:payments:skill-admission",
    "system:serviceaccount:skill-admission:other",
    "alice",
  ])("of anybody else are not: %s", async (user) => {
    const { schema, level } = await flowOf(user);
    expect(schema).toMatch(/^[0-9a-f-]{36}$/);
    expect(schema).not.toBe(await uidOf("flowschemas"));
    expect(level).not.toBe(await uidOf("prioritylevelconfigurations"));
  });
});
