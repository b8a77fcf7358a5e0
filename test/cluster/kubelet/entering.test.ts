import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { commandsOf } from "../../fixtures/documented.ts";
import { container, podObject, type Part } from "../../fixtures/pods.ts";
import { startNodeFor, type Node } from "./one-node.ts";

const namespace = `entering-${process.pid}`;
const skillFile = "/root/.claude/skills/evil/SKILL.md";
const write = `mkdir -p /root/.claude/skills/evil && echo evil > ${skillFile} && cat ${skillFile}`;
const denied = /nobody enters the containers of agents/;

let node: Node;
let folder: string;
const kubectl: Node["kubectl"] = (args, input) => node.kubectl(args, input);
const exec = (pod: string, script: string) => kubectl(["exec", pod, "--", "sh", "-c", script]);

async function start(name: string, more: Part = {}): Promise<void> {
  const agent = { ...container("agent", []), ...node.image, command: ["sh", "-c", "sleep 3600"], ...more };
  const spec = { automountServiceAccountToken: false, terminationGracePeriodSeconds: 0 };
  await kubectl(["create", "-f", "-"], JSON.stringify(podObject({ name, containers: [agent], more: spec })));
  await kubectl(["wait", "--for=condition=Ready", `pod/${name}`, "--timeout=100s"]);
}

beforeAll(async () => {
  node = await startNodeFor(namespace);
  folder = await mkdtemp(join(tmpdir(), "skill-admission-entering-"));
  await writeFile(join(folder, "SKILL.md"), "copied\n");
  await start("open");
  await start("closed", { securityContext: { readOnlyRootFilesystem: true } });
}, 300_000);

afterAll(async () => {
  await kubectl(["delete", "--ignore-not-found", "-f", "-"], await policy());
  await node.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** The policy of docs/threat-model.md, for this test's namespace. */
async function policy(): Promise<string> {
  const yaml = await commandsOf("docs/threat-model.md", "yaml");
  return yaml("name: no-exec-into-agents").replaceAll("tenant: payments", `tenant: ${namespace}`);
}

describe("whoever may exec", () => {
  it("writes a skill into a running container, but for a read-only root file system", async () => {
    expect(await exec("open", write)).toBe("evil\n");
    await kubectl(["cp", join(folder, "SKILL.md"), `open:${skillFile}`]);
    expect(await exec("open", `cat ${skillFile}`)).toBe("copied\n");
    await expect(exec("closed", write)).rejects.toThrow("Read-only file system");
  });

  it("is kept out by the policy, cp included, while the kubelet lets in who may use nodes/proxy", async () => {
    await kubectl(["label", "namespace", namespace, `tenant=${namespace}`]);
    await kubectl(["apply", "-f", "-"], await policy());
    await vi.waitFor(() => expect(exec("open", "true")).rejects.toThrow(denied), {
      timeout: 60_000,
      interval: 500,
    });
    await expect(kubectl(["cp", join(folder, "SKILL.md"), `open:${skillFile}`])).rejects.toThrow(denied);
    const name = await kubectl(["get", "pod", "open", "-o", "jsonpath={.spec.nodeName}"]);
    const way = `/api/v1/nodes/${name}/proxy/run/${namespace}/open/agent?cmd=cat%20${skillFile}`;
    expect(await kubectl(["create", "--raw", way, "-f", "-"], "")).toBe("copied\n");
  });
});
