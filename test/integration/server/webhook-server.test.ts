import { setTimeout as sleep } from "node:timers/promises";

import type { Deadline } from "../../../src/admission/handle.ts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { maxBodyBytes } from "../../../src/server/body.ts";
import { connectionLimits } from "../../../src/server/webhook-server.ts";
import { httpsClient, rawConnection, untilClosed } from "../../fixtures/https-client.ts";
import { startHarness, type Harness } from "./harness.ts";

/** Answers with the length of the body, and as the body asks. */
const review = async (body: Uint8Array, signal: Deadline): Promise<{ status: number; body: string }> => {
  const text = Buffer.from(body).toString("utf8");
  if (text === "throw") throw new Error("secret detail");
  if (text === "gate") await gate;
  if (text === "hang") await new Promise(() => undefined);
  if (text === "wait") {
    await new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined)));
    return { status: 200, body: '{"timeout":true}' };
  }
  return { status: 200, body: JSON.stringify({ length: body.byteLength }) };
};

/** Reviews of "gate" wait for it. */
let openGate = (): void => undefined;
const gate = new Promise<void>((resolve) => (openGate = resolve));

const ok = { length: 2 };

/** Fewer than in production, of which the first has to wait until the last is there. */
const reviewsAtOnce = 100;

const chunked = "POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";

describe("POST /validate", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness(review, {
      timeoutSeconds: 1,
      reviewsAtOnce: { total: reviewsAtOnce, perClient: reviewsAtOnce },
    });
  });
  afterEach(() => {
    harness.faults.length = 0;
  });
  afterAll(() => harness.stop());

  /** The server goes on. */
  const stillServes = async (): Promise<void> => {
    const { status, body } = await harness.client.call({ body: "{}" });
    expect([status, JSON.parse(body)]).toEqual([200, ok]);
  };

  it("hands over the body and sends back status and text as JSON", async () => {
    const { status, headers, body } = await harness.client.call({ body: '{"a":1}' });
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("application/json");
    expect(headers["x-powered-by"]).toBeUndefined();
    expect(JSON.parse(body)).toEqual({ length: 7 });
  });

  it("reviews at every spelling of its path that a router takes for it", async () => {
    for (const path of ["/validate", "/validate?", "/validate/", "/VALIDATE?timeout=1s"]) {
      const { status, body } = await harness.client.call({ path, body: "{}" });
      expect([path, status, JSON.parse(body)]).toEqual([path, 200, ok]);
    }
  });

  it("keeps connections open, and serves many at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => harness.client.call({ body: "x".repeat(index * 100 + 1) })),
    );
    answers.forEach(({ status, body, headers }, index) => {
      expect([status, JSON.parse(body)]).toEqual([200, { length: index * 100 + 1 }]);
      expect(headers["connection"]).toBe("keep-alive");
    });
  });

  it("takes a body of exactly 7 MiB, and refuses one of a byte more with 413, declared or not", async () => {
    const largest = Buffer.alloc(maxBodyBytes, 0x20);
    expect(JSON.parse((await harness.client.call({ body: largest })).body)).toEqual({ length: maxBodyBytes });
    const larger = Buffer.alloc(maxBodyBytes + 1, 0x20);
    const declared = await harness.client.call({ body: larger });
    expect(declared.status).toBe(413);
    expect(declared.body).toContain("7340032 bytes (7 MiB)");
    const socket = await rawConnection(harness.server.port, harness.ca);
    const closed = untilClosed(socket);
    socket.write(`${chunked}transfer-encoding: chunked\r\n\r\n${larger.byteLength.toString(16)}\r\n`);
    socket.write(larger);
    socket.write("\r\n0\r\n\r\n");
    expect(await closed).toMatch(/^HTTP\/1.1 413 /);
    await stillServes();
  });

  it("refuses other content types with 415, other methods with 405, other paths with 404", async () => {
    for (const type of ["application/yaml", "text/plain", "application/jsonp", ""]) {
      const { status } = await harness.client.call({ body: "{}", headers: { "content-type": type } });
      expect(status, type).toBe(415);
    }
    const withCharset = { "content-type": "application/json; charset=utf-8" };
    expect((await harness.client.call({ body: "{}", headers: withCharset })).status).toBe(200);
    const get = await harness.client.call({ method: "GET" });
    expect([get.status, get.headers["allow"]]).toEqual([405, "POST"]);
    expect((await harness.client.call({ method: "PUT", body: "{}" })).status).toBe(405);
    for (const path of ["/", "/validate/x", "/metrics", "/%zz", "/validate%2f..", "//validate"]) {
      expect((await harness.client.call({ path, body: "{}" })).status, path).toBe(404);
    }
    await stillServes();
  });

  it("answers 500 INTERNAL without a detail, when the review throws", async () => {
    const { status, body } = await harness.client.call({ body: "throw" });
    expect(status).toBe(500);
    expect(body).toBe("INTERNAL an unexpected fault in the controller; its log has the details\n");
    expect(harness.faults.map(String)).toEqual(["Error: secret detail"]);
    await stillServes();
  });

  it("aborts the signal before the time-out that the caller names, else before the configured one", async () => {
    const answered: string[] = [];
    const judge = async (path: string, least: number): Promise<void> => {
      const begun = performance.now();
      const { status, body } = await harness.client.call({ path, body: "wait" });
      expect([status, body], path).toEqual([200, '{"timeout":true}']);
      expect(performance.now() - begun, path).toBeGreaterThan(least);
      answered.push(path);
    };
    const [late, configured, early] = ["/validate?timeout=3s", "/validate", "/validate?timeout=250ms"];
    await Promise.all([judge(late, 2700), judge(configured, 850), judge(early, 200)]);
    expect(answered).toEqual([early, configured, late]);
  });

  it("answers 504 TIMEOUT itself and before the caller gives up, when the review never ends", async () => {
    const hang = async (after: number): Promise<number> => {
      await sleep(after);
      const begun = performance.now();
      const { status, body } = await harness.client.call({ path: "/validate?timeout=5s", body: "hang" });
      expect([status, body]).toEqual([504, expect.stringContaining("TIMEOUT")]);
      return performance.now() - begun;
    };
    // The quickest: a busy machine may hold up any of them.
    expect(Math.min(...(await Promise.all([0, 1000, 2000].map(hang))))).toBeLessThan(5000);
    expect(harness.faults).toHaveLength(3);
    await stillServes();
  });

  it("answers 503 at once, when too many reviews are under way, and reviews again when they are done", async () => {
    const many = httpsClient(harness.server.port, harness.ca, reviewsAtOnce);
    const waiting = Array.from({ length: reviewsAtOnce }, () =>
      many.call({ path: "/validate?timeout=30s", body: "gate" }),
    );
    let refused = await harness.client.call({ body: "{}" });
    while (refused.status === 200) {
      await sleep(20);
      refused = await harness.client.call({ body: "{}" });
    }
    expect([refused.status, refused.body]).toEqual([503, expect.stringMatching(/^too many reviews at once/)]);
    expect((await harness.client.call({ method: "GET", path: "/healthz" })).status).toBe(200);
    openGate();
    expect(new Set((await Promise.all(waiting)).map(({ status }) => status))).toEqual(new Set([200]));
    many.agent.destroy();
    await stillServes();
  });

  it("answers 408, when the body does not arrive before the deadline", async () => {
    const socket = await rawConnection(harness.server.port, harness.ca);
    const closed = untilClosed(socket);
    socket.write(`${chunked}content-length: 100\r\n\r\n{`);
    const drip = setInterval(() => socket.write(" "), 200);
    const begun = performance.now();
    const text = await closed;
    clearInterval(drip);
    expect(text).toMatch(/^HTTP\/1.1 408 /);
    // Sooner than Node would end the request by itself.
    expect(performance.now() - begun).toBeLessThan(connectionLimits.request / 2);
    expect(harness.faults).toEqual([]);
  });

  it("goes on, when a body is cut off, and never reviews half of one", async () => {
    for (let time = 0; time < 20; time += 1) {
      const socket = await rawConnection(harness.server.port, harness.ca);
      socket.on("error", () => undefined);
      socket.write(`${chunked}content-length: 6\r\n\r\nthr`);
      await sleep(5);
      if (time % 2 === 0) socket.destroy();
      else socket.end();
    }
    await stillServes();
    expect(harness.faults).toEqual([]);
  });

  it("goes on after garbage, pipelined or not, and after headers that are too long", async () => {
    const attacks: readonly (readonly [string, RegExp])[] = [
      ["\u0016\u0003\u0001garbage\r\n\r\n", /^HTTP\/1.1 400 /],
      ["GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n\0\0\0garbage\r\n\r\n", /^HTTP\/1.1 200 /],
      [`GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, /^HTTP\/1.1 431 /],
      [`${chunked}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n`, /^HTTP\/1.1 400 /],
      [`${chunked}transfer-encoding: chunked\r\n\r\nzz\r\n`, /^HTTP\/1.1 400 /],
      [`${chunked}content-length: -1\r\n\r\n`, /^HTTP\/1.1 400 /],
      ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", /^HTTP\/1.1 400 /],
    ];
    for (const [text, expected] of attacks) {
      const socket = await rawConnection(harness.server.port, harness.ca);
      const closed = untilClosed(socket);
      socket.write(text, "latin1");
      expect(await closed, JSON.stringify(text.slice(0, 80))).toMatch(expected);
    }
    const pipeline = await rawConnection(harness.server.port, harness.ca);
    const closed = untilClosed(pipeline);
    pipeline.write(`${chunked}content-length: 2\r\n\r\n{}`.repeat(5));
    pipeline.write("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    expect((await closed).match(/HTTP\/1\.1 200 OK/g)).toHaveLength(6);
    await stillServes();
    expect(harness.faults).toEqual([]);
  });

  it("ends connections that send nothing, or their headers a byte at a time", async () => {
    const limits = { headers: connectionLimits.headers / 10, checkEvery: connectionLimits.checkEvery / 10 };
    const hurried = await startHarness(review, { limits });
    const silent = await rawConnection(hurried.server.port, hurried.ca);
    const slow = await rawConnection(hurried.server.port, hurried.ca);
    const begun = performance.now();
    const closed = [untilClosed(silent), untilClosed(slow)];
    slow.write("POST /validate HTTP/1.1\r\nx: ");
    const drip = setInterval(() => slow.write("y"), 50);
    const [, text] = await Promise.all(closed);
    clearInterval(drip);
    expect(text).toMatch(/^HTTP\/1.1 (?:408|400) /);
    expect(performance.now() - begun).toBeLessThan(connectionLimits.headers);
    expect(JSON.parse((await hurried.client.call({ body: "{}" })).body)).toEqual(ok);
    await hurried.stop();
  });

  it("waits in production longer than any caller does, and looks often enough", () => {
    const { idle, request, headers, handshake, checkEvery } = connectionLimits;
    // Go's HTTP client ends idle connections after 90 s, and a webhook's time-out is at most 30 s.
    expect(idle).toBeGreaterThan(90_000);
    expect(request).toBeGreaterThan(30_000);
    for (const limit of [headers, handshake]) {
      expect(limit).toBeLessThanOrEqual(10_000);
      expect(checkEvery).toBeLessThan(limit / 2);
    }
  });
});

describe("GET /healthz and /readyz", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness(review);
  });
  afterAll(() => harness.stop());
  const get = (path: string): ReturnType<Harness["client"]["call"]> =>
    harness.client.call({ method: "GET", path });

  it("is alive and ready", async () => {
    expect(await get("/healthz")).toMatchObject({ status: 200, body: "ok\n" });
    expect(await get("/readyz")).toMatchObject({ status: 200, body: "ok\n" });
    expect((await get("/readyz?verbose")).status).toBe(200);
  });

  it("is not ready, though alive, with each problem on a line", async () => {
    harness.problems.push("policies have not been read yet", "the webhook is not registered");
    expect(await get("/readyz")).toMatchObject({
      status: 503,
      body: "policies have not been read yet\nthe webhook is not registered\n",
    });
    expect((await get("/healthz")).status).toBe(200);
    harness.problems.length = 0;
    expect((await get("/readyz")).status).toBe(200);
  });
});
