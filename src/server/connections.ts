import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { clientOf } from "./client.ts";

/** How many connections there may be at once. */
export interface ConnectionLimit {
  readonly total: number;
  /** From one client, see `clientOf`. */
  readonly perClient: number;
}

/** A connection was closed because there were too many. */
export interface ClosedConnection {
  /** Which limit was reached. */
  readonly limit: "client" | "total";
  /** The oldest made room for a new one; the newest itself, where no other could be closed. */
  readonly closed: "oldest" | "newest";
  /** Whose it was, see `clientOf`. */
  readonly client: string;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Connection {
  readonly socket: Socket;
  readonly client: string;
  readonly exchanges: Set<Exchange>;
}

/** The two ends of a connection. A TLS socket has the same as the plain one below it, and nothing else that is public. */
const endsOf = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress}`;

/** It is our turn: the request is here, and its answer is not. What waits for its client, to send or to read, is not at work. */
const atWork = ({ exchanges }: Connection): boolean =>
  exchanges.values().some(({ request, response }) => request.complete && !response.writableEnded);

/** Those that nobody waits for but their client, those longest without a word first. */
const spareOf = (connections: Iterable<Connection>, newest: Connection): readonly Connection[] =>
  [...connections].filter((one) => one !== newest && !atWork(one));

/** Those of the client that has most of them; of equals, those of the newest one's client. */
function mostSpare(
  byClient: ReadonlyMap<string, ReadonlySet<Connection>>,
  newest: Connection,
): readonly Connection[] {
  let most = spareOf(byClient.get(newest.client) ?? [], newest);
  for (const connections of byClient.values()) {
    if (connections.size <= most.length) continue;
    const spare = spareOf(connections, newest);
    if (spare.length > most.length) most = spare;
  }
  return most;
}

/** All connections of a server, by client; each client's in the order in which they were last of use. */
class Connections {
  readonly #byEnds = new Map<string, Connection>();
  readonly #byClient = new Map<string, Set<Connection>>();
  #open = 0;

  /** Begins to count a connection that was just taken. @returns it, or nothing where it is gone already */
  add(socket: Socket): Connection | undefined {
    if (socket.remoteAddress === undefined) return undefined;
    const connection = { socket, client: clientOf(socket.remoteAddress), exchanges: new Set<Exchange>() };
    const ends = endsOf(socket);
    this.#byEnds.set(ends, connection);
    this.#of(connection).add(connection);
    this.#open += 1;
    socket.once("close", () => {
      if (this.#byEnds.get(ends) === connection) this.#byEnds.delete(ends);
      this.forget(connection);
    });
    return connection;
  }

  forget(connection: Connection): void {
    const { client } = connection;
    const all = this.#byClient.get(client);
    if (all?.delete(connection) !== true) return;
    this.#open -= 1;
    if (all.size === 0) this.#byClient.delete(client);
  }

  /** Notes that a request has begun, and when its answer is out. */
  begin(exchange: Exchange): void {
    const connection = this.#byEnds.get(endsOf(exchange.request.socket));
    if (connection === undefined) return;
    connection.exchanges.add(exchange);
    exchange.response.once("close", () => {
      connection.exchanges.delete(exchange);
      const all = this.#byClient.get(connection.client);
      if (all?.delete(connection) === true) all.add(connection);
    });
  }

  /** The limit that the newest connection is above, and which connection has to go for it. */
  excess(
    newest: Connection,
    { total, perClient }: ConnectionLimit,
  ): { readonly limit: ClosedConnection["limit"]; readonly connection: Connection } | undefined {
    const own = this.#of(newest);
    const limit = own.size > perClient ? "client" : this.#open > total ? "total" : undefined;
    if (limit === undefined) return undefined;
    const spare = limit === "client" ? spareOf(own, newest) : mostSpare(this.#byClient, newest);
    const connection = spare.find(({ exchanges }) => exchanges.size === 0) ?? spare[0] ?? newest;
    return { limit, connection };
  }

  #of({ client }: Connection): Set<Connection> {
    const all = this.#byClient.get(client) ?? new Set<Connection>();
    this.#byClient.set(client, all);
    return all;
  }
}

/**
 * Keeps a server's connections within limits without keeping anybody out: a new connection above its client's limit
 * takes the place of that client's oldest idle one, and one above the limit of all that of the client with most of
 * them. Where none is idle, one goes whose client has not sent its request to the end, or does not read its answer; a
 * connection whose request is being worked on never does. So whoever opens as many as it can only closes its own.
 *
 * @param told of every connection that was closed so
 */
export function limitConnections(
  server: HttpServer,
  limit: ConnectionLimit,
  told: (closed: ClosedConnection) => void,
): void {
  const connections = new Connections();
  server.on("connection", (socket: Socket) => {
    const newest = connections.add(socket);
    if (newest === undefined) {
      socket.destroy();
      return;
    }
    const excess = connections.excess(newest, limit);
    if (excess === undefined) return;
    const { connection } = excess;
    // Its socket says that it is closed only later; the next one must not find it open.
    connections.forget(connection);
    connection.socket.destroy();
    told({
      limit: excess.limit,
      closed: connection === newest ? "newest" : "oldest",
      client: connection.client,
    });
  });
  // Before the listener that answers: it may end the answer at once.
  server.prependListener("request", (request: IncomingMessage, response: ServerResponse) =>
    connections.begin({ request, response }),
  );
}
