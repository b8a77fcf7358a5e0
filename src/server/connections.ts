import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { clientOf } from "./client.ts";

/** Limits on concurrent connections. */
export interface ConnectionLimit {
  readonly total: number;
  /** Of one client, see `clientOf`. */
  readonly perClient: number;
}

/** A connection that was closed above a limit. */
export interface ClosedConnection {
  /** The limit that was reached. */
  readonly limit: "client" | "total";
  /** `oldest`: it made room for a new one. `newest`: no other could be closed. */
  readonly closed: "oldest" | "newest";
  /** Its client, see `clientOf`. */
  readonly client: string;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Connection {
  readonly socket: Socket;
  readonly client: string;
  /** A list, for there is mostly one: a set of that few is made anew whenever it is empty. */
  readonly exchanges: Exchange[];
}

/** Both ends of a connection: all that a TLS socket publicly has in common with the plain one below it. */
const endsOf = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress}`;

/** True while the server works on a request: received whole, not answered. Sending and reading wait for the client. */
const atWork = ({ exchanges }: Connection): boolean =>
  exchanges.some(({ request, response }) => request.complete && !response.writableEnded);

/** Connections that wait for their client only, longest idle first. */
const spareOf = (connections: Iterable<Connection>, newest: Connection): readonly Connection[] =>
  [...connections].filter((one) => one !== newest && !atWork(one));

/** Those of the client with the most of them; among equals, of the newest connection's client. */
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

/** Connections of a server by client, each client's in the order of last use. */
class Connections {
  readonly #byEnds = new Map<string, Connection>();
  /** By the TLS socket of requests, once the first has come. */
  readonly #bySocket = new WeakMap<Socket, Connection>();
  readonly #byClient = new Map<string, Set<Connection>>();
  #open = 0;

  /** Counts a new connection; undefined where it is closed already. */
  add(socket: Socket): Connection | undefined {
    if (socket.remoteAddress === undefined) return undefined;
    const connection = { socket, client: clientOf(socket.remoteAddress), exchanges: [] };
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

  /** Counts a request until its answer is sent. */
  begin(exchange: Exchange): void {
    const connection = this.#behind(exchange.request.socket);
    if (connection === undefined) return;
    connection.exchanges.push(exchange);
    exchange.response.once("close", () => {
      connection.exchanges.splice(connection.exchanges.indexOf(exchange), 1);
      const all = this.#byClient.get(connection.client);
      if (all?.delete(connection) === true) all.add(connection);
    });
  }

  /** The limit that the newest connection exceeds, and the connection to close for it; undefined within the limits. */
  excess(
    newest: Connection,
    { total, perClient }: ConnectionLimit,
  ): { readonly limit: ClosedConnection["limit"]; readonly connection: Connection } | undefined {
    const own = this.#of(newest);
    const limit = own.size > perClient ? "client" : this.#open > total ? "total" : undefined;
    if (limit === undefined) return undefined;
    const spare = limit === "client" ? spareOf(own, newest) : mostSpare(this.#byClient, newest);
    const connection = spare.find(({ exchanges }) => exchanges.length === 0) ?? spare[0] ?? newest;
    return { limit, connection };
  }

  #behind(socket: Socket): Connection | undefined {
    const known = this.#bySocket.get(socket);
    if (known !== undefined) return known;
    const found = this.#byEnds.get(endsOf(socket));
    if (found !== undefined) this.#bySocket.set(socket, found);
    return found;
  }

  #of({ client }: Connection): Set<Connection> {
    const all = this.#byClient.get(client) ?? new Set<Connection>();
    this.#byClient.set(client, all);
    return all;
  }
}

/**
 * Keeps a server's connections within limits without locking any client out. Above its own limit, a client's new
 * connection replaces its longest idle one; above the total, that of the client with the most. Where none is idle, it
 * replaces one whose client has not sent its whole request or does not read its answer; a connection whose request is
 * being worked on is never closed. A client that opens as many as it can closes only its own.
 *
 * @param told receives every connection that was closed
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
    // Its close event comes later; the next connection must not find it open.
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
