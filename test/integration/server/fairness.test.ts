import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";

import { afterEach, describe, expect, it } from "vitest";

import { maxBodyBytes, maxBufferedBytes } from "../../../src/server/body.ts";
import { slowAfter, type ShareLimit } from "../../../src/server/shares.ts";
import type { Answer } from "../../fixtures/answer.ts";
import { rawConnection } from "../../fixtures/https-client.ts";
import { startHarness, type Harness } from "./harness.ts";

/** Addresses of this machine: each is a client of its own. */
const [flooder, accomplice, victim] = ["127.0.0.21", "127.0.0.22", "127.0.0.23"] as const;

const headers = (length: number): string =>
  `POST /validate?timeout=30s HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

describe("a review of one address beside a flood from others", () => {
  let harness: Harness;
  let openGate = (): void => undefined;
  let atWork = 0;
  const sockets: TLSSocket[] = [];

  /** Reviews of "gate" wait for it, as far as their signal lets them. */
  const start = async (reviewsAtOnce: ShareLimit): Promise<void> => {
    const gate = new Promise<void>((resolve) => (openGate = resolve));
    atWork = 0;
    harness = await startHarness(
      async (body, signal) => {
        if (Buffer.from(body).toString() === "gate") {
          atWork += 1;
          const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
          await Promise.race([gate, ended]);
          atWork -= 1;
        }
        return { status: 200, body: "{}" };
      },
      { address: "0.0.0.0", reviewsAtOnce },
    );
  };
  afterEach(async () => {
    openGate();
    sockets.splice(0).forEach((socket) => socket.destroy());
    await harness.stop();
  });

  const ask = (from: string, body: string | Uint8Array = "{}"): Promise<Answer> =>
    harness.client.call({ from, body, path: "/validate?timeout=30s" });
  const many = (count: number, from: string, body?: string): readonly Promise<Answer>[] =>
    Array.from({ length: count }, () => ask(from, body));
  const statusesOf = async (answers: readonly Promise<Answer>[]): Promise<readonly number[]> =>
    (await Promise.all(answers)).map(({ status }) => status);
  const untilAtWork = async (count: number): Promise<void> => {
    while (atWork < count) await sleep(5);
  };
  /** Begins a body and does not end it. */
  const beginBody = async (length: number, first: string | Uint8Array): Promise<void> => {
    const socket = await rawConnection(harness.server.port, harness.ca, flooder);
    sockets.push(socket);
    socket.on("error", () => undefined).resume();
    socket.write(headers(length));
    await new Promise((resolve) => socket.write(first, resolve));
  };
  /** Fills the memory for bodies with those that lack their last byte. */
  const fillMemory = async (): Promise<void> => {
    const most = Buffer.alloc(maxBodyBytes - 1, 0x20);
    for (let i = 0; i < Math.floor(maxBufferedBytes / maxBodyBytes); i += 1)
      await beginBody(maxBodyBytes, most);
  };

  it("has all the places of one address, while another holds all of its own for long", async () => {
    await start({ total: 40, perClient: 20 });
    const held = many(20, flooder, "gate");
    await untilAtWork(20);
    expect(await statusesOf(many(5, flooder))).toEqual(Array(5).fill(503));
    // As an API server behind one address, with as many at once as there may be.
    const own = many(20, victim, "gate");
    await untilAtWork(40);
    openGate();
    expect(await statusesOf(own)).toEqual(Array(20).fill(200));
    expect(await statusesOf(held)).toEqual(Array(20).fill(200));
    expect(harness.refusals).toEqual(
      Array(5).fill({
        status: 503,
        message: "too many reviews at once; try again, or run more replicas",
        client: flooder,
      }),
    );
  });

  it("finds a place where all are taken: the oldest review of the address with most is told why", async () => {
    await start({ total: 20, perClient: 10 });
    const held = [...many(10, flooder, "gate"), ...many(10, accomplice, "gate")];
    await untilAtWork(20);
    expect(await statusesOf(many(5, victim))).toEqual(Array(5).fill(200));
    openGate();
    const answers = await Promise.all(held);
    const gaveWay = answers.filter(({ status }) => status === 503);
    expect(gaveWay.length).toBeGreaterThan(0);
    expect(gaveWay.length).toBeLessThanOrEqual(5);
    expect(gaveWay[0]?.body).toMatch(/made room for another address; try again, or run more replicas/);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20 - gaveWay.length);
    expect(harness.refusals.every(({ client }) => client !== victim)).toBe(true);
  });

  it("is not kept out by bodies that come slowly: they hold no place, of whatever address", async () => {
    await start({ total: 2, perClient: 2 });
    for (let i = 0; i < 30; i += 1) await beginBody(100, "{");
    for (let i = 0; i < 10; i += 1) {
      expect((await ask(victim)).status).toBe(200);
      expect((await ask(flooder)).status).toBe(200);
    }
    expect(harness.refusals).toEqual([]);
  });

  it("has memory for its body, where another's unfinished bodies fill it all", async () => {
    await start({ total: 40, perClient: 20 });
    await fillMemory();
    const large = Buffer.alloc(6 * 1024 * 1024, 0x20);
    expect(await statusesOf(Array.from({ length: 4 }, () => ask(victim, large)))).toEqual(Array(4).fill(200));
    expect(harness.refusals.length).toBeGreaterThan(0);
    expect(new Set(harness.refusals.map(({ client }) => client))).toEqual(new Set([flooder]));
  });

  it("has memory at the flooder's own address too, once the flooder's bodies have been slow for a second", async () => {
    await start({ total: 40, perClient: 20 });
    await fillMemory();
    await sleep(slowAfter + 100);
    const large = Buffer.alloc(6 * 1024 * 1024, 0x20);
    expect(await statusesOf([ask(flooder, large), ask(flooder, large)])).toEqual([200, 200]);
    expect(harness.refusals.map(({ status }) => status)).toContain(503);
  });
});
