import { afterAll, beforeAll, beforeEach, describe, it } from "vitest";
import { packConfigMaps } from "../../../src/cli/package/config-maps.ts";
import { podVolume } from "../../../src/cli/package/pod-volume.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { configMap, container, mount, podObject, volume, type Part } from "../../fixtures/pods.ts";
import { clusterSkillPolicy } from "../../fixtures/resources.ts";
import { signedSkill } from "../../fixtures/signed-skill.ts";
import { until } from "../harness/process.ts";
import { shareNode, type SharedNode } from "./one-node.ts";
import { startProduct, type NodeProduct } from "./product.ts";

const namespace = `deletions-${process.pid}`;
const script = "scripts/run.sh";
const first = signedSkill();
const second = signedSkill({ key: first.key, files: filesWith(first.skill, "echo two\n") }).skill;

function filesWith({ files }: Skill, text: string): Readonly<Record<string, Uint8Array>> {
  const kept = [...files].filter(([path]) => path !== "skill.oms.sig");
  return Object.fromEntries(
    kept.map(([path, { bytes }]) => [path, path === script ? Buffer.from(text) : bytes]),
  );
}

let node: SharedNode;
let product: NodeProduct | undefined;
const kubectl: SharedNode["kubectl"] = (args, input) => node.kubectl(args, input);
const create = (object: object): Promise<string> => kubectl(["create", "-f", "-"], JSON.stringify(object));

/** An unsigned skill is denied as soon as the webhook is asked and the policy is in force. */
async function denies(): Promise<boolean> {
  const probe = podObject({
    name: "probe",
    volumes: [volume("v", { hostPath: { path: "/etc" } })],
    containers: [container("agent", [mount("v", "/root/.claude/skills/s")])],
  });
  const said = await kubectl(["create", "--dry-run=server", "-f", "-"], JSON.stringify(probe)).catch(String);
  return said.includes("SOURCE_UNVERIFIABLE");
}

const sleeping = { ...{ command: ["sh", "-c", "trap true TERM; while true; do sleep 1; done"] } };

const agentPod = (
  name: string,
  volumes: readonly Part[],
  mounts: readonly Part[],
  more: Part = {},
): object => {
  const { grace = 1, ...rest } = more as { readonly grace?: number };
  const spec = { automountServiceAccountToken: false, terminationGracePeriodSeconds: grace };
  const agent = { ...container("agent", mounts), ...node.image, ...sleeping, ...rest };
  return podObject({ name, volumes, containers: [agent], more: spec });
};

const ready = (pod: string): Promise<string> =>
  kubectl(["wait", "--for=condition=Ready", `pod/${pod}`, "--timeout=100s"]);

/** A skill in one immutable ConfigMap of this name, and the volume that shows it. */
function named(name: string, skill: Skill): { readonly object: object; readonly shown: Part } {
  const keys = [...skill.files].map(([path, { bytes }], at) => [`f${at}`, path, bytes] as const);
  const binaryData = Object.fromEntries(
    keys.map(([key, , bytes]) => [key, Buffer.from(bytes).toString("base64")]),
  );
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, immutable: true, binaryData };
  const items = keys.map(([key, path]) => [key, path] as const);
  return { object, shown: volume("v", configMap(name, items)) };
}

beforeAll(async () => {
  node = await shareNode(namespace);
  if (node.machine === undefined) return;
  await kubectl(["label", "namespace", namespace, `tenant=${namespace}`]);
  const pem = first.trust.keys[0]!.key.export({ type: "spki", format: "pem" }) as string;
  product = await startProduct(
    node,
    clusterSkillPolicy(namespace, {
      namespaceSelector: { matchLabels: { tenant: namespace } },
      publishers: [{ name: "team", publicKey: { pem } }],
    }),
  );
  await until("the product denies an unsigned skill", denies);
}, 300_000);

// Of a cluster that is somebody else's, the API server cannot reach the product here.
beforeEach(({ skip }) => skip(product === undefined, "needs a node on this machine"));

afterAll(async () => {
  await product?.remove();
  await node.leave();
});

/** The product counts a pod for more than a minute after it was deleted: the tests wait for that side by side. */
const patient = { timeout: 200_000, interval: 2000 };

describe.concurrent("an immutable ConfigMap that is deleted under a pod", () => {
  const evil: Skill = { ...first.skill, files: new Map(first.skill.files) };
  const at = mount("v", `/skills/${first.skill.name}`);

  it.for([
    ["shows one key of it", "key"],
    ["has it in variables", "env"],
    ["was deleted by force and runs on", "force"],
  ] as const)(
    "stays while one %s, so that no signed skill of its name shows the old bytes",
    async ([, how], { expect }) => {
      const name = `x-${how}`;
      const old = named(name, {
        ...evil,
        files: new Map([...evil.files, [script, evil.files.get("SKILL.md")!]]),
      });
      const signed = named(name, first.skill);
      await create(old.object);
      const volumes = how === "env" ? [] : [volume("v", configMap(name, [["f0", "note"]]))];
      const mounts = how === "env" ? [] : [mount("v", "/opt/note")];
      const more =
        how === "env" ? { envFrom: [{ configMapRef: { name } }] } : { grace: how === "force" ? 600 : 1 };
      await create(agentPod(how, volumes, mounts, more));
      await ready(how);
      if (how === "force") await kubectl(["delete", "pod", how, "--force", "--grace-period=0"]);
      await expect(kubectl(["delete", "configmap", name])).rejects.toThrow(
        /STILL_IN_USE Pod (?:key|env|force)/,
      );
      await expect(
        kubectl(["delete", "configmap", "--field-selector", `metadata.name=${name}`]),
      ).rejects.toThrow("STILL_IN_USE");
      await expect(create(agentPod(`${how}-agent`, [signed.shown], [at]))).rejects.toThrow("DIGEST_MISMATCH");
      if (how === "force") return;
      await kubectl(["delete", "pod", how]);
      await expect
        .poll(() => kubectl(["delete", "configmap", name]).catch(String), patient)
        .toMatch(/^configmap \S+ deleted/);
      await create(signed.object);
      await create(agentPod(`${how}-agent`, [signed.shown], [at]));
      await ready(`${how}-agent`);
      const shown = await kubectl([
        "exec",
        `${how}-agent`,
        "--",
        "cat",
        `/skills/${first.skill.name}/${script}`,
      ]);
      expect(shown).toBe(Buffer.from(first.skill.files.get(script)!.bytes).toString());
    },
  );

  it("stays for a moment after one that has ended was deleted: its node takes down its volumes first", async ({
    expect,
  }) => {
    const old = named("x-ended", {
      ...evil,
      files: new Map([...evil.files, ["x.sh", evil.files.get(script)!]]),
    });
    await create(old.object);
    const volumes = [volume("v", configMap("x-ended", [["f0", "note"]])), volume("e", { emptyDir: {} })];
    const agent = {
      ...container("agent", [mount("v", "/opt/note"), mount("e", "/e")]),
      ...node.image,
      command: ["sh", "-c", "cd /e; for d in $(seq 50); do mkdir $d; (cd $d; seq 1000 | xargs touch); done"],
    };
    const more = { automountServiceAccountToken: false, restartPolicy: "Never" };
    await create(podObject({ name: "ended", volumes, containers: [agent], more }));
    await kubectl(["wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/ended", "--timeout=100s"]);
    await kubectl(["delete", "pod", "ended"]);
    // Until the product has seen that the pod is gone, it names the pod as one that is there.
    await expect
      .poll(() => kubectl(["delete", "configmap", "x-ended"]).catch(String), { timeout: 30_000 })
      .toContain("STILL_IN_USE Pod ended (deleted a moment ago) has it");
  });

  it("keeps its name from a signed skill where it holds no skill by itself, and is deleted", async ({
    expect,
  }) => {
    const name = "x-part";
    const signed = named(name, first.skill);
    const plain = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name },
      immutable: true,
      data: { f0: "evil" },
    };
    await create(plain);
    await create(agentPod("part", [volume("v", configMap(name))], [mount("v", "/opt/note")]));
    await ready("part");
    await kubectl(["delete", "configmap", name]);
    await create(signed.object);
    await expect(create(agentPod("part-agent", [signed.shown], [at]))).rejects.toThrow(
      /CHANGED_IN_PLACE ConfigMap x-part may have been made anew under Pod part/,
    );
    await kubectl(["delete", "pod", "part"]);
    await expect
      .poll(() => create(agentPod("part-agent", [signed.shown], [at])).catch(String), patient)
      .toContain("created");
  });
});

describe.concurrent("a skill as skill-admission package makes it", () => {
  /** Its ConfigMaps, and a Deployment of this name that runs it. */
  function shipped(skill: Skill): {
    readonly configMaps: readonly string[];
    readonly all: readonly object[];
  } {
    const packed = packConfigMaps(skill, { name: "shipped", namespace });
    const { volume: shown, mount: at } = podVolume(packed, "skill", `/skills/${skill.name}`);
    const labels = { app: "shipped" };
    const agent = { ...container("agent", [at]), ...node.image, ...sleeping };
    const spec = {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 5,
      volumes: [shown],
      containers: [agent],
    };
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "shipped" },
      spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    };
    const manifests = packed.map(({ manifest }) => manifest);
    return { configMaps: manifests.map(({ metadata }) => metadata.name), all: [...manifests, deployment] };
  }

  const apply = async ({ all }: ReturnType<typeof shipped>): Promise<void> => {
    const list = { apiVersion: "v1", kind: "List", items: all };
    await kubectl(["apply", "-f", "-"], JSON.stringify(list));
  };

  it("is replaced by a new version, and its old ConfigMaps are deleted while its pods run", async ({
    expect,
  }) => {
    const [old, next] = [shipped(first.skill), shipped(second)];
    await apply(old);
    await kubectl(["rollout", "status", "deployment/shipped", "--timeout=100s"]);
    await apply(next);
    await kubectl(["delete", "configmap", ...old.configMaps]);
    await kubectl(["rollout", "status", "deployment/shipped", "--timeout=100s"]);
    const cat = ["exec", "deployment/shipped", "--", "cat", `/skills/${second.name}/${script}`];
    await expect.poll(() => kubectl(cat).catch(String), patient).toBe("echo two\n");
  });
});
