import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readResponse } from "../../bench/load/http-response.ts";

const response = Buffer.from("HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 5\r\n\r\nhello");

describe("readResponse", () => {
  it("reads status and body, and how long both are", () => {
    const read = readResponse(Buffer.concat([response, Buffer.from("HTTP/1.1 …")]));
    expect(read?.status).toBe(200);
    expect(read?.body.toString()).toBe("hello");
    expect(read?.length).toBe(response.length);
  });

  it("waits for the rest, wherever it is cut", () => {
    fc.assert(
      fc.property(fc.nat(response.length - 1), (end) => {
        expect(readResponse(response.subarray(0, end))).toBeUndefined();
      }),
    );
  });

  it("refuses an answer that does not say how long it is", () => {
    const chunked = Buffer.from("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    expect(() => readResponse(chunked)).toThrow("without content length");
  });
});
