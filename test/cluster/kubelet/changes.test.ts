import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ModelKubelet, type StoredConfigMap } from "../../fixtures/model-kubelet.ts";
import { configMap, container, mount, podObject, projected, volume, type Part } from "../../fixtures/pods.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { shareNode, type SharedNode } from "./one-node.ts";

const namespace = `changes-${process.pid}`;
const stored = new Map<string, StoredConfigMap>();
const model = new ModelKubelet((name) => stored.get(name));

let node: SharedNode;
const kubectl: SharedNode["kubectl"] = (args, input) => node.kubectl(args, input);

/** Creates or replaces a ConfigMap, here and there. */
async function put(name: string, data: Readonly<Record<string, string>>, immutable = false): Promise<void> {
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data, immutable };
  await kubectl([stored.has(name) ? "replace" : "create", "-f", "-"], JSON.stringify(object));
  stored.set(name, { data, immutable });
}

async function remove(name: string): Promise<void> {
  await kubectl(["delete", "configmap", name]);
  stored.delete(name);
}

/** The files below `/m`, each with its text, as the container sees them. */
async function seen(pod: string): Promise<Readonly<Record<string, string>>> {
  const script =
    'find -L /m -name "..*" -prune -o -type f -print | while read f; do echo "$f=$(cat "$f")"; done';
  const text = await kubectl(["exec", pod, "-c", "agent", "--", "sh", "-c", script]);
  return Object.fromEntries(
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

let syncs = 0;

/** Lets the model and the node catch up; a changed annotation makes the kubelet look at a pod at once. */
async function agree(...pods: readonly string[]): Promise<void> {
  for (const name of ["x", "y", "o", "i"]) model.watch(name);
  for (const pod of pods) {
    model.sync(pod);
    const look = async (): Promise<Readonly<Record<string, string>>> => {
      await kubectl(["annotate", "pod", pod, "--overwrite", `sync=${(syncs += 1)}`]);
      return await seen(pod);
    };
    const expected = Object.fromEntries(model.seen(pod, "agent"));
    await expect.poll(look, { timeout: 60_000, interval: 1000 }).toEqual(expected);
  }
}

async function start(
  name: string,
  volumes: readonly Part[],
  mounts: readonly Part[],
  { grace = 0, ...variables }: { readonly grace?: number; readonly envFrom?: readonly Part[] } = {},
): Promise<void> {
  const command = ["sh", "-c", "trap true TERM; while true; do sleep 1; done"];
  const agent = { ...container("agent", mounts), ...node.image, ...variables, command };
  const more = { automountServiceAccountToken: false, terminationGracePeriodSeconds: grace };
  const pod: KubernetesObject = podObject({ name, volumes, containers: [agent], more });
  await kubectl(["create", "-f", "-"], JSON.stringify(pod));
  await kubectl(["wait", "--for=condition=Ready", `pod/${name}`, "--timeout=100s"]);
  model.add(name, pod);
  model.sync(name);
}

beforeAll(async () => {
  node = await shareNode(namespace);
}, 300_000);

afterAll(() => node.leave());

describe("the model of the kubelet", () => {
  it("shows what a real one shows while ConfigMaps change, go and come", async () => {
    await put("x", { a: "1", b: "1" });
    await put("y", { c: "1" });
    await put("i", { a: "1" }, true);
    await start(
      "first",
      [
        volume("whole", configMap("x")),
        volume("items", configMap("x", [["a", "d/a"]])),
        volume("waits", projected(configMap("x"), configMap("y"))),
        volume("optional", configMap("o", undefined, { optional: true })),
        volume("immutable", configMap("i")),
      ],
      [
        mount("whole", "/m/whole"),
        mount("whole", "/m/file", { subPath: "a" }),
        mount("items", "/m/folder", { subPath: "d" }),
        mount("waits", "/m/waits"),
        mount("optional", "/m/optional"),
        mount("immutable", "/m/immutable"),
        mount("immutable", "/m/immutable-file", { subPath: "a" }),
      ],
    );
    await agree("first");

    // The volume of x and y waits for y; o comes; i is made anew, which nobody notices.
    await remove("y");
    await put("x", { a: "2", c: "2" });
    await put("o", { a: "2" });
    await remove("i");
    await put("i", { a: "2" });
    await agree("first");
    expect(Object.fromEntries(model.seen("first", "agent"))).toMatchObject({
      "/m/whole/a": "2",
      "/m/file": "1",
      "/m/waits/a": "1",
      "/m/optional/a": "2",
      "/m/immutable/a": "1",
    });

    // y comes anew and o goes; a new pod is given the old i, as long as the first one is there.
    await put("y", { c: "3" });
    await remove("o");
    await start("second", [volume("i", configMap("i"))], [mount("i", "/m/i")]);
    await agree("first", "second");
    expect(Object.fromEntries(model.seen("second", "agent"))).toEqual({ "/m/i/a": "1" });
  });

  it("gives new pods the immutable one that others have in variables, or have though they were deleted by force", async () => {
    for (const name of ["e", "f"]) await put(name, { a: "1" }, true);
    await start("env", [], [], { envFrom: [{ configMapRef: { name: "e" } }] });
    await start("forced", [volume("f", configMap("f"))], [mount("f", "/opt/f")], { grace: 600 });
    await kubectl(["delete", "pod", "forced", "--force", "--grace-period=0"]);
    for (const name of ["e", "f"]) {
      await remove(name);
      await put(name, { a: "2" }, true);
    }
    const volumes = ["e", "f"].map((name) => volume(name, configMap(name)));
    await start("third", volumes, [mount("e", "/m/e"), mount("f", "/m/f")]);
    await agree("third");
    expect(Object.fromEntries(model.seen("third", "agent"))).toEqual({ "/m/e/a": "1", "/m/f/a": "1" });
  });
});
