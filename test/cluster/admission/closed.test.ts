import { beforeAll, describe, expect, it } from "vitest";
import { container, emptyDir, mount, volume } from "../../fixtures/pods.ts";
import { popularPods } from "../../fixtures/popular-pods.ts";
import { signedSkill, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { tryKubectl } from "../harness/cluster.ts";
import { sharedProduct } from "./product.ts";
import { createNamespace, denial, enforce, pemOf, policy, ship, tryApply, type Part } from "./world.ts";

const open = "popular";
const closed = "closed-agents";

let good: SignedSkill;

beforeAll(async () => {
  good = signedSkill();
  await sharedProduct();
  const publishers = [{ name: "team", publicKey: { pem: pemOf(good) } }];
  for (const one of [open, closed]) await createNamespace(one, one);
  await enforce(
    policy(open, { publishers }),
    policy(closed, {
      publishers,
      closed: { podSelector: { matchLabels: { runtime: "agent" } }, data: ["/data"] },
      immutability: { readOnlyRootFilesystem: "Required", processNamespace: "Private" },
    }),
  );
});

const podOf = (name: string, namespace: string, spec: Part, labels: Part = {}): Part => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels },
  spec,
});

// All of them, with more that is allowed and refused: test/unit/admission/popular-pods.test.ts.
describe("popular pods on an API server", () => {
  const some = [
    "Vault Agent Injector",
    "a Jenkins agent alone",
    "Keycloak",
    "a Tekton task whose steps share a home",
  ];

  it.each(popularPods.filter(({ name }) => some.includes(name)))("$name", async ({ name, spec, refused }) => {
    const ran = await tryApply([podOf(name.toLowerCase().replaceAll(" ", "-"), open, spec)]);
    if (refused === undefined) expect(ran).toMatchObject({ code: 0, stderr: "" });
    else expect(denial(ran)).toContain(refused.why);
  });

  it("keep their image, where an emptyDir of theirs counts", async () => {
    const spec = {
      volumes: [volume("e", emptyDir)],
      containers: [
        container("agent", [mount("e", "/home/agent")]),
        container("web", [], { image: "example.invalid/web:1" }),
      ],
    };
    expect(await tryApply([podOf("scratch", open, spec)])).toMatchObject({ code: 0, stderr: "" });
    const setImage = (image: string) => tryKubectl(["-n", open, "set", "image", "pod/scratch", image]);
    const ran = await setImage("agent=example.invalid/agent:2");
    expect(ran.stderr).toContain('"agent" could write it with its image before, localhost/busybox:1');
    expect((await setImage("web=example.invalid/web:2")).code).toBe(0);
  });
});

describe("a closed pod on an API server", () => {
  const labels = { runtime: "agent" };
  const readOnly = { securityContext: { readOnlyRootFilesystem: true } };
  const withData = (path: string, more: Part = {}): Part => ({
    volumes: [volume("d", emptyDir)],
    containers: [container("agent", [mount("d", path)], readOnly)],
    ...more,
  });

  it("is admitted with a verified skill, its account's token and data", async () => {
    const { configMaps, pod } = ship(good.skill, closed, "good");
    const spec = pod["spec"] as { readonly containers: readonly Part[]; readonly volumes: readonly Part[] };
    const containers = spec.containers.map((one) => ({
      ...one,
      ...readOnly,
      volumeMounts: [...(one["volumeMounts"] as readonly Part[]), mount("d", "/data")],
    }));
    const volumes = [...spec.volumes, volume("d", emptyDir)];
    const made = podOf("good", closed, { ...spec, containers, volumes }, labels);
    expect(await tryApply([...configMaps.map((one) => ({ ...one })), made])).toMatchObject({
      code: 0,
      stderr: "",
    });
  });

  it("is refused with any other mount, a writable root or shared processes", async () => {
    const refused = async (spec: Part) => denial(await tryApply([podOf("bad", closed, spec, labels)]));
    expect(await refused(withData("/tmp"))).toContain(
      'MOUNT_NOT_ALLOWED the volume "d" is no verified skill',
    );
    expect(await refused({ containers: [container("agent", [])] })).toContain("WRITABLE_MOUNT");
    expect(await refused(withData("/data", { shareProcessNamespace: true }))).toContain("PROCESSES_SHARED");
  });

  it("is closed by a label that comes later", async () => {
    expect(await tryApply([podOf("later", closed, withData("/tmp"))])).toMatchObject({ code: 0, stderr: "" });
    const ran = await tryKubectl(["-n", closed, "label", "pod", "later", "runtime=agent"]);
    expect(ran.stderr).toContain("MOUNT_NOT_ALLOWED");
    expect((await tryKubectl(["-n", closed, "label", "pod", "later", "runtime=web"])).code).toBe(0);
  });
});
