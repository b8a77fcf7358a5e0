import { describe, expect, it } from "vitest";
import { datagramsIn, socketsIn } from "./connections.ts";
import { judge, percentile, unexplained, type Miss, type Tally } from "./stream.ts";

const denial = (message: string) => ({
  status: 403,
  body: `admission webhook "pods.skill-admission.dev" denied the request: ${message}`,
});
const differs = denial(
  'policy "agents" denied Pod agents/x: … DIGEST_MISMATCH scripts/run.sh: signed 1…, found 2…',
);
const noSource = denial(
  "skill-admission could not review Pod agents/x, so it is denied: SOURCE_UNAVAILABLE …",
);

/** The tests of reliability are worth what this tells apart. */
describe("judge", () => {
  it("finds nothing amiss with a signed pod that is let in and a tampered one that is denied for what differs", () => {
    expect(judge("signed", { status: 201, body: "{}" })).toBeUndefined();
    expect(judge("tampered", differs)).toBeUndefined();
  });

  it("tells wrong admits and wrong denials", () => {
    expect(judge("tampered", { status: 201, body: "{}" })).toBe("wrong admit");
    expect(judge("signed", differs)).toBe("wrong denial");
    expect(judge("signed", denial('policy "agents" denied Pod agents/x: UNTRUSTED_SIGNER'))).toBe(
      "wrong denial",
    );
  });

  it("takes no denial for another reason as one of the tampered file", () => {
    expect(judge("tampered", denial('policy "agents" denied Pod agents/x: UNSIGNED'))).toBe("no verdict");
  });

  it("tells whose answer was missing: the webhook's, its source's, or the API server's", () => {
    const refused = { status: 500, body: 'failed calling webhook "pods.skill-admission.dev": EOF' };
    expect(judge("signed", refused)).toBe("no verdict");
    expect(judge("tampered", refused)).toBe("no verdict");
    expect(judge("signed", noSource)).toBe("no source");
    expect(judge("tampered", noSource)).toBe("no source");
    expect(judge("signed", { status: 502, body: "dial tcp: connection refused" })).toBe("no API server");
    expect(judge("signed", { status: 0, body: "socket hang up" })).toBe("no API server");
    const early =
      'failed calling webhook "pods": failed to call webhook: Post "x": service "skill-admission" not found';
    for (const body of [early, JSON.stringify({ message: early })])
      expect(judge("signed", { status: 500, body })).toBe("no API server");
    const unreachable = 'failed calling webhook "pods": Post "x": dial tcp: connection refused';
    expect(judge("signed", { status: 500, body: unreachable })).toBe("no verdict");
  });
});

describe("percentile", () => {
  it("is the value below which the share lies", () => {
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(3);
    expect(percentile([1, 2, 3, 4], 0.99)).toBe(4);
    expect(percentile([], 0.5)).toBeNaN();
  });
});

const head =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";

describe("socketsIn", () => {
  it("reads addresses and ports of both families, and what only listens", () => {
    const four = [
      head,
      "   0: 00000000:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000 65532 0 957907 1",
      "   1: 0600620A:DA94 0100600A:01BB 01 00000000:00000000 00:00000000 00000000 65532 0 957908 1",
      "",
    ].join("\n");
    expect(socketsIn(four)).toEqual([
      { port: 8443, remote: "0.0.0.0:0", listens: true, open: false },
      { port: 55956, remote: "10.96.0.1:443", listens: false, open: true },
    ]);
    const six = `${head}\n   0: 0000000000000000FFFF00000600620A:20FB 0000000000000000FFFF00000100620A:DA94 06 0 0`;
    expect(socketsIn(six)).toEqual([{ port: 8443, remote: "10.98.0.1:55956", listens: false, open: false }]);
  });

  it("finds none in an empty table", () => {
    expect(socketsIn(head)).toEqual([]);
  });
});

describe("unexplained", () => {
  const tally = (what: Miss, at: number, took = 10): Tally => ({
    ...{ seconds: 1, sent: 1, admitted: 0, denied: 0, latencies: [] },
    missed: [{ what, kind: "signed", at, took, status: 403, said: "{}" }],
  });
  const outages = [{ from: 1000, to: 2000 }];

  it("leaves out what an outage explains, and that only while there is one", () => {
    for (const what of ["no API server", "no source"] as const) {
      expect(unexplained(tally(what, 1500), outages)).toEqual([]);
      expect(unexplained(tally(what, 995), outages)).toEqual([]);
      expect(unexplained(tally(what, 900), outages)).toHaveLength(1);
      expect(unexplained(tally(what, 2001), outages)).toHaveLength(1);
      expect(unexplained(tally(what, 1500), [])).toHaveLength(1);
    }
  });

  it("never leaves out what no outage can excuse", () => {
    for (const what of ["wrong admit", "wrong denial", "no verdict"] as const)
      expect(unexplained(tally(what, 1500), outages)).toHaveLength(1);
  });
});

describe("datagramsIn", () => {
  it("reads what was sent, by the column's name", () => {
    expect(
      datagramsIn("Tcp: a\nTcp: 1\nUdp: InDatagrams NoPorts OutDatagrams\nUdp: 5 6 7\nUdpLite: x\n"),
    ).toBe(7);
  });

  it("is no number where there is none, so that nothing is taken for silence", () => {
    expect(datagramsIn("Tcp: a\nTcp: 1\n")).toBeNaN();
  });
});
