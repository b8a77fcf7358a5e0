import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ApiError } from "../../../../../src/cluster/live/api/client.ts";
import { eventsOf, type WatchEvent } from "../../../../../src/cluster/live/watch/watch-events.ts";

async function* pieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    await Promise.resolve();
    yield bytes.subarray(from, Math.max(from, cut));
    from = Math.max(from, cut);
  }
  yield bytes.subarray(from);
}

async function read(bytes: Buffer, cuts: readonly number[] = []): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const event of eventsOf(pieces(bytes, cuts))) events.push(event);
  return events;
}

describe("eventsOf", () => {
  it("reads the same events however the bytes are cut", async () => {
    const event = fc.record({
      type: fc.constantFrom("ADDED", "MODIFIED", "DELETED", "BOOKMARK"),
      object: fc.record({ note: fc.string({ unit: "binary" }) }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(event), fc.array(fc.nat(400)), async (events, cuts) => {
        const wire = events.map((one) => JSON.stringify(one));
        const bytes = Buffer.from(wire.map((line) => `${line}\n`).join(""));
        expect(await read(bytes, cuts)).toEqual(wire.map((line) => JSON.parse(line) as unknown));
      }),
    );
  });

  it.each([
    ["what is not JSON", "{\n"],
    ["null", "null\n"],
    ["an event without an object", '{"type":"ADDED"}\n'],
    ["an event of unknown type", '{"type":"ODD","object":{}}\n'],
    ["an event that breaks off", '{"type":"ADDED","object":{}}'],
  ])("refuses %s", async (_, text) => {
    await expect(read(Buffer.from(text))).rejects.toBeInstanceOf(ApiError);
  });

  it("refuses an event without end", async () => {
    await expect(read(Buffer.alloc(17 * 1024 * 1024, 0x20), [1024])).rejects.toThrow(/more than/);
  });

  it("throws an ERROR event with its code and reason", async () => {
    const text = '{"type":"ERROR","object":{"code":410,"reason":"Expired","message":"too old"}}\n';
    await expect(read(Buffer.from(text))).rejects.toMatchObject({ status: 410, reason: "Expired" });
  });
});
