import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandsOf, typed } from "../../fixtures/documented.ts";
import type { Cluster } from "../harness/cluster.ts";
import { limit, note } from "../harness/figures.ts";
import { chart, flags, prepareHome, registered, untilWhole } from "../harness/installation.ts";
import { agents, podWith, prepareNamespace, type Material, type Part } from "../harness/material.ts";
import { home, replicas } from "../harness/replicas.ts";
import { startTypist, type Typist } from "../harness/typist.ts";

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

/** A pod of its own name whose agent reads its skill, and goes on running. */
function agentPod(cluster: Cluster, material: Material, name: string): Part {
  const { spec } = podWith(material, "signed", agents, cluster.agent.image) as { spec: Part };
  const containers = (spec["containers"] as readonly Part[]).map((container) => ({
    ...container,
    ...cluster.agent,
    command: ["sh", "-c", `cat /skills/${material.signed.name}/SKILL.md && sleep 3600`],
  }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: agents },
    spec: { ...spec, containers, terminationGracePeriodSeconds: 0 },
  };
}

/** A Deployment whose pods mount the skill that somebody wrote to. */
function tamperedDeployment(cluster: Cluster, material: Material, name: string): Part {
  const { spec } = podWith(material, "tampered", agents, cluster.agent.image) as { spec: Part };
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: agents },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

export function installing(cluster: () => Cluster, material: Material): void {
  describe("installed by its chart", () => {
    let notes: string;

    let typist: Typist | undefined;

    beforeAll(async () => {
      const { machine } = cluster();
      if (machine === undefined) await prepareHome(cluster());
      else typist = await startTypist(cluster(), machine);
    });

    afterAll(() => typist?.leave());

    /** On a node of this machine letter by letter as docs/install.md has it for kind. */
    const install = async (): Promise<string> =>
      typist === undefined
        ? cluster().helm(["install", home, chart, ...flags(cluster())])
        : typed((await commandsOf("docs/install.md"))("kind create cluster"), typist.shell);

    it("is ready in under 15 s, in a namespace where Pod Security is restricted", async () => {
      const began = performance.now();
      notes = await install();
      const ready = performance.now() - began;
      await expect.poll(() => registered(cluster())).toBe(true);
      const asked = performance.now() - began;
      const whole = async () => (await replicas(cluster())).map(({ ready }) => ready);
      await expect.poll(whole).toEqual([true, true, true]);
      note("helm install to three ready replicas", seconds(ready));
      note("helm install to a webhook that is registered", seconds(asked));
      expect(ready).toBeLessThan(limit(15_000));
      expect(asked).toBeLessThan(limit(25_000));
    });

    it("says what to do next, and what is open", () => {
      expect(notes).toContain("There is no ClusterSkillPolicy. Every skill is admitted, signed or not.");
      expect(notes).toContain("kubectl -n skill-admission rollout status deployment/skill-admission");
      expect(notes).toMatch(/helm -n skill-admission upgrade .* --set starterPolicy.enabled=true/);
    });

    it("denies nothing until an operator says so", async () => {
      const pod = podWith(material, "tampered", "default", "example.invalid/agent");
      const { status } = await cluster().api.call("POST", "/api/v1/namespaces/default/pods?dryRun=All", pod);
      expect(status).toBe(201);
    });

    it("denies the unsigned skill of helm test, which leaves nothing behind", async () => {
      const { helm, kubectl } = cluster();
      const said = await helm(["test", home, "--namespace", home, "--logs", "--timeout", "240s"]);
      expect(said).toContain("denied, as it must be: ");
      expect(said).toContain("canary UNSIGNED");
      const left = ["get", "pods,serviceaccounts,clusterskillpolicies", "-n", home, "-o", "name"];
      expect(await kubectl(left)).not.toContain("canary");
      const namespace = ["get", "namespace", "skill-admission-canary", "--ignore-not-found", "-o", "name"];
      await expect.poll(() => kubectl(namespace)).toBe("");
    });

    it("lets a signed agent run and read its skill", async () => {
      await prepareNamespace(cluster(), material, agents);
      const { kubectl } = cluster();
      await kubectl(["apply", "-f", "-"], JSON.stringify(agentPod(cluster(), material, "reader")));
      await kubectl(["-n", agents, "wait", "--for=condition=Ready", "pod/reader", "--timeout=60s"]);
      const text = Buffer.from(material.signed.files.get("SKILL.md")!.bytes).toString();
      expect(await kubectl(["-n", agents, "logs", "reader"])).toBe(text);
      const script = `/skills/${material.signed.name}/scripts/run.sh`;
      expect(await kubectl(["-n", agents, "exec", "reader", "--", "cat", script])).toBe(
        Buffer.from(material.signed.files.get("scripts/run.sh")!.bytes).toString(),
      );
    });

    it("shows on the Deployment and its ReplicaSet why a tampered Deployment has no pods", async () => {
      const { kubectl } = cluster();
      await kubectl(["apply", "-f", "-"], JSON.stringify(tamperedDeployment(cluster(), material, "altered")));
      const path = '{.items[0].status.conditions[?(@.type=="ReplicaFailure")].message}';
      const reason = (): Promise<string> =>
        kubectl(["-n", agents, "get", "replicaset", "-l", "app=altered", "-o", `jsonpath=${path}`]);
      await expect.poll(reason).toContain("DIGEST_MISMATCH scripts/run.sh: signed");
      expect(await reason()).toContain('policy "agents" denied Pod agents/altered-');
      const described = () => kubectl(["-n", agents, "describe", "replicaset", "-l", "app=altered"]);
      await expect.poll(described).toMatch(/FailedCreate[\s\S]*DIGEST_MISMATCH scripts\/run\.sh/);
      await expect
        .poll(() => kubectl(["-n", agents, "describe", "deployment", "altered"]))
        .toMatch(/SkillDenied[\s\S]*DIGEST_MISMATCH scripts\/run\.sh/);
      expect(await kubectl(["-n", agents, "get", "pods", "-l", "app=altered", "-o", "name"])).toBe("");
      await kubectl(["-n", agents, "delete", "deployment", "altered"]);
    });

    it("is whole", () => untilWhole(cluster()));
  });
}
