import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ageCertificates, type Successor } from "../harness/aged-certificates.ts";
import type { Cluster } from "../harness/cluster.ts";
import { limit, note, recording } from "../harness/figures.ts";
import { demands, podWith, policies, prepareNamespace, type Material } from "../harness/material.ts";
import { neverAdmitted, setPublisher, untilDecided } from "../harness/policy-change.ts";
import { authorities, home, metric, replicas } from "../harness/replicas.ts";
import {
  percentile,
  shown,
  startStream,
  unexplained,
  type Mark,
  type Outage,
  type Stream,
} from "../harness/stream.ts";

/** Namespace whose policy changes all the time. */
const changing = "changing";
const rate = recording ? 50 : 25;
const changes = recording ? 40 : 8;
/** How long a stream has to be without a miss to count as undisturbed, milliseconds. */
const calm = recording ? 3000 : 1000;
const names = [
  `skill-admission.${home}.svc`,
  `skill-admission.${home}.svc.cluster.local`,
  `skill-admission.${home}`,
];
const notAfter = "skill_admission_webhook_certificate_not_after_timestamp_seconds";

/** A PEM that the API server's schema lets by, and that is no key. */
const noKey = "-----BEGIN PUBLIC KEY-----\nAAAAAAAAAAAAAAAA\n-----END PUBLIC KEY-----\n";

const milliseconds = (times: readonly number[]): string => {
  const ascending = [...times].sort((a, b) => a - b);
  const [median, most] = [percentile(ascending, 0.5), ascending.at(-1)!];
  return `${Math.round(median)} ms in the median, ${Math.round(most)} ms at most`;
};

export function disturbing(cluster: () => Cluster, material: Material): void {
  describe("under a steady stream of reviews", () => {
    let stream: Stream;
    let rotated: Promise<number>;

    const signed = podWith(material, "signed", changing, "example.invalid/agent");
    const tampered = podWith(material, "tampered", changing, "example.invalid/agent");

    /** Every replica serves by a certificate of the successor. */
    const untilRotated = async ({ notAfter: wanted }: Successor): Promise<number> => {
      const began = performance.now();
      for (;;) {
        const found = await authorities(cluster()).catch(() => [0]);
        if (found.length > 0 && found.every((seconds) => Math.abs(seconds - wanted) < 5))
          return performance.now() - began;
        if (performance.now() - began > 200_000)
          throw new Error(`not rotated: ${found.join(", ")} is not ${wanted}`);
        await sleep(500);
      }
    };

    /** Goes on for a moment, and finds nothing amiss. */
    const undisturbed = async (mark: Mark): Promise<void> => {
      await sleep(calm);
      const tally = await stream.since(mark);
      expect(shown(tally.missed)).toEqual([]);
      expect(tally.admitted).toBeGreaterThan(0);
      expect(tally.denied).toBeGreaterThan(0);
    };

    /** Milliseconds until every replica decides by another publisher, and then by the first again. */
    const changeTwice = async (): Promise<readonly number[]> => {
      await setPublisher(cluster(), changing, material.stranger);
      const there = await untilDecided(
        cluster(),
        signed,
        ({ allowed, message }) => !allowed && message.includes("UNTRUSTED_SIGNER"),
      );
      await setPublisher(cluster(), changing, material.publisher);
      const back = await untilDecided(cluster(), signed, ({ allowed }) => allowed);
      return [...there, ...back];
    };

    beforeAll(async () => {
      await prepareNamespace(cluster(), material, changing);
      await untilDecided(cluster(), signed, ({ allowed }) => allowed);
      stream = startStream({ api: cluster().api, material, rate });
      rotated = ageCertificates(cluster(), names).then(untilRotated);
      // Awaited by the last test.
      rotated.catch(() => undefined);
    });

    afterAll(() => stream.stop());

    /** What was done to the API server and to etcd so far. */
    const outages: Outage[] = [];

    it("lets signed pods in, and no tampered one", () => undisturbed(stream.mark()));

    it("decides by a changed policy within a second, in every replica", async () => {
      const mark = stream.mark();
      const watched = neverAdmitted(cluster(), tampered);
      const times: number[] = [];
      for (let done = 0; done < changes; done += 2) times.push(...(await changeTwice()));
      const asked = await watched.stop();
      note(`a changed policy is in force in every replica (${changes} changes)`, milliseconds(times));
      expect(Math.max(...times)).toBeLessThan(limit(1000));
      expect(asked).toBeGreaterThan(changes);
      expect(shown((await stream.since(mark)).missed)).toEqual([]);
    });

    it("denies everything where a policy cannot be used, and never takes it for no policy", async () => {
      const mark = stream.mark();
      const watched = neverAdmitted(cluster(), tampered);
      await setPublisher(cluster(), changing, noKey);
      const broken = ({ allowed, message }: { allowed: boolean; message: string }): boolean =>
        !allowed && message.includes("publishers[0]");
      const times = await untilDecided(cluster(), signed, broken);
      const ready = '{.status.conditions[?(@.type=="Ready")].status}';
      await expect
        .poll(() => cluster().kubectl(["get", "cskp", changing, "-o", `jsonpath=${ready}`]))
        .toBe("False");
      await sleep(500);
      await setPublisher(cluster(), changing, material.publisher);
      await untilDecided(cluster(), signed, ({ allowed }) => allowed);
      await watched.stop();
      expect(Math.max(...times)).toBeLessThan(limit(1000));
      expect(shown((await stream.since(mark)).missed)).toEqual([]);
    });

    it("refuses at once a policy that no replica could read", async () => {
      const spec = { ...demands(changing, material.publisher), publisher: [] };
      const { status, body } = await cluster().api.call(
        "PATCH",
        `${policies}/${changing}?fieldValidation=Strict`,
        { spec },
      );
      expect(body).toContain('unknown field \\"spec.publisher\\"');
      expect(status).toBe(422);
    });

    it("catches up when every connection to the API server breaks", async (test) => {
      const { machine } = cluster();
      if (machine === undefined) return test.skip("only on a node of this machine");
      const mark = stream.mark();
      const address = await cluster().kubectl([
        "-n",
        "default",
        "get",
        "svc",
        "kubernetes",
        "-o",
        "jsonpath={.spec.clusterIP}",
      ]);
      const watched = neverAdmitted(cluster(), tampered);
      const from = stream.mark().at;
      for (const { containerId } of await replicas(cluster()))
        await machine.breakConnections(await machine.processOf(containerId), address);
      outages.push({ from, to: stream.mark().at });
      const times = await changeTwice();
      await watched.stop();
      note("a policy changed while all watches were lost is in force", milliseconds(times));
      expect(Math.max(...times)).toBeLessThan(limit(5000));
      expect(unexplained(await stream.since(mark), outages)).toEqual([]);
      await undisturbed(stream.mark());
    });

    for (const program of ["apiserver", "etcd"] as const) {
      const called = program === "etcd" ? "etcd" : "the API server";
      it(`admits nothing wrongly while ${called} restarts, and catches up`, async (test) => {
        const { machine, api } = cluster();
        if (machine === undefined) return test.skip("only on a node of this machine");
        const mark = stream.mark();
        const watched = neverAdmitted(cluster(), tampered);
        const start = await machine.killProgram(program);
        await sleep(2000);
        await start();
        const began = performance.now();
        await expect
          .poll(async () => (await api.call("GET", "/readyz")).status, { timeout: 60_000, interval: 100 })
          .toBe(200);
        const up = performance.now();
        outages.push({ from: mark.at, to: stream.mark().at });
        await changeTwice();
        const caughtUp = performance.now() - up;
        await watched.stop();
        const tally = await stream.since(mark);
        note(`${called} killed and restarted: ready after`, `${((up - began) / 1000).toFixed(1)} s`);
        note(
          `policies changed twice right after that are in force`,
          `${(caughtUp / 1000).toFixed(1)} s later`,
        );
        note(`reviews refused meanwhile because ${called} did not answer`, String(tally.missed.length));
        expect(unexplained(tally, outages)).toEqual([]);
        expect(caughtUp).toBeLessThan(limit(20_000));
        await undisturbed(stream.mark());
      });
    }

    it("changes its serving certificate and its authority without a failed review", async () => {
      const took = await rotated;
      await undisturbed(stream.mark());
      const tally = await stream.since({ at: 0, entry: 0, miss: 0 });
      expect(unexplained(tally, outages)).toEqual([]);
      for (const replica of await replicas(cluster())) {
        const days =
          ((await metric(cluster(), replica, `${notAfter}{role="serving"}`)) - Date.now() / 1000) / 86_400;
        expect(days).toBeGreaterThan(29);
      }
      note("serving certificate and authority replaced in every replica", `${Math.round(took / 1000)} s`);
      const refused = tally.missed.length;
      note(
        "reviews during all of this",
        `${tally.sent}: ${tally.sent - refused} as they had to be, ${refused} refused in outages, 0 wrong`,
      );
    });
  });
}
