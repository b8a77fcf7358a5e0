import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { sha256Hex } from "../../../src/skill/digest.ts";
import type { SkillReference } from "../../../src/skill/reference.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { podObject, type Part } from "../../fixtures/pods.ts";
import { shareNode, type SharedNode } from "./one-node.ts";
import { binaryData, configMaps, refused, shapes, type Shape } from "./shapes.ts";
import { walk } from "../../fixtures/generated-pods/walked.ts";

const namespace = `skill-view-${process.pid}`;

let node: SharedNode;
const kubectl: SharedNode["kubectl"] = (args, input) => node.kubectl(args, input);
const get = async (kind: string, name: string): Promise<KubernetesObject> =>
  JSON.parse(await kubectl(["get", kind, name, "-o", "json"])) as KubernetesObject;

/** Every file below the folders, as `sha256sum` prints it, also below `..data`, but not below the folder that it leads to. */
const listing = (look: readonly string[]): string =>
  `for d in ${look.join(" ")}; do [ ! -e $d ] || find -L $d -name '..2*' -prune -o -type f -exec sha256sum {} +; done`;

const lines = (text: string): readonly string[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .sort();

async function inContainer(pod: string, container: string, script: string): Promise<string> {
  return await kubectl(["exec", pod, "-c", container, "--", "sh", "-c", script]);
}

/**
 * What the container sees, read inside of it. An init container has left it as its last message: its log the kubelet may
 * have removed already.
 */
async function seen({ name, look }: Shape, container: string): Promise<readonly string[]> {
  if (container !== "init") return lines(await inContainer(name, container, listing(look)));
  const path = `{.status.initContainerStatuses[?(@.name=="${container}")].state.terminated.message}`;
  return lines(await kubectl(["get", "pod", name, "-o", `jsonpath=${path}`]));
}

/** The skills of a pod and its ConfigMaps, both read back from the API server. */
async function walked(name: string): Promise<readonly SkillReference[]> {
  const read = async (configMap: string): Promise<KubernetesObject | undefined> => {
    const text = await kubectl(["get", "configmap", configMap, "--ignore-not-found", "-o", "json"]);
    return text === "" ? undefined : (JSON.parse(text) as KubernetesObject);
  };
  return (await walk(await get("pod", name), namespace, read)).references;
}

interface Tree {
  readonly path: string;
  readonly lines: readonly string[];
}

/** The trees by which a container is judged, in the same form. */
const treesOf = (references: readonly SkillReference[], container: string): readonly Tree[] =>
  references
    .filter(({ containers }) => containers.includes(container))
    .map(({ path, content }) => {
      if (content.state !== "resolved") throw new Error(`${path} is ${content.state}: ${content.detail}`);
      const files = [...content.skill.files];
      return { path, lines: files.map(([file, { bytes }]) => `${sha256Hex(bytes)}  ${path}/${file}`).sort() };
    });

/** Each file once: most are seen at their own path and below `..data`. */
const once = (all: readonly string[]): readonly string[] =>
  [...new Set(all.map((line) => line.replaceAll("/..data/", "/")))].sort();

/** What those skills say that a container can read. */
const claimed = (references: readonly SkillReference[], container: string): readonly string[] =>
  once(treesOf(references, container).flatMap((tree) => tree.lines));

/** Those that are looked into: a helper is there for what it does to the volumes of the others. */
const containersOf = ({ containers = [], more = {} }: Shape): readonly string[] =>
  [...containers, ...((more["initContainers"] ?? []) as readonly Part[])]
    .map((container) => container["name"] as string)
    .filter((name) => name !== "helper");

/** The pod, with the image of this cluster. */
function manifest({ look, ...parts }: Shape): KubernetesObject {
  const ready = (part: Part): Part => ({
    ...part,
    ...node.image,
    command: part["command"] ?? [
      "sh",
      "-c",
      part["name"] === "init" ? `(${listing(look)}) > /dev/termination-log` : "sleep 3600",
    ],
  });
  const init = (parts.more?.["initContainers"] ?? []) as readonly Part[];
  return podObject({
    ...parts,
    containers: (parts.containers ?? []).map(ready),
    more: {
      initContainers: init.map(ready),
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
    },
  });
}

const list = (items: readonly unknown[]): string => JSON.stringify({ apiVersion: "v1", kind: "List", items });

const configMapObject = (name: string, more: Part): Part => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  ...more,
});

beforeAll(async () => {
  node = await shareNode(namespace);
  const objects = Object.entries(configMaps).map(([name, data]) =>
    configMapObject(name, { data, ...(name === "base" ? { binaryData } : {}) }),
  );
  await kubectl(["apply", "-f", "-"], list([...objects, ...[...shapes, ...refused].map(manifest)]));
  await kubectl(["wait", "--for=condition=Ready", "pod", "--all", "--timeout=100s"]);
}, 300_000);

afterAll(() => node.leave());

const isBelow = (path: string, line: string): boolean => line.includes(`  ${path}/`);

describe("what was verified is what the agent sees", () => {
  it.concurrent.each(shapes)("$name", async (shape) => {
    const references = await walked(shape.name);
    for (const container of containersOf(shape)) {
      const all = await seen(shape, container);
      const judged = claimed(references, container);
      if (shape.judgesMore) for (const line of once(all)) expect(judged, container).toContain(line);
      else expect(judged, container).toEqual(once(all));
      // Each skill, as it lies at its own path, is one of the trees.
      const trees = treesOf(references, container);
      const paths = [...new Set(trees.map(({ path }) => path))];
      for (const path of paths) {
        const inner = paths.filter((other) => other.startsWith(`${path}/`));
        const lines = all.filter(
          (line) => isBelow(path, line) && !inner.some((other) => isBelow(other, line)),
        );
        const shown = lines.filter((line) => !line.includes("/..data/"));
        if (shown.length > 0) expect(trees, container).toContainEqual({ path, lines: shown });
      }
    }
  });

  it("sees at least one file in all shapes but those in which something is absent", async () => {
    const empty = await Promise.all(
      shapes.map(async ({ name }) => ((await walked(name)).length === 0 ? [name] : [])),
    );
    expect(empty.flat()).toEqual(["subpath-absent", "optional-absent"]);
  });
});

describe("where the agent sees what no ConfigMap says", () => {
  it.each(refused)("does not vouch for it: $name", async (shape) => {
    const [path, text] = shape.shows;
    expect(await inContainer(shape.name, "agent", `cat ${path}`)).toBe(text);
    const states = (await walked(shape.name)).map(({ content }) => content.state);
    expect(states).toContain("unverifiable");
  });
});

describe("ephemeral containers", () => {
  it("see a volume as the others do", async () => {
    const pod = await get("pod", "items");
    const debug = {
      name: "debug",
      ...node.image,
      command: ["sh", "-c", "sleep 3600"],
      volumeMounts: [{ name: "v", mountPath: "/skills/d" }],
    };
    const changed = { ...pod, spec: { ...(pod["spec"] as Part), ephemeralContainers: [debug] } };
    const url = `/api/v1/namespaces/${namespace}/pods/items/ephemeralcontainers`;
    await node.kubectl(["replace", "--raw", url, "-f", "-"], JSON.stringify(changed));
    await expect
      .poll(
        () =>
          inContainer("items", "debug", listing(["/skills"])).then(
            (text) => once(lines(text)),
            () => [],
          ),
        {
          timeout: 60_000,
        },
      )
      .toEqual(claimed(await walked("items"), "debug"));
    expect(claimed(await walked("items"), "debug")).not.toEqual([]);
  });
});

describe("a ConfigMap that changes under running pods", () => {
  it("is seen as the walker says it would be, also where something is mounted inside of it", async () => {
    const data = { ...configMaps["base"], "SKILL.md": "changed", b: "changed b", c: "changed c" };
    await kubectl(["replace", "-f", "-"], JSON.stringify(configMapObject("base", { data, binaryData })));
    const followed = ["items", "folder-over-folder", "folder-deep-inside", "new-folder", "root-above"];
    for (const shape of shapes.filter(({ name }) => followed.includes(name))) {
      const references = await walked(shape.name);
      for (const container of containersOf(shape).filter((name) => name !== "part")) {
        await expect
          .poll(async () => once(await seen(shape, container)), { timeout: 100_000, interval: 1000 })
          .toEqual(claimed(references, container));
      }
    }
  });

  it("leaves a mount behind the links only until then, which is why it is not vouched for", async () => {
    const first = () => inContainer("behind-the-links", "agent", "cat /skills/x/SKILL.md");
    await expect.poll(first, { timeout: 100_000, interval: 1000 }).toBe("changed");
  });
});
