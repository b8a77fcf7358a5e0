import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, describe, expect, it } from "vitest";

import { startMetricsServer } from "../../../src/server/metrics-server.ts";
import { drain } from "../../../src/server/webhook-server.ts";
import { startHarness, type Harness } from "./harness.ts";

describe("drain", () => {
  let harness: Harness | undefined;
  afterEach(() => harness?.stop());

  it("fails readiness first, serves on, then closes without losing a review in flight", async () => {
    const review = async (): Promise<{ status: number; body: string }> => {
      await sleep(300);
      return { status: 200, body: "{}" };
    };
    harness = await startHarness(review);
    const { client, server } = harness;
    expect((await client.call({ method: "GET", path: "/readyz" })).status).toBe(200);
    const begun = performance.now();
    const done = drain(server, harness.startDraining, { grace: 3000, limit: 10_000 });
    const readyz = await client.call({ method: "GET", path: "/readyz" });
    expect(readyz).toMatchObject({ status: 503, body: "shutting down\n" });
    expect(readyz.headers["connection"]).toBe("close");
    expect((await client.call({ method: "GET", path: "/healthz" })).status).toBe(200);
    await sleep(200);
    const last = await Promise.all([1, 2, 3].map(() => client.call({ body: "{}" })));
    expect(last.map(({ status }) => status)).toEqual([200, 200, 200]);
    await done;
    expect(performance.now() - begun).toBeLessThan(12_000);
    await expect(client.call({ body: "{}" })).rejects.toThrow(/ECONNREFUSED/);
  });

  it("ends in bounded time, when a review hangs", async () => {
    harness = await startHarness(() => new Promise(() => undefined), { timeoutSeconds: 30 });
    const hanging = harness.client.call({ body: "{}" });
    hanging.catch(() => undefined);
    await sleep(100);
    const begun = performance.now();
    await drain(harness.server, harness.startDraining, { grace: 0, limit: 200 });
    // Sooner than the review's own time-out.
    expect(performance.now() - begun).toBeLessThan(20_000);
    await expect(hanging).rejects.toThrow();
  });

  it("hurries, when it is told to stop again", async () => {
    harness = await startHarness(() => Promise.resolve({ status: 200, body: "{}" }));
    const hurry = new AbortController();
    const begun = performance.now();
    const done = drain(harness.server, harness.startDraining, {
      grace: 60_000,
      limit: 1000,
      hurry: hurry.signal,
    });
    hurry.abort();
    await done;
    expect(performance.now() - begun).toBeLessThan(30_000);
  });

  it("closes at once, when only idle connections are open", async () => {
    harness = await startHarness(() => Promise.resolve({ status: 200, body: "{}" }));
    await harness.client.call({ body: "{}" });
    const begun = performance.now();
    await harness.server.close(60_000);
    expect(performance.now() - begun).toBeLessThan(30_000);
  });
});

describe("startWebhookServer", () => {
  it("names address and port, when it cannot listen there", async () => {
    const harness = await startHarness(() => Promise.resolve({ status: 200, body: "{}" }));
    const taken = { address: "127.0.0.1", port: harness.server.port };
    await expect(
      startMetricsServer(() => Promise.resolve({ contentType: "", body: "" }), taken, {
        onFault: () => undefined,
      }),
    ).rejects.toThrow(`cannot listen on 127.0.0.1 port ${taken.port}: `);
    await harness.stop();
  });
});

describe("GET /metrics", () => {
  const fetchText = (port: number, path: string): Promise<{ status: number; type: string; body: string }> =>
    new Promise((resolve, reject) => {
      get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => (body += text));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, type: response.headers["content-type"] ?? "", body }),
        );
      }).on("error", reject);
    });

  it("serves the metrics over plain HTTP, 404 elsewhere, and 500 when they cannot be read", async () => {
    const faults: unknown[] = [];
    let broken = false;
    const server = await startMetricsServer(
      () =>
        broken
          ? Promise.reject(new Error("secret detail"))
          : Promise.resolve({ contentType: "text/plain; version=0.0.4", body: "up 1\n" }),
      { address: "127.0.0.1", port: 0 },
      { onFault: (error) => faults.push(error) },
    );
    expect(await fetchText(server.port, "/metrics")).toEqual({
      status: 200,
      type: "text/plain; version=0.0.4",
      body: "up 1\n",
    });
    expect((await fetchText(server.port, "/")).status).toBe(404);
    const post = await fetch(`http://127.0.0.1:${server.port}/metrics`, { method: "POST", body: "x" });
    expect(post.status).toBe(405);
    broken = true;
    const failed = await fetchText(server.port, "/metrics");
    expect(failed.status).toBe(500);
    expect(failed.body).not.toContain("secret");
    expect(faults).toHaveLength(1);
    await server.close(1000);
  });
});
