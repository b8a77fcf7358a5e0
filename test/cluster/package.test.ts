import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type, typed, type Shell } from "../fixtures/documented.ts";
import { endSharedProduct } from "./admission/product.ts";
import { createNamespace } from "./admission/world.ts";
import { apply } from "./harness/apply.ts";
import { projectRoot, toolPath } from "./harness/binaries.ts";
import { kubeconfig } from "./harness/opened.ts";

const namespace = "package-forms";

let folder: string;
let shell: Shell;

const deployment = (name: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          { name: "proxy", image: "example.invalid/proxy" },
          {
            name: "agent",
            image: "example.invalid/agent",
            volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
          },
        ],
        volumes: [{ name: "tmp", emptyDir: {} }],
      },
    },
  },
});

interface Spec {
  readonly containers: readonly {
    readonly name: string;
    readonly volumeMounts?: readonly { readonly mountPath: string; readonly readOnly?: boolean }[];
  }[];
  readonly volumes: readonly {
    readonly name: string;
    readonly projected?: { readonly sources: readonly { readonly configMap: { readonly name: string } }[] };
  }[];
}

const get = async (what: string): Promise<string> =>
  (await typed(`kubectl -n ${namespace} get ${what}`, shell)).trim();

const podOf = async (name: string): Promise<Spec> =>
  JSON.parse(await get(`deployment ${name} -o jsonpath={.spec.template.spec}`)) as Spec;

/** Names of the ConfigMaps that the skill's volume of a Deployment has. */
const mounted = ({ volumes }: Spec): readonly string[] =>
  volumes.flatMap(({ projected }) => projected?.sources.map(({ configMap }) => configMap.name) ?? []);

/** Mounts of the agent: kustomize puts what it patches before the other containers. */
const mountsOf = ({ containers }: Spec) =>
  containers.find(({ name }) => name === "agent")?.volumeMounts ?? [];

const skill = (text: string): Promise<void> => writeFile(join(folder, "demo/SKILL.md"), text);

beforeAll(async () => {
  // Nothing here is judged: the question is what the API server and kubectl make of it.
  await endSharedProduct();
  await createNamespace(namespace);
  folder = await mkdtemp(join(tmpdir(), "skill-admission-package-"));
  await mkdir(join(folder, "demo"));
  const program = `#!/bin/sh\nexec "${process.execPath}" "${join(projectRoot, "dist/main.js")}" "$@"\n`;
  await writeFile(join(folder, "skill-admission"), program, { mode: 0o755 });
  const path = `${folder}:${dirname(await toolPath("kubectl"))}:${process.env["PATH"]}`;
  shell = { cwd: folder, env: { ...process.env, KUBECONFIG: kubeconfig, PATH: path } };
  await apply(deployment("patched"), deployment("built"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("package --as deployment-patch", () => {
  const roll = `skill-admission package demo --namespace ${namespace} | kubectl apply -f -
skill-admission package demo --as deployment-patch --container agent >patch.yaml
kubectl -n ${namespace} patch deployment patched --patch-file patch.yaml`;

  it("mounts the skill, and its next version in place of it", async () => {
    await skill("# One\n");
    await typed(roll, shell);
    const one = await podOf("patched");
    expect(one.containers).toMatchObject([
      { name: "proxy" },
      {
        name: "agent",
        volumeMounts: expect.arrayContaining([
          { name: "skill-demo", mountPath: "/skills/demo", readOnly: true },
          { name: "tmp", mountPath: "/tmp" },
        ]) as unknown,
      },
    ]);
    expect(mounted(one)).toEqual([expect.stringMatching(/^demo-[0-9a-f]{10}$/)]);
    expect(await get(`configmap ${mounted(one)[0]} -o jsonpath={.immutable}`)).toBe("true");
    await skill("# Two\n");
    await typed(roll, shell);
    const two = await podOf("patched");
    expect([two.volumes.length, mountsOf(two).length, mounted(two).length]).toEqual([2, 2, 1]);
    expect(mounted(two)).not.toEqual(mounted(one));
  });

  it("is refused for a container that is not there", async () => {
    const { code, out } = await type(roll.replace("--container agent", "--container none"), shell);
    expect([code, out]).toEqual([1, expect.stringContaining("image: Required value")]);
  });
});

describe("package --as kustomize", () => {
  it("mounts the skill by kubectl apply -k, and its next version in place of it", async () => {
    await mkdir(join(folder, "app"));
    await writeFile(join(folder, "app/web.json"), JSON.stringify(deployment("built")));
    await writeFile(
      join(folder, "app/kustomization.yaml"),
      `resources: [web.json]\ncomponents: [demo]\nnamespace: ${namespace}\n`,
    );
    const roll =
      "skill-admission package demo --as kustomize --to app/demo --deployment built --container agent; kubectl apply --server-side --force-conflicts -k app";
    await skill("# Three\n");
    await typed(roll, shell);
    const three = await podOf("built");
    expect(
      mountsOf(three)
        .map(({ mountPath }) => mountPath)
        .sort(),
    ).toEqual(["/skills/demo", "/tmp"]);
    await skill("# Four\n");
    await typed(roll, shell);
    const four = await podOf("built");
    expect([mounted(three).length, mounted(four).length, four.volumes.length]).toEqual([1, 1, 2]);
    expect(mounted(four)).not.toEqual(mounted(three));
    expect(await get(`configmap ${mounted(four)[0]} -o jsonpath={.data.SKILL\\\\.md}`)).toBe("# Four");
  });
});
