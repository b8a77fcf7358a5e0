import { createServer, type Server, type Socket } from "node:net";
import { platform } from "node:os";

/** Where a server listens. Port 0: any that is free. */
export interface ListenOptions {
  readonly address: string;
  readonly port: number;
  /**
   * Listens on one socket only, which shares its port with nobody. Sockets that share one also share it with other
   * processes of the same user in the same network, which then get some of the connections (`SO_REUSEPORT`, socket(7)).
   */
  readonly exclusive?: boolean;
}

/**
 * How many sockets listen on one port. libuv takes one connection from a listening socket in each turn of the event
 * loop (`uv__server_io`), so that a process that is short of processor time takes its connections the more slowly the
 * longer its turns are, while the API server, whose reviews wait, opens ever more of them: probes and reviews would
 * find the queue full. Linux spreads connections over sockets that share a port (`SO_REUSEPORT`, socket(7)).
 */
const listeners = platform() === "linux" ? 16 : 1;

const opened = (server: Server, options: object): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options, () => {
      server.off("error", reject);
      resolve();
    });
  });

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** The port, found free: sockets that share theirs would also share it with another process of the same user. */
async function free({ address, port }: ListenOptions): Promise<number> {
  const server = createServer();
  await opened(server, { host: address, port, exclusive: true });
  const bound = server.address();
  await closed(server);
  return bound === null || typeof bound === "string" ? port : bound.port;
}

/** A server that listens: on sockets of its own, and on others whose connections become its own. */
export interface Acceptors {
  readonly port: number;
  /** Takes no new connections. Resolves when none is open any more. */
  readonly close: () => Promise<void>;
  /** Closes all connections, those in the middle of a handshake too. */
  readonly cutOff: () => void;
}

/**
 * Has a server listen, on several sockets where the system can and the port may be shared.
 * @throws NodeJS.ErrnoException `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL` as `listen` does
 */
export async function acceptOn(server: Server, where: ListenOptions): Promise<Acceptors> {
  const count = where.exclusive === true ? 1 : listeners;
  const options = {
    host: where.address,
    port: count === 1 ? where.port : await free(where),
    exclusive: true,
    reusePort: count > 1,
    backlog: count === 1 ? 511 : 128,
  };
  const others = Array.from({ length: count - 1 }, () =>
    createServer({ noDelay: true }, (socket: Socket) => server.emit("connection", socket)),
  );
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const close = async (): Promise<void> => {
    await Promise.all([server, ...others].map(closed));
  };
  try {
    for (const one of [server, ...others]) {
      await opened(one, options);
      // After it listens an error is about one connection; without a listener it would end the process.
      one.on("error", () => undefined);
    }
  } catch (error) {
    await close();
    throw error;
  }
  const bound = server.address();
  return {
    port: bound === null || typeof bound === "string" ? options.port : bound.port,
    close,
    cutOff: () => sockets.forEach((socket) => socket.destroy()),
  };
}
