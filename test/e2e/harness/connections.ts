import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";
import { replicas } from "./replicas.ts";

/** What the pods of the product were seen to do on the network. */
export interface Seen {
  /** Looks at one pod's sockets. */
  readonly looks: number;
  readonly pods: number;
  /** `ADDRESS:PORT` that a pod itself connected to, or tried to. */
  readonly connected: readonly string[];
  /** Own ports that others connected to. */
  readonly served: readonly number[];
  /** Datagrams that were sent: names that were looked up, for example. */
  readonly datagrams: number;
}

/** Watches until it is stopped. */
export interface ConnectionWatch {
  stop(): Promise<Seen>;
}

interface Socket {
  readonly port: number;
  readonly remote: string;
  readonly listens: boolean;
  /** Established, and closed by neither side. */
  readonly open: boolean;
}

/** `0100600A:01BB` of /proc/net/tcp: the address in the machine's byte order, the port in hexadecimal. */
function endpoint(text: string): { readonly address: string; readonly port: number } {
  const [address = "", port = ""] = text.split(":");
  const bytes = Buffer.from(address, "hex");
  const words = Array.from({ length: bytes.length / 4 }, (_, at) =>
    bytes.subarray(at * 4, at * 4 + 4).reverse(),
  );
  const plain = Buffer.concat(words);
  const mapped = plain.length === 16 && plain.subarray(0, 12).toString("hex") === "00000000000000000000ffff";
  const four = plain.length === 4 ? plain : plain.subarray(12);
  return {
    address: plain.length === 4 || mapped ? [...four].join(".") : plain.toString("hex"),
    port: parseInt(port, 16),
  };
}

const [established, listening] = ["01", "0A"];

/** The sockets of the network namespace of a process, as the kernel lists them. */
export function socketsIn(table: string): readonly Socket[] {
  return table
    .split("\n")
    .slice(1)
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, local = "", remote = "", state = ""] = line.trim().split(/\s+/);
      const { address, port } = endpoint(remote);
      return {
        port: endpoint(local).port,
        remote: `${address}:${port}`,
        listens: state === listening,
        open: state === established,
      };
    });
}

/** UDP's `OutDatagrams` of /proc/net/snmp. */
export function datagramsIn(table: string): number {
  const [names = "", values = ""] = table.split("\n").filter((line) => line.startsWith("Udp: "));
  const at = names.split(" ").indexOf("OutDatagrams");
  return at === -1 ? NaN : Number(values.split(" ")[at]);
}

const own = [8443, 9090];

/** Of these processes, the one to which most connections for reviews are open. */
export async function busiest(pids: readonly number[]): Promise<number | undefined> {
  const counted = await Promise.all(
    pids.map(async (pid) => {
      const tables = await Promise.all(
        ["tcp", "tcp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8")),
      );
      const sockets = tables.flatMap(socketsIn);
      return { pid, count: sockets.filter(({ port, open }) => open && port === own[0]).length };
    }),
  );
  return counted.sort((a, b) => b.count - a.count)[0]?.pid;
}

/**
 * Looks at the sockets of every pod of the product, several times a second. A connection that was closed stays in the
 * kernel's table for a minute, one that finds no way for longer, so that none is missed in between.
 */
export function watchConnections(cluster: Cluster): ConnectionWatch | undefined {
  const { machine } = cluster;
  if (machine === undefined) return undefined;
  const ended = new AbortController();
  const connected = new Set<string>();
  const served = new Set<number>();
  const datagrams = new Map<number, number>();
  let looks = 0;

  const look = async (pid: number): Promise<void> => {
    const read = (name: string): Promise<string> => readFile(`/proc/${pid}/net/${name}`, "utf8");
    const sockets = [...socketsIn(await read("tcp")), ...socketsIn(await read("tcp6"))];
    for (const { port, remote, listens } of sockets) {
      if (listens) continue;
      if (own.includes(port)) served.add(port);
      else connected.add(remote);
    }
    datagrams.set(pid, datagramsIn(await read("snmp")));
    looks += 1;
  };

  const running = (async () => {
    let pids: readonly number[] = [];
    for (let round = 0; !ended.signal.aborted; round += 1) {
      if (round % 8 === 0) {
        // While the API server is being restarted, those that were known before.
        const found = await replicas(cluster).catch(() => undefined);
        const asked = (found ?? []).map(({ containerId }) => machine.processOf(containerId).catch(() => 0));
        if (found !== undefined) pids = (await Promise.all(asked)).filter((pid) => pid > 0);
      }
      // One that has just ended has no sockets either.
      await Promise.all(pids.map((pid) => look(pid).catch(() => undefined)));
      await sleep(250);
    }
  })();
  return {
    stop: async () => {
      ended.abort();
      await running;
      return {
        looks,
        pods: datagrams.size,
        connected: [...connected].sort(),
        served: [...served].sort((a, b) => a - b),
        datagrams: [...datagrams.values()].reduce((sum, count) => sum + count, 0),
      };
    },
  };
}
