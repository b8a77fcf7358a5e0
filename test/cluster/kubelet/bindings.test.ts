import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packConfigMaps } from "../../../src/cli/package/config-maps.ts";
import { examplePod, podVolume } from "../../../src/cli/package/pod-volume.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { clusterSkillPolicy } from "../../fixtures/resources.ts";
import { signedSkill, withFiles } from "../../fixtures/signed-skill.ts";
import { shareNode, type SharedNode } from "./one-node.ts";
import { startProduct, type NodeProduct } from "./product.ts";

type Part = Readonly<Record<string, unknown>>;

const namespace = `bound-${process.pid}`;
const { skill, trust } = signedSkill();
const changed = withFiles(skill, { "scripts/run.sh": "evil" });
const pem = trust.keys[0]!.key.export({ type: "spki", format: "pem" });

let node: SharedNode;
let product: NodeProduct | undefined;
const kubectl: SharedNode["kubectl"] = (args, input) => node.kubectl(args, input);
const apply = (...items: readonly unknown[]) =>
  kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));

/** A skill in one ConfigMap that may change, and the spec of a pod that mounts it. */
function carry(content: Skill, name: string): { readonly configMap: Part; readonly spec: Part } {
  const [packed, ...others] = packConfigMaps(content, { name, namespace });
  expect(others).toEqual([]);
  const { manifest } = packed!;
  const volume = podVolume(
    [{ ...packed!, manifest: { ...manifest, metadata: { ...manifest.metadata, name } } }],
    name,
    `/skills/${content.name}`,
  );
  const { spec } = examplePod(volume, { name, namespace, image: node.image.image }) as {
    readonly spec: Part;
  };
  const [container] = spec["containers"] as readonly Part[];
  return {
    configMap: { ...manifest, metadata: { name, namespace }, immutable: false },
    spec: {
      ...spec,
      terminationGracePeriodSeconds: 0,
      containers: [{ ...container, ...node.image, command: ["sleep", "3600"] }],
    },
  };
}

const podOf = (name: string, spec: Part): Part => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace },
  spec,
});

/** The cluster of somebody else cannot reach a product on this machine. */
describe.skipIf(process.env["E2E_KUBECONFIG"])("recheck: Binding, with a real scheduler and kubelet", () => {
  beforeAll(async () => {
    node = await shareNode(namespace);
    // Stored before anybody is asked, and held back from the scheduler.
    const raced = carry(changed, "raced");
    await apply(raced.configMap, podOf("raced", { ...raced.spec, schedulingGates: [{ name: "test/hold" }] }));
    await kubectl(["label", "namespace", namespace, `tenant=${namespace}`]);
    const namespaceSelector = { matchLabels: { tenant: namespace } };
    const publishers = [{ name: "team", publicKey: { pem } }];
    const policy = clusterSkillPolicy("bound", { namespaceSelector, publishers, recheck: "Binding" });
    product = await startProduct(node, policy);
  }, 300_000);

  afterAll(async () => {
    await product?.remove();
    await node.leave();
  });

  const field = (path: string): Promise<string> => kubectl(["get", "pod", "raced", "-o", `jsonpath=${path}`]);

  it("a pod that is stored with a changed skill never reaches the node, and kubectl says why", async () => {
    // A second after the registration the API server asks.
    const bound = { name: "raced", uid: await field("{.metadata.uid}") };
    const dryRun = JSON.stringify({
      apiVersion: "v1",
      kind: "Binding",
      metadata: bound,
      target: { kind: "Node", name: "node1" },
    });
    const asked = (): Promise<string> =>
      kubectl(
        ["create", "--raw", `/api/v1/namespaces/${namespace}/pods/raced/binding?dryRun=All`, "-f", "-"],
        dryRun,
      ).catch(String);
    await expect.poll(asked).toContain("bindings.skill-admission.dev");

    await kubectl(["patch", "pod", "raced", "--type=merge", "-p", '{"spec":{"schedulingGates":null}}']);
    const condition = () => field('{.status.conditions[?(@.type=="PodScheduled")].message}');
    await expect
      .poll(condition, { timeout: 60_000, interval: 500 })
      .toMatch(
        /^running Bind plugin "DefaultBinder": admission webhook "bindings.skill-admission.dev" denied the request: policy "bound" denied Binding [^\n]*\/raced: 1 of 1 skill failed: \S+ DIGEST_MISMATCH \S+\n/,
      );
    expect(await field("{.spec.nodeName}")).toBe("");
    const described = () => kubectl(["describe", "pod", "raced"]);
    await expect.poll(described).toMatch(/SkillDenied +.*skill-admission/);
    await expect.poll(described).toMatch(/FailedScheduling +.*default-scheduler .*DIGEST_MISMATCH/);
    const events = () => kubectl(["get", "events", "--field-selector=reason=FailedScheduling"]);
    await expect.poll(events).toMatch(/1 of 1 skill failed: \S+ DIGEST_MISMATCH \S+/);
  }, 180_000);

  it("the scheduler tries again by itself, and the pod starts once its skill is signed", async () => {
    await apply(carry(skill, "raced").configMap);
    await kubectl(["wait", "--for=condition=Ready", "pod/raced", "--timeout=110s"]);
    const script = await kubectl(["exec", "raced", "--", "cat", `/skills/${skill.name}/scripts/run.sh`]);
    expect(script).not.toContain("evil");
  }, 180_000);

  it("pods of a DaemonSet are bound by the scheduler, and start", async () => {
    const { configMap, spec } = carry(skill, "daemon");
    const labels = { app: "daemon" };
    await apply(configMap, {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: "daemon", namespace },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    });
    await kubectl(["rollout", "status", "daemonset/daemon", "--timeout=100s"]);
  }, 180_000);
});
