import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { commandsOf } from "../../fixtures/documented.ts";
import { container, mount, podObject, volume, type Part } from "../../fixtures/pods.ts";
import { openMachine } from "../../e2e/harness/machine.ts";
import { shareNode, type SharedNode } from "./one-node.ts";

const namespace = `around-${process.pid}`;
const skillFile = "/root/.claude/skills/evil/SKILL.md";
const write = `mkdir -p /root/.claude/skills/evil && echo evil > ${skillFile} && cat ${skillFile}`;
const denied = /nobody enters the containers of agents/;

let node: SharedNode;
let folder: string;
const kubectl: SharedNode["kubectl"] = (args, input) => node.kubectl(args, input);
const exec = (pod: string, script: string) => kubectl(["exec", pod, "--", "sh", "-c", script]);

async function start(name: string, more: Part = {}): Promise<void> {
  const agent = { ...container("agent", []), ...node.image, command: ["sh", "-c", "sleep 3600"], ...more };
  const spec = { automountServiceAccountToken: false, terminationGracePeriodSeconds: 0 };
  await kubectl(["create", "-f", "-"], JSON.stringify(podObject({ name, containers: [agent], more: spec })));
  await kubectl(["wait", "--for=condition=Ready", `pod/${name}`, "--timeout=100s"]);
}

beforeAll(async () => {
  node = await shareNode(namespace);
  folder = await mkdtemp(join(tmpdir(), "skill-admission-around-"));
  await writeFile(join(folder, "SKILL.md"), "copied\n");
  await start("open");
  await start("closed", { securityContext: { readOnlyRootFilesystem: true } });
}, 300_000);

afterAll(async () => {
  await kubectl(["delete", "--ignore-not-found", "-f", "-"], await policy());
  const kinds = "validatingadmissionpolicies,validatingadmissionpolicybindings";
  await kubectl(["delete", kinds, namespace, "--ignore-not-found"]);
  await node.leave();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** The policy of docs/threat-model.md, for this test's namespace. */
async function policy(): Promise<string> {
  const yaml = await commandsOf("docs/threat-model.md", "yaml");
  return yaml("name: no-exec-into-agents").replaceAll("tenant: payments", `tenant: ${namespace}`);
}

describe("whoever may exec", () => {
  it("writes a skill into a running container, and with a read-only root file system into /dev alone", async () => {
    expect(await exec("open", write)).toBe("evil\n");
    await kubectl(["cp", join(folder, "SKILL.md"), `open:${skillFile}`]);
    expect(await exec("open", `cat ${skillFile}`)).toBe("copied\n");
    await expect(exec("closed", write)).rejects.toThrow("Read-only file system");
    const folders = "for d in $(find / -xdev -type d) /dev/shm /sys; do echo x > $d/x && echo $d; done";
    const written = (await exec("closed", `(${folders}) 2>/dev/null; true`)).trim().split("\n");
    expect(written).toEqual(["/dev", "/dev/shm"]);
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

/** Refuses every pod of the test's namespace, as a webhook would that finds fault with each. */
const noPods: readonly Part[] = [
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: namespace },
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        resourceRules: [
          { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] },
        ],
      },
      validations: [{ expression: "false", message: "no pods" }],
    },
  },
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name: namespace },
    spec: { policyName: namespace, validationActions: ["Deny"] },
  },
];

// The kubelet of somebody else's cluster has its manifests where no test can write.
describe.skipIf((process.env["E2E_KUBECONFIG"] ?? "") !== "")("a static pod", () => {
  it("runs though admission refuses its mirror, and the API server never shows it", async () => {
    const machine = node.machine!;
    const manifests = join(folder, "manifests");
    const out = join(folder, "out");
    for (const made of [manifests, out]) await mkdir(made);
    await kubectl(["create", "-f", "-"], noPods.map((object) => JSON.stringify(object)).join("\n---\n"));
    const tried = JSON.stringify(podObject({ name: "tried", containers: [container("c", [])] }));
    const create = () => kubectl(["create", "--dry-run=server", "-f", "-"], tried);
    await vi.waitFor(() => expect(create()).rejects.toThrow("no pods"), { timeout: 60_000, interval: 500 });

    const write = ["sh", "-c", "echo evil > /out/SKILL.md; sleep 3600"];
    const agent = { ...container("agent", [mount("out", "/out")]), ...node.image, command: write };
    const volumes = [volume("out", { hostPath: { path: out } })];
    const pod = podObject({ name: "static", volumes, containers: [agent] });
    await writeFile(
      join(manifests, "static.yaml"),
      JSON.stringify({ ...pod, metadata: { name: "static", namespace } }),
    );
    const start = await openMachine(machine).killProgram("kubelet");
    await appendFile(join(machine.folder, "kubelet.yaml"), `staticPodPath: ${manifests}\n`);
    await start();

    const written = () => readFile(join(out, "SKILL.md"), "utf8");
    await vi.waitFor(async () => expect(await written()).toBe("evil\n"), { timeout: 100_000, interval: 500 });
    const log = () => readFile(join(machine.folder, "kubelet.log"), "utf8");
    const refused = /Failed creating a mirror pod.*no pods/;
    await vi.waitFor(async () => expect(await log()).toMatch(refused), { timeout: 60_000, interval: 500 });
    expect(await kubectl(["get", "pods", "-o", "name"])).not.toContain("static");
  });
});
