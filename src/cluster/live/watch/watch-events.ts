import { ApiError } from "../api/client.ts";

/** One line of a watch. */
export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: Readonly<Record<string, unknown>>;
}

/**
 * Maximum bytes of an event: an object has at most 1.5 MiB in etcd, and JSON may take six characters for a byte.
 */
const maxLineBytes = 16 * 1024 * 1024;
const newline = 0x0a;

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let begun: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      yield Buffer.concat([...begun, chunk.subarray(from, at)]).toString("utf8");
      begun = [];
      size = 0;
      from = at + 1;
    }
    if (from === chunk.length) continue;
    begun.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > maxLineBytes) throw new ApiError(0, `an event of more than ${maxLineBytes} bytes`);
  }
  if (begun.length > 0) throw new ApiError(0, "the watch broke off within an event");
}

const types: ReadonlySet<unknown> = new Set(["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]);
const isWatchEvent = (event: Parsed): event is WatchEvent => types.has(event.type);

/** JSON with an object, not yet validated as an event. */
interface Parsed {
  readonly type?: unknown;
  readonly object: Readonly<Record<string, unknown>>;
}

/**
 * Reads the events of a watch: one JSON object per line.
 * @throws ApiError for an event of type ERROR (410: the version is too old), and for a malformed line
 */
export async function* eventsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<WatchEvent> {
  for await (const line of linesOf(chunks)) {
    if (line.trim() === "") continue;
    const event = parsed(line);
    if (event.type === "ERROR") {
      const { code, message, reason } = event.object;
      throw new ApiError(typeof code === "number" ? code : 500, `watch: ${String(message)}`, {
        reason: typeof reason === "string" ? reason : "",
      });
    }
    if (!isWatchEvent(event)) throw new ApiError(0, "a watch event of unknown type");
    yield event;
  }
}

function parsed(line: string): Parsed {
  try {
    const event = JSON.parse(line) as Partial<Parsed> | null;
    const object: unknown = event?.object;
    if (typeof object === "object" && object !== null)
      return { type: event?.type, object: object as Parsed["object"] };
  } catch (cause) {
    throw new ApiError(0, "a watch event that is not JSON", { cause });
  }
  throw new ApiError(0, "a watch event without an object");
}
