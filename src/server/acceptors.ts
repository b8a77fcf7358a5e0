import { createServer, type Server, type Socket } from "node:net";
import { platform } from "node:os";

/** Address of a server. Port 0: any free port. */
export interface ListenOptions {
  readonly address: string;
  readonly port: number;
  /**
   * Listens on a single socket that shares its port with no other. Sockets with `SO_REUSEPORT` (socket(7)) share it
   * with other processes of the same user in the same network, which then receive some of the connections.
   */
  readonly exclusive?: boolean;
}

/**
 * Number of sockets on one port. libuv accepts one connection per socket in each turn of the event loop
 * (`uv__server_io`). Short of CPU, turns become long and the queue fills, while the API server opens more
 * connections: probes and reviews would be refused. Linux spreads connections over sockets with `SO_REUSEPORT`
 * (socket(7)).
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

/** A port that is free now: shared sockets would otherwise join those of another process of the same user. */
async function free({ address, port }: ListenOptions): Promise<number> {
  const server = createServer();
  await opened(server, { host: address, port, exclusive: true });
  const bound = server.address();
  await closed(server);
  return bound === null || typeof bound === "string" ? port : bound.port;
}

/** A listening server: its own socket, and further ones that hand their connections to it. */
export interface Acceptors {
  readonly port: number;
  /** Stops accepting. Resolves when all connections are closed. */
  readonly close: () => Promise<void>;
  /** Closes all connections, those within a handshake included. */
  readonly cutOff: () => void;
}

/**
 * Starts to listen, on several sockets where the system supports it and the port may be shared.
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
      // Later errors concern one connection only; without a listener they would end the process.
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
