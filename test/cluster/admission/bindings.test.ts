import { beforeAll, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../../src/cluster/live/api/client.ts";
import { uidOf, type KubernetesObject } from "../../../src/kubernetes/object.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { signedSkill, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { api, find, ownPath, patch, put, remove } from "../harness/api.ts";
import { apply } from "../harness/apply.ts";
import { kubectl } from "../harness/cluster.ts";
import { registrationPath, sharedProduct, type SharedProduct } from "./product.ts";
import {
  createNamespace,
  denial,
  enforce,
  mutable,
  pemOf,
  policy,
  ship,
  tryApply,
  type Part,
} from "./world.ts";
import { patience } from "../../fixtures/patience.ts";

const namespace = "bindings";
const core = `/api/v1/namespaces/${namespace}`;

let product: SharedProduct;
let good: SignedSkill;
let broken: Skill;

/** Sends a Binding as the scheduler does; resolves with what the API server says. */
async function bind(
  name: string,
  { path = `${core}/pods/${name}/binding`, query = "", metadata = {} }: Attempt = {},
): Promise<{ readonly status: number; readonly message: string }> {
  const pod = await find<KubernetesObject>(`${core}/pods/${name}`);
  const body = {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name, namespace, uid: pod === undefined ? "gone" : uidOf(pod), ...metadata },
    target: { kind: "Node", name: "node-1" },
  };
  try {
    await api(`${path}${query}`, { method: "POST", body });
    return { status: 201, message: "" };
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

interface Attempt {
  readonly path?: string;
  readonly query?: string;
  readonly metadata?: Part;
}

const nodeOf = async (name: string): Promise<unknown> =>
  ((await api(`${core}/pods/${name}`))["spec"] as Part)["nodeName"];

interface Registered {
  readonly webhooks: readonly { readonly name: string; readonly failurePolicy: string }[];
}
const registered = async () =>
  (await api<Registered>(registrationPath)).webhooks.map(({ name, failurePolicy }) => [name, failurePolicy]);
const reviewed = ["bindings.skill-admission.dev", "Fail"];

/** Puts the policy in force, and waits until the API server asks, or no longer asks, about bindings. */
async function inForce(spec: Part, asks: boolean): Promise<void> {
  await enforce(
    policy(namespace, { publishers: [{ name: "team", publicKey: { pem: pemOf(good) } }], ...spec }),
  );
  const asked = async (): Promise<boolean> => {
    const { message } = await bind("probe", { query: "?dryRun=All" });
    return message.includes("bindings.skill-admission.dev");
  };
  await vi.waitFor(async () => expect(await asked()).toBe(asks), patience);
}

/** A pod whose ConfigMap was changed without anybody being asked, and one to ask about. */
beforeAll(async () => {
  good = signedSkill();
  broken = withFiles(good.skill, { "scripts/run.sh": "evil" });
  product = await sharedProduct();
  await createNamespace(namespace, namespace);
  for (const name of ["probe", "raced", "told", "audited"]) {
    const { configMap, pod } = mutable(broken, name, namespace);
    await apply(configMap, pod);
  }
});

describe("with recheck: Watch", () => {
  it("bindings are not asked about", async () => {
    await inForce({}, false);
    expect((await registered()).map(([name]) => name)).not.toContain("bindings.skill-admission.dev");
  });
});

describe("with recheck: Binding", () => {
  beforeAll(() => inForce({ recheck: "Binding" }, true));

  it("a pod that is stored with a changed skill is bound by neither resource, until the skill is signed", async () => {
    expect(await registered()).toContainEqual(reviewed);
    const { status, message } = await bind("raced");
    expect(status).toBe(403);
    expect(message.split("\n")[0]).toMatch(
      /admission webhook "bindings.skill-admission.dev" denied the request: policy "bindings" denied Binding bindings\/raced: 1 of 1 skill failed: \S+ DIGEST_MISMATCH \S+$/,
    );
    // By the older resource the API server takes the uid out, so that nobody knows which pod is meant.
    const older = await bind("raced", { path: `${core}/bindings` });
    expect(older.status).toBe(500);
    expect(older.message).toContain("the Binding has no metadata.uid");
    expect(await nodeOf("raced")).toBeUndefined();
    await put(mutable(good.skill, "raced", namespace).configMap);
    expect(await bind("raced")).toMatchObject({ status: 201 });
    expect(await nodeOf("raced")).toBe("node-1");
  });

  it("the refusal is told on the pod, in the log, and in the metrics", async () => {
    await bind("told");
    const line = { decision: "deny", operation: "CREATE", resource: "pods/binding" };
    await product.decision("Binding", "told", line);
    await expect
      .poll(() => product.metrics())
      .toMatch(
        /skill_admission_requests_total\{resource="pods\/binding",operation="CREATE",decision="deny",dry_run="false"\} \d/,
      );
    await expect
      .poll(() => kubectl(["-n", namespace, "describe", "pod", "told"]))
      .toMatch(/Warning +SkillDenied .*policy "bindings" denied Binding bindings\/told: .*DIGEST_MISMATCH/);
  });

  it("a pod that was admitted with its skill is bound, and so is one without a skill", async () => {
    const shipped = ship(good.skill, namespace, "signed");
    expect(await tryApply(shipped.all)).toMatchObject({ code: 0, stderr: "" });
    expect(await bind("signed")).toMatchObject({ status: 201 });
    const containers = [{ name: "c", image: "example.invalid/c" }];
    await apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "plain", namespace },
      spec: { containers },
    });
    expect(await bind("plain")).toMatchObject({ status: 201 });
  });

  it("the API server itself refuses another pod of the same name, and one without a uid is refused here", async () => {
    expect(await bind("probe", { metadata: { uid: "another" } })).toMatchObject({ status: 409 });
    expect(await bind("none")).toMatchObject({ status: 404 });
    const { status, message } = await bind("probe", { metadata: { uid: undefined } });
    expect(status).toBe(500);
    expect(message).toContain("the Binding has no metadata.uid");
  });

  it("a pod that brings its node is refused, and one that mounts nothing but its token is not", async () => {
    const { configMaps, pod } = ship(good.skill, namespace, "placed");
    const onNode = { ...pod, spec: { ...(pod["spec"] as Part), nodeName: "node-1" } };
    await apply(...configMaps);
    const text = denial(await tryApply([onNode]));
    expect(text).toContain("NODE_PRESET");
    expect(text).toContain("fix: take nodeName out of the pod");
    const spec = { nodeName: "node-1", containers: [{ name: "c", image: "example.invalid/c" }] };
    const plain = { apiVersion: "v1", kind: "Pod", metadata: { name: "placed-plain", namespace }, spec };
    expect(await tryApply([plain])).toMatchObject({ code: 0 });
    expect(await nodeOf("placed-plain")).toBe("node-1");
  });

  it("no other write sets a pod's node", async () => {
    const change = { spec: { nodeName: "node-1" } };
    for (const subresource of ["", "/status", "/resize", "/ephemeralcontainers"]) {
      await patch(`${core}/pods/probe${subresource}`, change).catch((error: unknown) => {
        expect(error).toMatchObject({ status: 422 });
      });
      expect(await nodeOf("probe"), subresource).toBeUndefined();
    }
    const { resources } = await api<{ readonly resources: readonly Part[] }>("/api/v1");
    const names = resources.flatMap(({ name, kind }) => (kind === "Binding" ? [name] : []));
    expect(names.sort()).toEqual(["bindings", "pods/binding"]);
  });

  it("in Audit nothing is refused, nor would it be if nobody answered, and the finding is logged", async () => {
    await enforce(
      policy(namespace, {
        publishers: [{ name: "team", publicKey: { pem: pemOf(good) } }],
        recheck: "Binding",
        mode: "Audit",
      }),
      // Nothing enforced here a moment ago: where something did, it goes on being refused for a minute.
      policy("bindings-elsewhere", {
        publishers: [{ name: "team", publicKey: { pem: pemOf(good) } }],
        recheck: "Binding",
        mode: "Audit",
      }),
    );
    expect(await registered()).toContainEqual(["bindings-observe.skill-admission.dev", "Ignore"]);
    await vi.waitFor(
      async () => expect(await bind("audited", { query: "?dryRun=All" })).toMatchObject({ status: 201 }),
      patience,
    );
    expect(await bind("audited")).toMatchObject({ status: 201 });
    const line = await product.decision("Binding", "audited");
    expect(line).toMatchObject({ decision: "allow", verdicts: [{ mode: "Audit" }] });
    expect(JSON.stringify(line)).toContain("DIGEST_MISMATCH");
  });

  it("is asked no more once no policy says so, a minute later", async () => {
    await remove(ownPath("clusterskillpolicies", "bindings-elsewhere"));
    await inForce({ recheck: "Watch" }, false);
    expect((await registered()).map(([name]) => name)).toContain("bindings.skill-admission.dev");
    await vi.waitFor(
      async () => expect((await registered()).filter(([name]) => name?.startsWith("bindings"))).toEqual([]),
      { timeout: 60_000 + patience.timeout, interval: 1_000 },
    );
    await remove(`${core}/pods/probe`);
  }, 120_000);
});
