import { PassThrough } from "node:stream";
import type { IncomingMessage } from "node:http";

import { describe, expect, it } from "vitest";

import { chunkOverhead, maxBodyBytes, readBody, RequestError } from "../../../src/server/body.ts";
import { FairShares, type Share } from "../../../src/server/shares.ts";

/** A request whose body the test writes; `complete` as node sets it when the whole body has been parsed. */
function fakeRequest(headers: Record<string, string> = {}): PassThrough & { complete: boolean } {
  return Object.assign(new PassThrough(), { headers, complete: false });
}

const sharesOf = (total: number): FairShares => new FairShares({ total, perClient: total });

const read = (
  request: PassThrough & { complete: boolean },
  memory: Share = sharesOf(1024 * 1024).open("a", () => undefined),
  signal = new AbortController().signal,
): ReturnType<typeof readBody> => readBody(request as unknown as IncomingMessage, memory, signal);

const status = async (reading: Promise<unknown>): Promise<number> => {
  const error: unknown = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RequestError);
  return (error as RequestError).status;
};

describe("readBody", () => {
  it("puts the chunks together, and counts them and what each costs", async () => {
    const request = fakeRequest();
    const shares = sharesOf(10_000);
    const reading = read(
      request,
      shares.open("a", () => undefined),
    );
    request.write("ab");
    request.write("cd");
    request.complete = true;
    request.end();
    expect(Buffer.from(await reading).toString()).toBe("abcd");
    expect(shares.used).toBe(4 + 2 * chunkOverhead);
  });

  it("refuses a declared length above the limit before it reads anything", async () => {
    const request = fakeRequest({ "content-length": String(maxBodyBytes + 1) });
    expect(await status(read(request))).toBe(413);
    expect(request.listenerCount("data")).toBe(0);
  });

  it("keeps nothing more, when it is late", async () => {
    const shares = sharesOf(10_000);
    const late = new AbortController();
    const request = fakeRequest();
    const memory = shares.open("a", () => undefined);
    const reading = read(request, memory, late.signal);
    request.write("half");
    setImmediate(() => late.abort());
    expect(await status(reading)).toBe(408);
    memory.release();
    request.resume();
    request.write("the rest");
    await new Promise(setImmediate);
    expect(shares.used).toBe(0);
  });

  it("ends with the reason for which it was ended, where that is an answer", async () => {
    const ended = new AbortController();
    const reading = read(fakeRequest(), undefined, ended.signal);
    ended.abort(new RequestError(503, "made room"));
    await expect(reading).rejects.toThrow("made room");
  });

  it("refuses with 503, when all bodies together would take too much", async () => {
    const shares = sharesOf(10_000);
    shares.open("b", () => undefined).take(5_000);
    const request = fakeRequest();
    const reading = read(
      request,
      shares.open("a", () => undefined),
    );
    request.write(Buffer.alloc(4_000));
    request.write(Buffer.alloc(1_000));
    expect(await status(reading)).toBe(503);
    expect(shares.used).toBe(9_000 + chunkOverhead);
  });

  it("refuses a body that was cut off", async () => {
    const request = fakeRequest();
    const reading = read(request);
    request.write("half");
    request.destroy();
    expect(await status(reading)).toBe(400);
  });
});
