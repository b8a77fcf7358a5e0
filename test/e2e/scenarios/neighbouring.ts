import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../harness/api.ts";
import type { Cluster } from "../harness/cluster.ts";
import { limit, note } from "../harness/figures.ts";
import { untilWhole } from "../harness/installation.ts";
import { agents, demands, podWith, policy, type Material } from "../harness/material.ts";
import { home, replicas } from "../harness/replicas.ts";

/** A namespace that no policy governs, and one that a policy in Audit governs and no other. */
const [free, watched] = ["free", "watched"] as const;

interface Timed extends Answer {
  /** Milliseconds. */
  readonly took: number;
}

export function neighbouring(cluster: () => Cluster, material: Material): void {
  describe("in nobody's way, while nobody answers", () => {
    beforeAll(async () => {
      await untilWhole(cluster());
      const objects = [
        { apiVersion: "v1", kind: "Namespace", metadata: { name: free } },
        { apiVersion: "v1", kind: "Namespace", metadata: { name: watched, labels: { tenant: watched } } },
        policy(watched, { ...demands(watched, material.stranger), mode: "Audit" }),
      ];
      const { kubectl } = cluster();
      await kubectl(["apply", "-f", "-"], objects.map((each) => JSON.stringify(each)).join("\n---\n"));
      for (const name of [free, watched])
        await kubectl(["-n", name, "wait", "--for=create", "serviceaccount/default", "--timeout=60s"]);
      await kubectl(["wait", "--for=condition=Registered", `cskp/${watched}`, "--timeout=60s"]);
    });

    afterAll(async () => {
      await cluster().kubectl(["delete", `cskp/${watched}`, `namespace/${free}`, `namespace/${watched}`]);
    });

    const tryPod = async (namespace: string): Promise<Timed> => {
      const began = performance.now();
      const answer = await cluster().api.call(
        "POST",
        `/api/v1/namespaces/${namespace}/pods?dryRun=All`,
        podWith(material, "tampered", namespace, "example.invalid/agent"),
      );
      return { ...answer, took: performance.now() - began };
    };

    /** Whoever enforces is refused; whoever only looks waits a second at most; nobody else notices. */
    const isOutOfTheWay = async (
      how: string,
    ): Promise<Record<"governed" | "looked" | "elsewhere", number>> => {
      const [governed, looked, elsewhere] = await Promise.all([agents, watched, free].map(tryPod));
      expect([how, governed!.status, looked!.status, elsewhere!.status]).toEqual([how, 500, 201, 201]);
      note(`${how}: a pod where a policy only looks, after`, `${Math.round(looked!.took)} ms`);
      expect(looked!.took).toBeLessThan(limit(1_500));
      expect(elsewhere!.took).toBeLessThan(limit(500));
      for (const namespace of [watched, free]) {
        const map = {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { generateName: "any-" },
          data: { a: "b" },
        };
        const path = `/api/v1/namespaces/${namespace}/configmaps?dryRun=All`;
        expect((await cluster().api.call("POST", path, map)).status).toBe(201);
      }
      return { governed: governed!.took, looked: looked!.took, elsewhere: elsewhere!.took };
    };

    it("when all replicas hang", async (test) => {
      const { machine } = cluster();
      if (machine === undefined) return test.skip("only on a node of this machine");
      const running = await replicas(cluster());
      const victims = await Promise.all(running.map(({ containerId }) => machine.processOf(containerId)));
      for (const pid of victims) process.kill(pid, "SIGSTOP");
      try {
        const took = await isOutOfTheWay("all replicas hung");
        // Five seconds, one, and none.
        expect(took.governed - took.looked).toBeGreaterThan(2_000);
        expect(took.looked - took.elsewhere).toBeGreaterThan(300);
      } finally {
        for (const pid of victims) process.kill(pid, "SIGCONT");
      }
      // The kubelet may have given up on them meanwhile.
      await sleep(2_000);
      await untilWhole(cluster());
    });

    it("when all replicas are gone", async () => {
      const scale = (count: number): Promise<string> =>
        cluster().kubectl(["-n", home, "scale", "deployment/skill-admission", `--replicas=${count}`]);
      await scale(0);
      await expect.poll(() => replicas(cluster()).then(({ length }) => length)).toBe(0);
      // Those on their way out go on to answer until their grace has passed.
      await expect
        .poll(async () => (await tryPod(agents)).status, { timeout: 40_000, interval: 250 })
        .toBe(500);
      await isOutOfTheWay("all replicas gone");
      await scale(3);
      await untilWhole(cluster());
      await expect.poll(async () => (await tryPod(agents)).status).toBe(403);
    });
  });
}
