import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../cluster/harness/binaries.ts";
import type { Cluster } from "../harness/cluster.ts";
import { busiest } from "../harness/connections.ts";
import { limit, note, recording } from "../harness/figures.ts";
import { untilWhole } from "../harness/installation.ts";
import { agents, podWith, type Material, type Part } from "../harness/material.ts";
import { home, replicas } from "../harness/replicas.ts";
import { shown, startStream, type Mark, type Missed, type Stream, type Tally } from "../harness/stream.ts";

/** How long a stream has to be without a miss to count as undisturbed, milliseconds. */
const calm = recording ? 3000 : 1000;

const inSeconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

/** What users see while nobody answers, as the runbook has it. */
const refusal = 'failed calling webhook "pods.skill-admission.dev"';

/** Does a test's stretch hold nothing but what had to be, and refusals for want of a verdict. */
function expectFailedClosed({ missed }: Tally): readonly Missed[] {
  const without = missed.filter(({ what }) => what === "no verdict");
  expect(shown(missed.filter(({ what }) => what !== "no verdict"))).toEqual([]);
  for (const { said } of without) expect(said).toContain(refusal.replaceAll('"', '\\"'));
  return without;
}

/** From the first to the last of them, milliseconds. */
const span = (missed: readonly Missed[]): number =>
  missed.length === 0
    ? 0
    : Math.max(...missed.map(({ at, took }) => at + took)) - Math.min(...missed.map(({ at }) => at));

export function failing(cluster: () => Cluster, material: Material): void {
  describe("when replicas fail", () => {
    let stream: Stream;

    beforeAll(async () => {
      await untilWhole(cluster());
      stream = startStream({ api: cluster().api, material, rate: recording ? 50 : 25 });
    });

    afterAll(() => stream.stop());

    const containers = async (): Promise<readonly number[]> => {
      const { machine } = cluster();
      if (machine === undefined) return [];
      return Promise.all(
        (await replicas(cluster())).map(({ containerId }) => machine.processOf(containerId)),
      );
    };

    /** Restarts of all replicas together. */
    const restarts = async (): Promise<number> =>
      (await replicas(cluster())).reduce((sum, { restarts: count }) => sum + count, 0);

    const restarted = async (before: number, count: number): Promise<void> => {
      await expect.poll(restarts, { timeout: 90_000, interval: 250 }).toBeGreaterThanOrEqual(before + count);
      await untilWhole(cluster());
    };

    /** Nothing is amiss for a while. */
    const undisturbed = async (): Promise<void> => {
      const mark: Mark = stream.mark();
      await sleep(calm);
      expect(shown((await stream.since(mark)).missed)).toEqual([]);
    };

    it("refuses for a moment at most, when one of three is killed", async (test) => {
      const victim = await busiest(await containers());
      if (victim === undefined) return test.skip("only on a node of this machine");
      await undisturbed();
      const before = await restarts();
      const mark = stream.mark();
      process.kill(victim, "SIGKILL");
      const began = performance.now();
      await restarted(before, 1);
      note("one replica killed: whole again, without help, after", inSeconds(performance.now() - began));
      const tally = await stream.since(mark);
      const refused = expectFailedClosed(tally);
      note(
        "reviews refused for want of an answer meanwhile",
        `${refused.length} of ${tally.sent}, within ${inSeconds(span(refused))}`,
      );
      expect(span(refused)).toBeLessThan(limit(5000));
      await undisturbed();
    });

    it("gets over one that hangs, without help", async (test) => {
      const victim = await busiest(await containers());
      if (victim === undefined) return test.skip("only on a node of this machine");
      const before = await restarts();
      const mark = stream.mark();
      process.kill(victim, "SIGSTOP");
      const began = performance.now();
      const refusedIn = async (): Promise<Tally> => stream.since(mark);
      await expect.poll(async () => (await replicas(cluster())).filter(({ ready }) => ready).length).toBe(2);
      note("one replica hung: out of the Service after", inSeconds(performance.now() - began));
      await restarted(before, 1);
      note("and whole again, without help, after", inSeconds(performance.now() - began));
      const tally = await refusedIn();
      const refused = expectFailedClosed(tally);
      for (const { took } of refused) expect(took).toBeLessThan(limit(7000));
      note(
        "reviews refused meanwhile, each after its time-out of 5 s",
        `${refused.length} of ${tally.sent}, within ${inSeconds(span(refused))}`,
      );
      expect(span(refused)).toBeLessThan(limit(40_000));
      await undisturbed();
    });

    it("admits nothing unseen when all are killed, and says what the runbook says", async (test) => {
      const victims = await containers();
      if (victims.length === 0) return test.skip("only on a node of this machine");
      const before = await restarts();
      const mark = stream.mark();
      for (const pid of victims) process.kill(pid, "SIGKILL");
      const began = performance.now();
      const said = await cluster().tool(
        "kubectl",
        ["create", "-f", "-"],
        JSON.stringify({ ...podWith(material, "signed", agents, "example.invalid/agent") }),
      );
      expect(said.code).toBe(1);
      expect(said.stderr).toContain(
        `Error from server (InternalError): error when creating "STDIN": Internal error occurred: ${refusal}`,
      );
      expect(await readFile(join(projectRoot, "docs/operations.md"), "utf8")).toContain(refusal);
      await restarted(before, 3);
      note("all three killed: whole again, without help, after", inSeconds(performance.now() - began));
      const tally = await stream.since(mark);
      const refused = expectFailedClosed(tally);
      expect(refused.length).toBeGreaterThan(0);
      note(
        "every review refused meanwhile, none admitted unseen",
        `${refused.length}, within ${inSeconds(span(refused))}`,
      );
      await undisturbed();
    });
  });

  describe("when there is no replica at all", () => {
    const tryPod = (
      namespace: string,
      kind: "signed" | "tampered" = "signed",
    ): Promise<{ status: number; body: string }> =>
      cluster().api.call(
        "POST",
        `/api/v1/namespaces/${namespace}/pods?dryRun=All`,
        podWith(material, kind, namespace, "example.invalid/agent"),
      );

    /** When the node was last heard of. */
    const heardOf = async (): Promise<string> => {
      const { items } = await cluster().api.json<{ items: readonly { spec: { renewTime: string } }[] }>(
        "GET",
        "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
      );
      return items.map(({ spec }) => spec.renewTime).join(" ");
    };

    const systemPod = (name: string): Part => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: "kube-system" },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: "system", ...cluster().agent, command: ["sleep", "3600"] }],
      },
    });

    const scale = (count: number): Promise<string> =>
      cluster().kubectl(["-n", home, "scale", "deployment/skill-admission", `--replicas=${count}`]);

    it("goes on as a cluster: leases, system pods, deletions; and break-glass opens one namespace", async () => {
      const { kubectl } = cluster();
      await scale(0);
      await expect.poll(() => replicas(cluster()).then(({ length }) => length)).toBe(0);
      // Those on their way out go on to answer until their grace has passed.
      await expect
        .poll(async () => (await tryPod(agents)).body, { timeout: 40_000, interval: 250 })
        .toContain(refusal.replaceAll('"', '\\"'));
      const before = await heardOf();
      await kubectl(["apply", "-f", "-"], JSON.stringify(systemPod("system-part")));
      await kubectl([
        "-n",
        "kube-system",
        "wait",
        "--for=condition=Ready",
        "pod/system-part",
        "--timeout=60s",
      ]);
      await kubectl(["-n", "kube-system", "delete", "pod", "system-part"]);
      await kubectl(["-n", agents, "delete", "pods", "--all"]);
      expect((await tryPod(home)).body).not.toContain("failed calling webhook");
      await expect.poll(heardOf).not.toBe(before);
      const refused = await tryPod(agents);
      expect(refused.status).toBe(500);
      await kubectl(["label", "namespace", agents, "skill-admission.dev/break-glass=INC-1"]);
      await expect.poll(async () => (await tryPod(agents)).status).toBe(201);
      await kubectl(["label", "namespace", agents, "skill-admission.dev/break-glass-"]);
      await expect.poll(async () => (await tryPod(agents)).status).toBe(500);
      await scale(3);
      await untilWhole(cluster());
      await expect.poll(async () => (await tryPod(agents)).status).toBe(201);
    });

    it("comes back by itself after every one of its pods was deleted", async () => {
      const began = performance.now();
      await cluster().kubectl(["-n", home, "delete", "pods", "--all", "--grace-period=0", "--force"]);
      await untilWhole(cluster());
      await expect.poll(async () => (await tryPod(agents)).status).toBe(201);
      await expect.poll(async () => (await tryPod(agents, "tampered")).status).toBe(403);
      note(
        "every pod of the product deleted: whole again, without help, after",
        inSeconds(performance.now() - began),
      );
    });
  });
}
