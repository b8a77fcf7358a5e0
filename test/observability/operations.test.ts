import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { installCrds } from "../cluster/harness/crds.ts";
import { createNamespace } from "../cluster/admission/world.ts";
import { projectRoot, toolPath } from "../cluster/harness/binaries.ts";
import { apply } from "../cluster/harness/apply.ts";
import { kubectl, tryKubectl } from "../cluster/harness/cluster.ts";
import { takesPods } from "../cluster/harness/namespaces.ts";
import { clear, registered, startReplica, type Replica } from "../cluster/replicas/replica.ts";
import { kubeconfig } from "../cluster/harness/opened.ts";
import {
  commandsOf,
  type as typeInto,
  typed as typedInto,
  type Shell,
  type Typed,
} from "../fixtures/documented.ts";
import { skillRevocationList } from "../fixtures/resources.ts";
import { patience } from "../fixtures/patience.ts";

const namespace = "skill-admission";
const tampered = ["apply", "-f", "examples/pods/tampered.yaml"];

let folder: string;
let replica: Replica;
let documented: (words: string) => string;
let shell: Shell;

const type = (script: string): Promise<Typed> => typeInto(script, shell);
const typed = (script: string): Promise<string> => typedInto(script, shell);

const deletePod = () =>
  kubectl(["-n", "payments", "delete", "pod", "incident-summary-tampered", "--now", "--ignore-not-found"]);

/** Waits until it is. One that came in before is no longer asked about, and has to go first. */
const denied = () =>
  vi.waitFor(async () => {
    await deletePod();
    expect((await tryKubectl(tampered)).stderr).toContain("DIGEST_MISMATCH");
  }, patience);

const admitted = async (): Promise<void> => {
  await vi.waitFor(async () => expect((await tryKubectl(tampered)).code).toBe(0), patience);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skill-admission-operations-"));
  documented = await commandsOf("docs/operations.md");
  const path = [folder, dirname(await toolPath("kubectl")), process.env["PATH"]].join(delimiter);
  shell = { cwd: folder, env: { ...process.env, KUBECONFIG: kubeconfig, PATH: path } };
  const program = `#!/bin/sh\nexec "${process.execPath}" "${join(projectRoot, "dist/main.js")}" "$@"\n`;
  await writeFile(join(folder, "skill-admission"), program);
  await chmod(join(folder, "skill-admission"), 0o755);
  await installCrds();
  await createNamespace(namespace);
  const spec = { ports: [{ port: 443 }] };
  await apply({ apiVersion: "v1", kind: "Service", metadata: { name: "skill-admission", namespace }, spec });
  replica = await startReplica(namespace);
  for (const file of ["policies/trust-roots.yaml", "policies/payments.yaml", "pods/namespace.yaml"])
    await kubectl(["apply", "-f", `examples/${file}`]);
  await takesPods("payments");
  await denied();
});

afterAll(async () => {
  await replica.kill();
  await clear(namespace);
  await kubectl(["delete", "cskp,sktr,skrl", "--all"]);
  await kubectl(["delete", "namespace", "payments", namespace, "--ignore-not-found"]);
  await rm(folder, { recursive: true, force: true });
});

describe("break-glass for one namespace", () => {
  it("lets in what was denied, while the label is there and no longer, and is told in the log", async () => {
    await typed(documented("break-glass=INC-4711"));
    await admitted();
    await vi.waitFor(
      async () =>
        expect((await replica.log()).map(({ msg }) => msg).join("\n")).toContain(
          "nothing in the Namespace payments is checked: it carries the label skill-admission.dev/break-glass=INC-4711",
        ),
      patience,
    );
    await expect.poll(() => replica.metric("skill_admission_break_glass_namespaces")).toBe(1);
    expect(await typed(documented("-l skill-admission.dev/break-glass -L"))).toContain("INC-4711");
    await typed(documented("break-glass-\n"));
    await vi.waitFor(
      async () => expect(await replica.metric("skill_admission_break_glass_namespaces")).toBe(0),
      patience,
    );
  });

  it("works also while no replica answers", async () => {
    await denied();
    replica.pause();
    try {
      expect((await tryKubectl(tampered)).stderr).toContain("failed calling webhook");
      await typed(documented("break-glass=INC-4711"));
      await admitted();
    } finally {
      replica.resume();
      await typed(documented("break-glass-\n"));
    }
  });

  it("is followed by a look at what came in", async () => {
    const { code, out } = await type(documented("skill-admission apply --cluster"));
    expect(out).toContain("DIGEST_MISMATCH scripts/timeline.sh");
    expect(code).toBe(1);
    await denied();
  });
});

describe("break-glass for the whole cluster", () => {
  it("takes the webhook out although a replica leads, until it is taken back", async () => {
    await typed(documented("kubectl delete validatingwebhookconfiguration"));
    const end = performance.now() + 6_000;
    while (performance.now() < end) {
      expect(await registered()).toBeUndefined();
      await sleep(500);
    }
    await admitted();
    await expect.poll(() => replica.metric("skill_admission_webhook_registered")).toBe(0);
    await typed(documented("skill-admission.dev/unregistered-"));
    await denied();
    await expect.poll(() => replica.metric("skill_admission_webhook_registered")).toBe(1);
  });
});

describe("backup and restore", () => {
  const specs = async (): Promise<unknown> => {
    const { items } = JSON.parse(await kubectl(["get", "cskp,sktr,skrl", "-o", "json"])) as {
      items: readonly { kind: string; metadata: { name: string; labels?: object }; spec: unknown }[];
    };
    return items.map(({ kind, metadata, spec }) => [kind, metadata.name, metadata.labels, spec]);
  };
  const revoked = skillRevocationList("withdrawn", {
    skills: [{ digest: `sha256:${"0".repeat(64)}`, reason: "leaks credentials" }],
  });
  const ready = () =>
    kubectl(["wait", "--for=condition=Ready", "--timeout=60s", "cskp/payments", "sktr/example-keys"]);

  it("brings back what was deleted and what was changed, as it was", async () => {
    await ready();
    await kubectl(["apply", "-f", "-"], JSON.stringify(revoked));
    const before = await specs();
    expect(before).toContainEqual(expect.arrayContaining(["SkillRevocationList", "withdrawn"]));
    await typed(documented("sed -E"));
    await kubectl(["patch", "cskp", "payments", "--type=merge", "-p", '{"spec":{"mode":"Audit"}}']);
    await kubectl(["delete", "sktr", "--all"]);
    expect(await specs()).not.toEqual(before);
    await typed(documented("kubectl apply --server-side"));
    expect(await specs()).toEqual(before);
    await ready();
    await kubectl(["delete", "cskp,sktr,skrl", "--all"]);
    await typed(documented("kubectl apply --server-side"));
    expect(await specs()).toEqual(before);
    await ready();
    await denied();
  });
});

describe("the other commands of the runbook", () => {
  it("can be typed: none has an option that kubectl does not know, or asks for what there is not", async () => {
    const looks = [
      "get events --sort-by=.lastTimestamp",
      "logs POD --tail=50",
      "get validatingwebhookconfiguration skill-admission\n",
      "--raw /readyz",
    ];
    for (const words of looks)
      await type(documented(words)).then(({ out }) => expect(out).not.toMatch(/unknown/));
    expect(await typed("kubectl get cskp,sktr,skrl")).toContain("payments");
    const patch = `kubectl patch cskp payments --type merge -p '{"spec":{"mode":"Warn"}}'`;
    const page = await readFile(join(projectRoot, "docs/operations.md"), "utf8");
    expect(page).toContain(patch.replace("payments", "NAME"));
    await typed(patch);
    const message = documented("jsonpath='{.status.conditions").replace("NAME", "payments");
    expect(await typed(message)).toBe("in force");
    expect(await typed(documented("custom-columns=").split("\n")[1] ?? "")).toContain("ClusterSkillPolicy");
  });
});
