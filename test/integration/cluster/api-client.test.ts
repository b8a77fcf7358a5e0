import { createServer, type Server, type ServerResponse } from "node:http";
import { Agent } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import {
  createApiClient,
  tooManyBytes,
  tooManyValues,
  type ApiClient,
} from "../../../src/cluster/live/api/client.ts";

let server: Server | undefined;

/** A client of a server that gives the answers in turn, and the last one from then on. */
async function clientOf(
  ...answers: readonly ((response: ServerResponse) => void)[]
): Promise<{ readonly client: ApiClient; readonly asked: () => number }> {
  let asked = 0;
  server = createServer((_request, response) => {
    asked += 1;
    answers[Math.min(asked, answers.length) - 1]!(response);
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  const agent = new Agent({ keepAlive: true });
  const { port } = server.address() as AddressInfo;
  const client = createApiClient({
    server: `http://127.0.0.1:${port}`,
    options: () => Promise.resolve({ agent }),
    close: () => agent.destroy(),
  });
  return { client, asked: () => asked };
}

const ok = (response: ServerResponse): void => void response.end('{"kind":"ConfigMap"}');
const hangUp = (response: ServerResponse): void => void response.destroy();
const breakOff = (response: ServerResponse): void => {
  response.writeHead(200, { "content-length": "1000" });
  response.write('{"kind":');
  setTimeout(() => response.destroy(), 20);
};

const read = { path: "/api/v1/configmaps/a", signal: AbortSignal.timeout(10_000) };

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

describe("a read whose connection breaks", () => {
  it.each([
    ["before the answer, on a new connection", [hangUp, ok], 2],
    ["before the answer, on a kept connection", [ok, hangUp, ok], 3],
    ["in the middle of the answer", [breakOff, ok], 2],
  ])("is asked once more: %s", async (_when, answers, times) => {
    const { client, asked } = await clientOf(...answers);
    if (times === 3) await client.call(read);
    expect(await client.call(read)).toEqual({ kind: "ConfigMap" });
    expect(asked()).toBe(times);
    client.close();
  });

  it("fails in the end, when every connection breaks", async () => {
    const gone = await clientOf(hangUp);
    await expect(gone.client.call(read)).rejects.toThrow("closed again and again");
    expect(gone.asked()).toBeLessThan(10);
    gone.client.close();
  });

  it("fails in the end, when every answer breaks off", async () => {
    const broken = await clientOf(breakOff);
    await expect(broken.client.call(read)).rejects.toThrow("broke off");
    expect(broken.asked()).toBe(2);
    broken.client.close();
  });
});

describe("a read of at most so many values", () => {
  const keys = (count: number) => (response: ServerResponse) =>
    void response.end(
      JSON.stringify({ data: Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, ""])) }),
    );

  it("gives an answer of no more", async () => {
    const { client } = await clientOf(keys(90));
    const { data } = await client.call({ ...read, maxValues: 100 });
    expect(Object.keys(data as object)).toHaveLength(90);
    client.close();
  });

  it("refuses one of more, and says so", async () => {
    const { client } = await clientOf(keys(110));
    await expect(client.call({ ...read, maxValues: 100 })).rejects.toMatchObject({
      message: "/api/v1/configmaps/a: the answer has more than 100 values",
      reason: tooManyValues,
    });
    client.close();
  });
});

describe("an answer of many bytes", () => {
  const bytes = (count: number) => (response: ServerResponse) =>
    void response.end(JSON.stringify({ data: "x".repeat(count - 11) }));

  it.each([
    ["a limit of the caller's", { maxBytes: 1000 }, 1000],
    ["16 MiB, where the caller names none", {}, 16 * 1024 * 1024],
  ])("is given up to %s, and refused above it", async (_, limit, most) => {
    const { client } = await clientOf(bytes(most), bytes(most + 1));
    expect((await client.call({ ...read, ...limit }))["data"]).toHaveLength(most - 11);
    await expect(client.call({ ...read, ...limit })).rejects.toMatchObject({
      message: `the API server's answer is larger than ${most} bytes`,
      reason: tooManyBytes,
    });
    client.close();
  });
});

describe("a list whose version has expired", () => {
  it("says with what token it goes on", async () => {
    const status = { reason: "Expired", message: "too old", metadata: { continue: "next" } };
    const { client } = await clientOf((response) => {
      response.writeHead(410);
      response.end(JSON.stringify(status));
    });
    await expect(client.call(read)).rejects.toMatchObject({
      status: 410,
      reason: "Expired",
      continuation: "next",
    });
    client.close();
  });
});

describe("a write whose connection breaks", () => {
  it.each([
    ["before the answer", hangUp],
    ["in the middle of the answer", breakOff],
  ])("is not sent again: %s", async (_when, answer) => {
    const { client, asked } = await clientOf(answer, ok);
    await expect(client.call({ ...read, method: "PATCH", body: {} })).rejects.toThrow();
    expect(asked()).toBe(1);
    client.close();
  });
});

describe("an API server that is too busy", () => {
  const busy = (status: number, after?: string) => (response: ServerResponse) => {
    response.writeHead(status, after === undefined ? {} : { "retry-after": after });
    response.end(JSON.stringify({ kind: "Status", message: "Too many requests, please try again later." }));
  };
  const asking = (more: object = {}) => ({ ...read, signal: AbortSignal.timeout(60_000), ...more });

  it.each([
    ["a read is refused once by priority and fairness", busy(429, "0"), {}],
    ["a read comes while it shuts down", busy(503, "0"), {}],
    ["a write is refused: nothing was done", busy(429, "0"), { method: "PATCH", body: {} }],
  ])("is asked again when it says: %s", async (_, answer, more) => {
    const { client, asked } = await clientOf(answer, ok);
    expect(await client.call(asking(more))).toEqual({ kind: "ConfigMap" });
    expect(asked()).toBe(2);
    client.close();
  });

  it("waits as long as it says", async () => {
    const { client } = await clientOf(busy(429, "1"), ok);
    const before = performance.now();
    await client.call(asking());
    expect(performance.now() - before).toBeGreaterThan(990);
    client.close();
  });

  it("is asked five times at most, and its answer is then told", async () => {
    const { client, asked } = await clientOf(busy(429, "0"));
    await expect(client.call(asking())).rejects.toMatchObject({
      status: 429,
      message: expect.stringContaining("Too many requests") as string,
    });
    expect(asked()).toBe(5);
    client.close();
  });

  it.each([
    ["it does not say when", busy(503)],
    ["it says no number of seconds", busy(429, "Wed, 21 Oct 2026 07:28:00 GMT")],
    ["it is another fault", busy(500, "0")],
  ])("is not asked again where %s", async (_, answer) => {
    const { client, asked } = await clientOf(answer, ok);
    await expect(client.call(asking())).rejects.toThrow("Too many requests");
    expect(asked()).toBe(1);
    client.close();
  });

  it("is not waited for longer than the caller has time", async () => {
    const { client, asked } = await clientOf(busy(429, "600"), ok);
    const limited = client.call(asking({ signal: AbortSignal.timeout(50) }));
    await expect(limited).rejects.toMatchObject({
      name: expect.stringMatching(/TimeoutError|AbortError/) as string,
    });
    expect(asked()).toBe(1);
    client.close();
  });

  it("is not asked again for a watch, which has a pace of its own", async () => {
    const { client, asked } = await clientOf(busy(429, "0"), ok);
    await expect(client.stream(asking())).rejects.toMatchObject({ status: 429 });
    expect(asked()).toBe(1);
    client.close();
  });
});
