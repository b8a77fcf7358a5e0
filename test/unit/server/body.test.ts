import { PassThrough } from "node:stream";
import type { IncomingMessage } from "node:http";

import { describe, expect, it } from "vitest";

import { maxBodyBytes, readBody, RequestError } from "../../../src/server/body.ts";

/** A request whose body the test writes; `complete` as node sets it when the whole body has been parsed. */
function fakeRequest(headers: Record<string, string> = {}): PassThrough & { complete: boolean } {
  return Object.assign(new PassThrough(), { headers, complete: false });
}

const read = (
  request: PassThrough & { complete: boolean },
  budget = { used: 0 },
  signal = new AbortController().signal,
): ReturnType<typeof readBody> => readBody(request as unknown as IncomingMessage, budget, signal);

const status = async (reading: Promise<unknown>): Promise<number> => {
  const error: unknown = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RequestError);
  return (error as RequestError).status;
};

describe("readBody", () => {
  it("puts the chunks together, counts them as long as they are used, and gives them back once", async () => {
    const request = fakeRequest();
    const budget = { used: 5 };
    const reading = read(request, budget);
    request.write("ab");
    request.write("cd");
    request.complete = true;
    request.end();
    const { bytes, release } = await reading;
    expect(Buffer.from(bytes).toString()).toBe("abcd");
    expect(budget.used).toBe(9);
    release();
    release();
    expect(budget.used).toBe(5);
  });

  it("refuses a declared length above the limit before it reads anything", async () => {
    const request = fakeRequest({ "content-length": String(maxBodyBytes + 1) });
    expect(await status(read(request))).toBe(413);
    expect(request.listenerCount("data")).toBe(0);
  });

  it("gives the memory back and keeps nothing more, when it fails", async () => {
    const budget = { used: 0 };
    const late = new AbortController();
    const request = fakeRequest();
    const reading = read(request, budget, late.signal);
    request.write("half");
    setImmediate(() => late.abort());
    expect(await status(reading)).toBe(408);
    request.resume();
    request.write("the rest");
    await new Promise(setImmediate);
    expect(budget.used).toBe(0);
  });

  it("refuses with 503, when all bodies together would take too much", async () => {
    const budget = { used: 64 * 1024 * 1024 - 3 };
    const request = fakeRequest();
    const reading = read(request, budget);
    request.write("1234");
    expect(await status(reading)).toBe(503);
    expect(budget.used).toBe(64 * 1024 * 1024 - 3);
  });

  it("refuses a body that was cut off", async () => {
    const request = fakeRequest();
    const reading = read(request);
    request.write("half");
    request.destroy();
    expect(await status(reading)).toBe(400);
  });
});
