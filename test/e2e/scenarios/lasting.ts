import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { ageCertificates, type Successor } from "../harness/aged-certificates.ts";
import type { Cluster } from "../harness/cluster.ts";
import { note, recording } from "../harness/figures.ts";
import { chart, flags, untilWhole } from "../harness/installation.ts";
import { podWith, prepareNamespace, type Material } from "../harness/material.ts";
import { setPublisher, untilDecided } from "../harness/policy-change.ts";
import { authorities, home, leader, metric, replicas } from "../harness/replicas.ts";
import { percentile, shown, startStream } from "../harness/stream.ts";

const rate = 50;
/** Milliseconds. */
const lasts = recording ? 120_000 : 20_000;
/** For memory: a heap that has just begun grows first, whatever is asked of it. */
const stays = recording ? 60_000 : 8_000;
const mayGrow = recording ? 24 : 64;
const mebibyte = 2 ** 20;
const names = [
  `skill-admission.${home}.svc`,
  `skill-admission.${home}.svc.cluster.local`,
  `skill-admission.${home}`,
];

export function lasting(cluster: () => Cluster, material: Material): void {
  describe("with everything at once", () => {
    const changing = "changing";
    const pod = podWith(material, "signed", changing, "example.invalid/agent");
    let successor: Successor | undefined;

    beforeAll(async () => {
      await prepareNamespace(cluster(), material, changing);
      await untilWhole(cluster());
    });

    /** One fault after the other, of the kinds that a cluster has every day. */
    const disturb = async (ended: () => boolean): Promise<Readonly<Record<string, number>>> => {
      const { kubectl, helm, machine } = cluster();
      const done = {
        upgrades: 0,
        "leaders deleted": 0,
        "policy changes": 0,
        "broken connections": 0,
        rotations: 0,
      };
      successor = await ageCertificates(cluster(), names);
      done.rotations += 1;
      if (recording) {
        await helm(["upgrade", home, chart, ...flags(cluster())]);
        done.upgrades += 1;
      }
      do {
        for (const pem of [material.stranger, material.publisher]) {
          await setPublisher(cluster(), changing, pem);
          await untilDecided(cluster(), pod, ({ allowed }) => allowed === (pem === material.publisher));
          done["policy changes"] += 1;
        }
        if (machine !== undefined) {
          const where = ["-n", "default", "get", "svc", "kubernetes", "-o", "jsonpath={.spec.clusterIP}"];
          const address = await kubectl(where);
          const [first] = await replicas(cluster());
          await machine.breakConnections(await machine.processOf(first!.containerId), address);
          done["broken connections"] += 1;
        }
        await kubectl(["-n", home, "delete", "pod", await leader(cluster()), "--wait=false"]);
        done["leaders deleted"] += 1;
        await untilWhole(cluster());
        await sleep(1000);
      } while (!ended());
      return done;
    };

    const memory = async (): Promise<readonly number[]> =>
      Promise.all(
        (await replicas(cluster())).map((replica) =>
          metric(cluster(), replica, "process_resident_memory_bytes").catch(() => 0),
        ),
      );

    it("loses no review and admits none wrongly", async () => {
      const stream = startStream({ api: cluster().api, material, rate });
      const began = performance.now();
      const ended = (): boolean => performance.now() - began > lasts;
      const disturbed = disturb(ended);
      const most: number[] = [];
      const sampling = (async () => {
        while (!ended()) {
          most.push(Math.max(...(await memory().catch(() => [0]))));
          await sleep(1000);
        }
      })();
      const done = await disturbed;
      await sampling;
      const tally = await stream.stop();
      const what = Object.entries(done).map(([name, count]) => `${name} ${count}`);
      note(
        `everything at once, ${Math.round(tally.seconds)} s at ${(tally.sent / tally.seconds).toFixed(0)} reviews a second`,
        what.join(", "),
      );
      note("reviews", `${tally.sent}: ${tally.admitted} admitted, ${tally.denied} denied`);
      note(
        "wrong admits, lost reviews",
        `${tally.missed.filter((one) => one.what === "wrong admit").length}, ${tally.missed.filter((one) => one.what !== "wrong admit").length}`,
      );
      note(
        "time of a review, seen by the caller",
        `${Math.round(percentile(tally.latencies, 0.5))} ms in the median, ${Math.round(percentile(tally.latencies, 0.99))} ms at p99`,
      );
      note("resident memory of a replica, at most", `${Math.round(Math.max(...most) / mebibyte)} MiB`);
      expect(shown(tally.missed)).toEqual([]);
      expect(tally.sent).toBeGreaterThan(tally.seconds * rate * 0.95);
      expect(Math.max(...most)).toBeGreaterThan(0);
      expect(Math.max(...most)).toBeLessThan(400 * mebibyte);
      // In a short run the rotation has only begun.
      if (recording)
        for (const notAfter of await authorities(cluster()))
          expect(Math.abs(notAfter - successor!.notAfter)).toBeLessThan(5);
    });

    it("does not grow: memory is flat under the same load on replicas that stay", async () => {
      const stream = startStream({ api: cluster().api, material, rate });
      const samples: number[][] = [];
      const began = performance.now();
      while (performance.now() - began < stays) {
        const found = await memory();
        found.forEach((bytes, index) => (samples[index] ??= []).push(bytes));
        await sleep(500);
      }
      const { missed } = await stream.stop();
      expect(shown(missed)).toEqual([]);
      const mean = (values: readonly number[]): number =>
        values.reduce((sum, value) => sum + value, 0) / values.length;
      const growth = samples.map(
        (of) =>
          mean(of.slice(-Math.ceil(of.length / 4))) -
          mean(of.slice(Math.floor(of.length / 4), Math.ceil(of.length / 2))),
      );
      note(
        `growth of a replica's memory over the last half of ${stays / 1000} s at ${rate} reviews a second`,
        `${(Math.max(...growth) / mebibyte).toFixed(1)} MiB at most`,
      );
      expect(Math.max(...growth)).toBeLessThan(mayGrow * mebibyte);
    });
  });
}
