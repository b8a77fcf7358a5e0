import { beforeAll, describe, expect, it } from "vitest";
import { signedSkill, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { apply } from "../harness/apply.ts";
import { sharedProduct } from "./product.ts";
import { tryKubectl } from "../harness/cluster.ts";
import { createNamespace, denial, enforce, pemOf, policy, ship, type Part } from "./world.ts";

const namespace = "spellings";

let good: SignedSkill;
let pods = 0;

/** Server-side apply would refuse a variable that stands twice. */
const tryCreate = (spec: unknown) =>
  tryKubectl(
    ["create", "-f", "-"],
    JSON.stringify({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `pod-${(pods += 1)}`, namespace },
      spec,
    }),
  );

/** A pod that shows one volume. */
const showing = (mountPath: string, type: Part, more: Part = {}): Part => ({
  containers: [{ name: "a", image: "example.invalid/a", volumeMounts: [{ name: "v", mountPath }], ...more }],
  volumes: [{ name: "v", ...type }],
});

beforeAll(async () => {
  good = signedSkill();
  await sharedProduct();
  await createNamespace(namespace, namespace);
  await apply(
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "variables", namespace },
      data: { HOME: "/evil", WORK: "/evil" },
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "notes", namespace }, data: { notes: "x" } },
  );
  await enforce(policy(namespace, { publishers: [{ name: "team", publicKey: { pem: pemOf(good) } }] }));
}, 60_000);

describe("a file of another source at a path of a signed skill", () => {
  const annotation = (path: string): Part => ({
    downwardAPI: { items: [{ path, fieldRef: { fieldPath: "metadata.annotations['skill']" } }] },
  });
  const secret = (path: string): Part => ({ secret: { name: "s", items: [{ key: "k", path }] } });

  it.each<[string, string | undefined, Part | undefined]>([
    ["none", undefined, undefined],
    ["a Secret's, in another spelling", "Secret s", secret("./SKILL.md")],
    ["an annotation, in another spelling", "DownwardAPI", annotation("./SKILL.md")],
  ])("%s", async (_name, source, added) => {
    const shipped = ship(good.skill, namespace, "file");
    await apply(...shipped.configMaps);
    const spec = shipped.pod["spec"] as { readonly volumes: readonly Part[] };
    const volumes = spec.volumes.map(({ projected, ...volume }) => {
      const { sources } = projected as { readonly sources: readonly Part[] };
      return { ...volume, projected: { sources: [...(added === undefined ? [] : [added]), ...sources] } };
    });
    const answer = await tryCreate({ ...spec, volumes });
    if (source === undefined) expect(answer).toMatchObject({ code: 0 });
    else expect(denial(answer)).toContain(source);
  });
});

describe("a place that a pod writes in another way", () => {
  const optional = { configMapKeyRef: { name: "none", key: "k", optional: true } };
  const home = (value: string): Part => ({ env: [{ name: "HOME", value }] });
  const twice = {
    env: [
      { name: "HOME", value: "/evil" },
      { name: "HOME", valueFrom: optional },
    ],
  };
  const from = { configMapRef: { name: "variables" } };
  const rows: readonly (readonly [string, string, Part])[] = [
    ["an entry that stands twice, optional the second time", "/evil", twice],
    ["envFrom behind an optional entry", "/evil", { env: [twice.env[1]], envFrom: [from] }],
    [
      "a variable that is overwritten after it was used",
      "/evil",
      {
        env: [
          { name: "HOME", value: "$(WORK)" },
          { name: "WORK", value: "/x" },
        ],
        envFrom: [from],
      },
    ],
    ["a home below the working directory", "/w/evil", { ...home("evil"), workingDir: "/w" }],
    ["a link of /proc as HOME", "/evil", home("/proc/self/root/evil")],
    ["a link of /proc as the working directory", "/evil", { workingDir: "/proc/self/root/evil" }],
    ["a link of /proc as the mount's path", "/proc/self/root/evil", home("/evil")],
    ["more slashes than a path may have characters", "/evil", home(`${"/".repeat(5_000)}evil`)],
    ["a path of Windows", "C:\\Users\\me", {}],
  ];

  it.each(rows)("is found: %s", async (_name, mountPath, more) => {
    const image = { image: { reference: "example.invalid/evil:1" } };
    expect(denial(await tryCreate(showing(mountPath, image, more)))).toContain(
      "Image example.invalid/evil:1",
    );
    expect(await tryCreate(showing("/elsewhere", image, more))).toMatchObject({ code: 0 });
    expect(await tryCreate(showing(mountPath, { configMap: { name: "notes" } }, more))).toMatchObject({
      code: 0,
    });
  });
});

describe("the node's /proc", () => {
  it.each([
    ["/proc", true],
    ["/proc/1/root/var/lib/kubelet", true],
    ["/proc/sys/net", false],
  ])("is access to the runtime: %s", async (path, counts) => {
    const answer = await tryCreate(showing("/host", { hostPath: { path } }));
    if (counts) expect(denial(answer)).toContain("unverifiable.hostRuntime");
    else expect(answer).toMatchObject({ code: 0 });
  });
});
