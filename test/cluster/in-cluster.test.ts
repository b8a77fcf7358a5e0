import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createApiClient, type ApiClient } from "../../src/cluster/live/api/client.ts";
import { connectInCluster } from "../../src/cluster/live/api/connection.ts";
import { patience } from "../fixtures/patience.ts";
import { kubectl } from "./harness/cluster.ts";
import { createNamespace } from "./harness/namespaces.ts";
import { kubeconfig } from "./harness/opened.ts";

let folder: string;
let client: ApiClient;
const token = async () => (await kubectl(["-n", "in-cluster", "create", "token", "controller"])).trim();
const read = () =>
  client.call({ path: "/api/v1/namespaces/in-cluster", signal: AbortSignal.timeout(10_000) });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skill-admission-account-"));
  await createNamespace("in-cluster");
  await kubectl(["-n", "in-cluster", "create", "serviceaccount", "controller"]);
  const view = ["--clusterrole=view", "--serviceaccount=in-cluster:controller"];
  await kubectl(["-n", "in-cluster", "create", "rolebinding", "controller", ...view]);
  const config = JSON.parse(await readFile(kubeconfig, "utf8")) as {
    readonly clusters: readonly [{ readonly cluster: { readonly "certificate-authority": string } }];
  };
  await writeFile(
    join(folder, "ca.crt"),
    await readFile(config.clusters[0].cluster["certificate-authority"]),
  );
  await writeFile(join(folder, "token"), await token());
  client = createApiClient(connectInCluster(await address()));
  // API servers learn of a right by watch.
  await vi.waitFor(read, patience);
});
afterAll(async () => {
  client.close();
  await rm(folder, { recursive: true, force: true });
});

describe("connectInCluster", () => {
  it("speaks as the pod's ServiceAccount, with its rights and no more", async () => {
    expect(await read()).toMatchObject({ metadata: { name: "in-cluster" } });
    const other = client.call({ path: "/api/v1/nodes", signal: AbortSignal.timeout(10_000) });
    await expect(other).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining("system:serviceaccount:in-cluster:controller") as string,
    });
  });

  it("reads a token that was replaced as soon as the old one is refused", async () => {
    await writeFile(join(folder, "token"), "expired");
    const fresh = createApiClient(connectInCluster(await address()));
    await expect(
      fresh.call({ path: "/api/v1/namespaces/in-cluster", signal: AbortSignal.timeout(10_000) }),
    ).rejects.toMatchObject({ status: 401 });
    await writeFile(join(folder, "token"), await token());
    expect(
      await fresh.call({ path: "/api/v1/namespaces/in-cluster", signal: AbortSignal.timeout(10_000) }),
    ).toMatchObject({ metadata: { name: "in-cluster" } });
    fresh.close();
  });

  it("says so when there is no token", async () => {
    const nowhere = createApiClient(
      connectInCluster({ ...(await address()), accountFolder: join(folder, "no") }),
    );
    await expect(nowhere.call({ path: "/api", signal: AbortSignal.timeout(10_000) })).rejects.toThrow(
      /no credentials.*ENOENT/,
    );
  });
});

async function address() {
  const { clusters } = JSON.parse(await readFile(kubeconfig, "utf8")) as {
    readonly clusters: readonly [{ readonly cluster: { readonly server: string } }];
  };
  const { hostname, port } = new URL(clusters[0].cluster.server);
  return { host: hostname, port, accountFolder: folder };
}
