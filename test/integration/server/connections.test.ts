import { createServer, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { request } from "node:https";

import { afterEach, describe, expect, it } from "vitest";

import { reviewLimit } from "../../../src/server/app.ts";
import { limitConnections, type ClosedConnection } from "../../../src/server/connections.ts";
import { connectionLimits } from "../../../src/server/webhook-server.ts";
import { answerOf, type Answer } from "../../fixtures/answer.ts";
import { startHarness, type Harness } from "./harness.ts";

/** Addresses of this machine: each is a client of its own. */
const [alice, bob, carol] = ["127.0.0.11", "127.0.0.12", "127.0.0.13"] as const;

const review = (length: number, body = ""): string =>
  `POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`;

/** A connection, with everything received over it. */
class Client {
  readonly socket: Socket;
  #received = "";
  #closed = false;
  #changed = Promise.withResolvers<undefined>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#received += chunk.toString("latin1");
      this.#tell();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#closed = true;
      this.#tell();
    });
  }

  get isOpen(): boolean {
    return !this.#closed;
  }

  get answers(): number {
    return this.#received.match(/HTTP\/1\.1 200 /g)?.length ?? 0;
  }

  /** Sends, and waits until one more request is answered or the connection is closed. */
  async ask(text: string): Promise<this> {
    const wanted = this.answers + 1;
    this.socket.write(text);
    await this.untilAnswered(wanted);
    return this;
  }

  async untilAnswered(wanted: number): Promise<void> {
    while (this.isOpen && this.answers < wanted) await this.#changed.promise;
  }

  async untilClosed(): Promise<void> {
    while (this.isOpen) await this.#changed.promise;
  }

  #tell(): void {
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers();
  }
}

describe("limitConnections", () => {
  let server: Server;
  let openGate = (): void => undefined;
  let begun = 0;
  const told: ClosedConnection[] = [];
  const clients: Client[] = [];

  /** Answers at once, or "/wait" when the gate opens, or "/large" with more than a connection holds. */
  const start = async (limit: { total: number; perClient: number }): Promise<void> => {
    const gate = new Promise<void>((resolve) => (openGate = resolve));
    server = createServer((incoming, response) => {
      begun += 1;
      incoming.resume();
      if (incoming.url === "/wait") void gate.then(() => response.end("ok"));
      else if (incoming.url === "/large") response.end(Buffer.alloc(64 * 1024 * 1024));
      else incoming.on("end", () => response.end("ok"));
    });
    limitConnections(server, limit, (closed) => told.push(closed));
    await new Promise<void>((resolve) => {
      server.listen(0, "0.0.0.0", resolve);
    });
  };
  afterEach(async () => {
    openGate();
    clients.splice(0).forEach(({ socket }) => socket.destroy());
    told.length = 0;
    begun = 0;
    await new Promise((resolve) => server.close(resolve));
  });

  const open = (localAddress: string): Client => {
    const { port } = server.address() as { port: number };
    const client = new Client(connect({ host: "127.0.0.1", port, localAddress }));
    clients.push(client);
    return client;
  };
  /** Opens a connection that has had an answer and is idle. */
  const idle = (of: string): Promise<Client> => open(of).ask(review(2, "{}"));
  const several = async (count: number, make: () => Promise<Client>): Promise<readonly Client[]> => {
    const made: Client[] = [];
    for (let i = 0; i < count; i += 1) made.push(await make());
    return made;
  };
  /** Opens a connection whose request the server has begun with. */
  const begin = async (of: string, text: string): Promise<Client> => {
    const client = open(of);
    const before = begun;
    client.socket.write(text);
    while (begun === before) await nextTurn();
    return client;
  };
  const working = (of: string): Promise<Client> => begin(of, review(0).replace("/validate", "/wait"));
  const half = (of: string): Promise<Client> => begin(of, review(10, "{"));

  const areOpen = (all: readonly Client[]): readonly boolean[] => all.map(({ isOpen }) => isOpen);
  const expectOnly = async (gone: Client, all: readonly Client[]): Promise<void> => {
    await gone.untilClosed();
    // Other connections would have been closed before the answer to a later request.
    await Promise.all(
      all.filter((one) => one !== gone && one.answers > 0).map((one) => one.ask(review(2, "{}"))),
    );
    expect(areOpen(all)).toEqual(all.map((one) => one !== gone));
  };

  it("closes nothing up to the limit, however many come after one another", async () => {
    await start({ total: 6, perClient: 4 });
    for (let round = 0; round < 5; round += 1) {
      const some = await several(4, () => idle(alice));
      expect(areOpen(some)).toEqual([true, true, true, true]);
      const left = new Promise((resolve) => {
        const look = (): void => {
          server.getConnections((_error, count) => (count === 0 ? resolve(undefined) : setImmediate(look)));
        };
        look();
      });
      some.forEach(({ socket }) => socket.destroy());
      await left;
    }
    expect(told).toEqual([]);
  });

  it("closes a client's own connection that was longest without use, where it opens more than it may", async () => {
    await start({ total: 20, perClient: 4 });
    const others = await several(4, () => idle(bob));
    const [first, second, ...more] = await several(4, () => idle(alice));
    await first!.ask(review(2, "{}"));
    const fifth = await idle(alice);
    await expectOnly(second!, [first!, second!, ...more, fifth, ...others]);
    expect(told).toEqual([{ limit: "client", closed: "oldest", client: alice }]);
  });

  it("closes a connection of the client that has most, where there are too many in all", async () => {
    await start({ total: 6, perClient: 4 });
    const many = await several(4, () => idle(alice));
    const few = await several(2, () => idle(bob));
    const newcomer = await idle(carol);
    expect(newcomer.answers).toBe(1);
    await expectOnly(many[0]!, [...many, ...few, newcomer]);
    expect(told).toEqual([{ limit: "total", closed: "oldest", client: alice }]);
    // Two each: a client that opens a third closes one of its own.
    const second = await idle(carol);
    await many[1]!.untilClosed();
    const third = await idle(carol);
    await expectOnly(newcomer, [many[2]!, many[3]!, ...few, newcomer, second, third]);
    expect(told.slice(1).map(({ client }) => client)).toEqual([alice, carol]);
  });

  it("never closes one whose request is being worked on, but the new one where there is no other", async () => {
    await start({ total: 6, perClient: 4 });
    const all = await several(4, () => working(alice));
    const fifth = open(alice);
    await fifth.untilClosed();
    expect(told).toEqual([{ limit: "client", closed: "newest", client: alice }]);
    const others = await several(2, () => working(bob));
    await open(carol).untilClosed();
    expect(told.slice(1)).toEqual([{ limit: "total", closed: "newest", client: carol }]);
    openGate();
    await Promise.all([...all, ...others].map((one) => one.untilAnswered(1)));
    expect(areOpen([...all, ...others])).toEqual(Array(6).fill(true));
  });

  it("closes one that does not send its request to the end, where none is idle", async () => {
    await start({ total: 20, perClient: 4 });
    const unfinished = await half(alice);
    const busy = await several(2, () => working(alice));
    const last = await idle(alice);
    const fifth = await idle(alice);
    await expectOnly(last, [unfinished, ...busy, last, fifth]);
    await working(alice);
    await fifth.untilClosed();
    expect(unfinished.isOpen).toBe(true);
    const sixth = await idle(alice);
    await expectOnly(unfinished, [unfinished, ...busy, sixth]);
  });

  it("closes one that does not read its answer, where none is idle", async () => {
    await start({ total: 20, perClient: 3 });
    const stuck = open(alice);
    stuck.socket.pause();
    stuck.socket.write(review(0).replace("/validate", "/large"));
    while (begun === 0) await nextTurn();
    const busy = await several(2, () => working(alice));
    const fourth = await idle(alice);
    // Only reading shows the end.
    stuck.socket.resume();
    await expectOnly(stuck, [stuck, ...busy, fourth]);
    expect(told).toEqual([{ limit: "client", closed: "oldest", client: alice }]);
  });

  it("closes one that says nothing", async () => {
    await start({ total: 20, perClient: 2 });
    const silent = open(alice);
    while ((await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))) === 0)
      await nextTurn();
    const more = await several(2, () => idle(alice));
    await expectOnly(silent, [silent, ...more]);
  });
});

describe("the webhook under a flood from one client", () => {
  const limit = { total: 120, perClient: 40 };
  let harness: Harness | undefined;
  let openGate = (): void => undefined;
  const flood: Client[] = [];
  const start = async (): Promise<Harness> => {
    const gate = new Promise<void>((resolve) => (openGate = resolve));
    harness = await startHarness(
      async (body) => {
        if (Buffer.from(body).toString() === "gate") await gate;
        return { status: 200, body: "{}" };
      },
      { address: "0.0.0.0", timeoutSeconds: 30, limits: limit },
    );
    return harness;
  };
  afterEach(async () => {
    openGate();
    flood.splice(0).forEach(({ socket }) => socket.destroy());
    await harness?.stop();
  });

  const openTls = (localAddress: string): TLSSocket => {
    const { server, ca } = harness!;
    const socket = connect({ host: "127.0.0.1", port: server.port, localAddress });
    return connectTls({ socket, host: "127.0.0.1", ca });
  };
  /** A request over a connection of its own, as the kubelet probes. */
  const call = (localAddress: string, method: "GET" | "POST", path: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { server, ca } = harness!;
      const headers = method === "POST" ? { "content-type": "application/json" } : {};
      const options = { host: "127.0.0.1", port: server.port, localAddress, ca, method, path, headers };
      const outgoing = request({ ...options, agent: false }, (response) => {
        answerOf(response).then(resolve, reject);
      });
      outgoing.on("error", reject).end(method === "POST" ? "{}" : undefined);
    });
  /** Opens many connections, each with a request, and keeps what can be kept. */
  const open = async (count: number, text: string): Promise<void> => {
    for (let i = 0; i < count; i += 20)
      await Promise.all(
        Array.from({ length: 20 }, () => {
          const client = new Client(openTls(alice));
          flood.push(client);
          return client.ask(text);
        }),
      );
  };
  const heldBy = (clients: readonly Client[]): number => clients.filter(({ isOpen }) => isOpen).length;
  const statuses = async (localAddress: string): Promise<readonly number[]> => {
    const found: number[] = [];
    for (let i = 0; i < 20; i += 1) {
      found.push((await call(localAddress, "GET", "/healthz")).status);
      found.push((await call(localAddress, "POST", "/validate")).status);
    }
    return found;
  };

  it("takes from one client as many reviews as there may be, and does not give it all there is", () => {
    expect(connectionLimits.perClient).toBeGreaterThan(reviewLimit.perClient);
    expect(reviewLimit.perClient).toBeLessThanOrEqual(reviewLimit.total / 2);
    expect(connectionLimits.perClient).toBeLessThan(connectionLimits.total / 2);
  });

  it("holds no connection of whoever asks for anything but a review", async () => {
    await start();
    await open(60, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
    await open(20, "GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n");
    expect(flood.map(({ answers }) => answers)).toEqual(Array(80).fill(1));
    await Promise.all(flood.map((client) => client.untilClosed()));
    const refused = await Promise.all(
      [
        "GET /validate HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        review(0).replace("json", "xml"),
      ].map(async (text) => {
        const client = new Client(openTls(alice));
        client.socket.write(text);
        await client.untilClosed();
        return client.answers;
      }),
    );
    expect(refused).toEqual([0, 0, 0]);
    expect(harness!.closed).toEqual([]);
  });

  it("answers every probe and review of others, and those of the same address too", async () => {
    await start();
    await open(limit.perClient + 60, review(2, "{}"));
    while (heldBy(flood) > limit.perClient) await nextTurn();
    expect(await statuses(bob)).toEqual(Array(40).fill(200));
    expect(heldBy(flood)).toBe(limit.perClient);
    // Another caller at the same address, as behind a proxy, replaces its idle connections.
    expect(await statuses(alice)).toEqual(Array(40).fill(200));
    expect(new Set(harness!.closed.map((one) => Object.values(one).join(" ")))).toEqual(
      new Set([`client oldest ${alice}`]),
    );
  });

  it("loses no review that is being worked on, however many connections come after it", async () => {
    await start();
    const waiting = new Client(openTls(alice));
    const answered = waiting.ask(review(4, "gate"));
    await open(limit.perClient + 20, review(2, "{}"));
    expect(harness!.closed.length).toBeGreaterThan(0);
    openGate();
    await answered;
    expect([waiting.answers, waiting.isOpen]).toEqual([1, true]);
  });
});
