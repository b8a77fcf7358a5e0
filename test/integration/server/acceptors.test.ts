import { once } from "node:events";
import { createServer, connect, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";

import { afterEach, describe, expect, it } from "vitest";

import { acceptOn, type Acceptors } from "../../../src/server/acceptors.ts";

const address = "127.0.0.1";

/** Opens so many connections from a thread of its own, and notes in `open[0]` when it has them. */
const flood = (port: number, count: number, open: Int32Array): Worker =>
  new Worker(
    `const { connect } = require("node:net");
     const { workerData: { port, count, open } } = require("node:worker_threads");
     let opened = 0;
     const onOpen = () => {
       opened += 1;
       if (opened < count) return;
       Atomics.store(open, 0, 1);
       Atomics.notify(open, 0);
     };
     for (let i = 0; i < count; i += 1) connect(port, "${address}", onOpen).on("error", () => {});`,
    { eval: true, workerData: { port, count, open } },
  );

/** A turn of the event loop that takes so many milliseconds, as on a processor that others use. */
async function longTurn(milliseconds: number): Promise<void> {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
  await nextTurn();
}

describe("acceptOn", () => {
  const sockets: Socket[] = [];
  const acceptors: Acceptors[] = [];
  const worker: Worker[] = [];
  const start = async (how: { exclusive?: boolean } = {}): Promise<Server & { readonly port: number }> => {
    const server = createServer((socket) => sockets.push(socket));
    const one = await acceptOn(server, { address, port: 0, ...how });
    acceptors.push(one);
    return Object.assign(server, { port: one.port });
  };
  afterEach(async () => {
    await Promise.all(worker.splice(0).map((one) => one.terminate()));
    sockets.splice(0).forEach((socket) => socket.destroy());
    await Promise.all(acceptors.splice(0).map((one) => one.close()));
  });

  it("takes many connections in each turn of the event loop, so that long turns keep nobody out", async () => {
    const { port } = await start();
    const open = new Int32Array(new SharedArrayBuffer(4));
    worker.push(flood(port, 200, open));
    // The kernel opens connections while this thread stands still, and they wait to be taken.
    Atomics.wait(open, 0, 0);
    expect(sockets).toHaveLength(0);
    const before = sockets.length;
    for (let turn = 0; turn < 10; turn += 1) await longTurn(10);
    expect(sockets.length - before).toBeGreaterThan(40);
    while (sockets.length < 200) await nextTurn();
  });

  it("says so, when the port is another's, though sockets could share it", async () => {
    const { port } = await start();
    const other = acceptOn(createServer(), { address, port });
    await expect(other).rejects.toThrow(/EADDRINUSE/);
  });

  it("takes connections on one socket that shares its port with nobody, when it is to be exclusive", async () => {
    const { port } = await start({ exclusive: true });
    // Another process of the same user, beside a server that shares its port.
    const thief = createServer();
    const stolen = new Promise((resolve, reject) =>
      thief.once("error", reject).listen({ host: address, port, reusePort: true }, () => resolve(undefined)),
    );
    await expect(stolen).rejects.toThrow(/EADDRINUSE/);
    connect(port, address).on("error", () => undefined);
    while (sockets.length === 0) await nextTurn();
  });

  it("shares its port with others of the same user otherwise, which is why there is the other way", async () => {
    const { port } = await start();
    const other = createServer();
    await new Promise((resolve, reject) =>
      other.once("error", reject).listen({ host: address, port, reusePort: true }, () => resolve(undefined)),
    );
    await new Promise((resolve) => other.close(resolve));
  });

  it("closes what says nothing, when it is told to cut off", async () => {
    const { port } = await start();
    const client = connect(port, address).on("error", () => undefined);
    while (sockets.length === 0) await nextTurn();
    const [one] = acceptors.splice(0);
    const done = one!.close();
    one!.cutOff();
    await done;
    await once(client.resume(), "close");
    expect(client.destroyed).toBe(true);
  });
});
