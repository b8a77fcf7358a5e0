import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, type ApiClient, type ApiRequest } from "../../../../../src/cluster/live/api/client.ts";
import {
  askItself,
  SelfCheck,
  type Answered,
} from "../../../../../src/cluster/live/registration/self-check.ts";

const never = new AbortController().signal;

/** An API server that answers every request so. */
function answering(error: ApiError | undefined, seen: ApiRequest[] = []): ApiClient {
  return {
    call: (request) => {
      seen.push(request);
      return error === undefined ? Promise.resolve({}) : Promise.reject(error);
    },
    stream: () => Promise.reject(new Error("not asked")),
    close: () => undefined,
  };
}

describe("askItself", () => {
  it("makes a Lease in a dry run, never in earnest", async () => {
    const seen: ApiRequest[] = [];
    expect(await askItself(answering(undefined, seen), "own", never)).toBe(true);
    expect(seen).toMatchObject([
      {
        method: "POST",
        path: "/apis/coordination.k8s.io/v1/namespaces/own/leases?dryRun=All",
        body: { metadata: { name: "skill-admission-self-check" } },
      },
    ]);
  });

  it("has the API server's own words where the webhook did not answer", async () => {
    const said =
      'Internal error occurred: failed calling webhook "self.skill-admission.dev": failed to call webhook: Post "https://h:1/validate?timeout=5s": dial tcp: connection refused';
    expect(await askItself(answering(new ApiError(500, said)), "own", never)).toEqual({
      problem: 'failed to call webhook: Post "https://h:1/validate?timeout=5s": dial tcp: connection refused',
    });
  });

  it("says the same of the same fault: the API server's own port is another each time", async () => {
    const said = (words: string) =>
      `Internal error: failed calling webhook "self.x": failed to call webhook: ${words}`;
    const problem = async (words: string) =>
      askItself(answering(new ApiError(500, said(words))), "own", never);
    const reset = (port: number) =>
      `Post "https://h:1/validate?timeout=5s": read tcp 10.0.0.1:${port}->10.1.1.1:8443: read: connection reset by peer`;
    expect(await problem(reset(41660))).toEqual({
      problem:
        'failed to call webhook: Post "https://h:1/validate?timeout=5s": read tcp 10.1.1.1:8443: read: connection reset by peer',
    });
    expect(await problem(reset(33904))).toEqual(await problem(reset(41660)));
    expect(await problem("read udp [fd00::3]:47733->[fd00::a]:53: i/o timeout")).toEqual({
      problem: "failed to call webhook: read udp [fd00::a]:53: i/o timeout",
    });
  });

  it.each([403, 404, 429, 0])("says nothing of the webhook by %i", async (status) => {
    expect(await askItself(answering(new ApiError(status, "no")), "own", never)).toBeUndefined();
  });
});

describe("SelfCheck", () => {
  let due = true;
  let answers: Answered[] = [];
  let asked = 0;
  const told: (string | undefined)[] = [];
  let check: SelfCheck;

  beforeEach(() => {
    vi.useFakeTimers();
    [due, answers, asked] = [true, [], 0];
    told.length = 0;
    check = new SelfCheck({
      ask: () => {
        asked += 1;
        return Promise.resolve(answers.length === 0 ? true : answers.shift());
      },
      due: () => due,
      onAnswer: (problem) => told.push(problem),
    });
  });
  afterEach(async () => {
    await check.close();
    vi.useRealTimers();
  });

  it("asks at once, then each minute, and sooner while there is a fault", async () => {
    answers = [{ problem: "refused" }, { problem: "refused" }];
    check.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(["refused"]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(told).toEqual(["refused", "refused", undefined]);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(asked).toBe(3);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toBe(4);
  });

  it("keeps what it knows where an answer says nothing, and knows of no fault while it is not to ask", async () => {
    answers = [{ problem: "refused" }, undefined];
    check.start();
    await vi.advanceTimersByTimeAsync(10_000);
    expect([asked, told]).toEqual([2, ["refused"]]);
    due = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([asked, told]).toEqual([2, ["refused", undefined]]);
  });

  it("asks no more once it is closed", async () => {
    check.start();
    await check.close();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(asked).toBeLessThanOrEqual(1);
  });
});
