import { once } from "node:events";
import { createServer, connect, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";

import { afterEach, describe, expect, it } from "vitest";

import { acceptOn, type Acceptors } from "../../../src/server/acceptors.ts";

const address = "127.0.0.1";

/** Opens so many connections from a thread of its own, and says when it has them. */
const flood = (port: number, count: number): Worker =>
  new Worker(
    `const { connect } = require("node:net");
     const { parentPort, workerData: { port, count } } = require("node:worker_threads");
     let open = 0;
     for (let i = 0; i < count; i += 1)
       connect(port, "${address}", () => (open += 1) === count && parentPort.postMessage("open")).on("error", () => {});`,
    { eval: true, workerData: { port, count } },
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
  const start = async (most = 2048): Promise<Server & { readonly port: number }> => {
    const server = createServer((socket) => sockets.push(socket));
    const one = await acceptOn(server, { address, port: 0 }, most);
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
    const client = flood(port, 200);
    worker.push(client);
    // The kernel opens connections while this thread is busy, and they wait to be taken.
    await longTurn(500);
    const before = sockets.length;
    for (let turn = 0; turn < 10; turn += 1) await longTurn(10);
    expect(sockets.length - before).toBeGreaterThan(40);
    while (sockets.length < 200) await nextTurn();
  });

  it("says so, when the port is another's, though sockets could share it", async () => {
    const { port } = await start();
    const other = acceptOn(createServer(), { address, port }, 64);
    await expect(other).rejects.toThrow(/EADDRINUSE/);
  });

  it("closes connections above the most", async () => {
    const { port } = await start(16);
    let left = 64;
    const clients = Array.from({ length: left }, () =>
      connect(port, address)
        .on("error", () => undefined)
        .once("close", () => (left -= 1))
        .resume(),
    );
    while (left > 16) await nextTurn();
    expect(sockets.length).toBeGreaterThan(0);
    clients.forEach((client) => client.destroy());
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
