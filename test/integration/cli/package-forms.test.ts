import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";

import { toolPath } from "../../cluster/harness/binaries.ts";
import { typed, type Shell } from "../../fixtures/documented.ts";
import { run } from "./line.ts";

let home: string;
let skill: string;
let component: string;
let shell: Shell;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "package-forms-"));
  skill = join(home, "demo");
  mkdirSync(join(skill, "scripts"), { recursive: true });
  writeFileSync(join(skill, "SKILL.md"), "---\nname: demo\ndescription: A skill.\n---\n# Demo\n");
  writeFileSync(join(skill, "scripts/run.sh"), "#!/bin/sh\necho demo\n");
  const path = `${dirname(await toolPath("kubectl"))}:${process.env["PATH"]}`;
  shell = { cwd: home, env: { ...process.env, HOME: home, PATH: path } };
});

beforeEach(() => {
  component = join(home, "component");
  rmSync(component, { recursive: true, force: true });
});

afterAll(() => rmSync(home, { recursive: true }));

const kustomize = (...more: readonly string[]) =>
  run(["package", skill, "--as", "kustomize", "--to", component, ...more]);

interface Built {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: { readonly template: { readonly spec: PodPart } };
}

interface PodPart {
  readonly containers: readonly {
    readonly name: string;
    readonly image?: string;
    readonly volumeMounts?: readonly object[];
  }[];
  readonly volumes?: readonly {
    readonly projected: { readonly sources: readonly { readonly configMap: { readonly name: string } }[] };
  }[];
}

const deployment = (name: string) =>
  JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "agent", image: "busybox" }] },
      },
    },
  });

/** What kustomize makes of two Deployments with the component. */
async function built(): Promise<readonly Built[]> {
  mkdirSync(join(home, "app"), { recursive: true });
  writeFileSync(join(home, "app/web.json"), deployment("web"));
  writeFileSync(join(home, "app/other.json"), deployment("other"));
  writeFileSync(
    join(home, "app/kustomization.yaml"),
    "resources: [web.json, other.json]\ncomponents: [../component]\nnamePrefix: prod-\nnamespace: production\n",
  );
  return parseAllDocuments(await typed("kubectl kustomize app", shell)).map((one) => one.toJS() as Built);
}

const mountsOf = (objects: readonly Built[], name: string) =>
  objects.find(({ metadata }) => metadata.name === name)?.spec.template.spec;

describe("package --as deployment-patch", () => {
  it("writes what kubectl patch deployment takes, for the container that is named", async () => {
    const { code, out } = await run(["package", skill, "--as", "deployment-patch", "--container", "main"]);
    expect(code).toBe(0);
    const snippet = await run(["package", skill, "--pod-snippet", "--container", "main"]);
    expect(parse(out)).toEqual({ spec: { template: { spec: parse(snippet.out) as object } } });
    expect(parse(out)).toMatchObject({
      spec: { template: { spec: { containers: [{ name: "main", volumeMounts: [{ readOnly: true }] }] } } },
    });
    const json = await run([
      ...["package", skill, "--as", "deployment-patch", "--container", "main", "-o", "json"],
    ]);
    expect(JSON.parse(json.out)).toEqual(parse(out));
  });
});

describe("package --as kustomize", () => {
  it("writes a component that mounts the skill into one Deployment, whatever names it gets", async () => {
    const { code, out, err } = await kustomize("--deployment", "web");
    expect([code, out]).toEqual([
      0,
      `wrote ${component}: configmaps.yaml, patch.yaml, kustomization.yaml\nname it under components: in your kustomization.yaml\n`,
    ]);
    expect(err).toMatch(/^packed .*: 2 files/);
    const objects = await built();
    const configMap = objects.find(({ kind }) => kind === "ConfigMap")!;
    expect(configMap.metadata).toMatchObject({
      name: expect.stringMatching(/^prod-demo-[0-9a-f]{10}$/) as string,
      namespace: "production",
    });
    const web = mountsOf(objects, "prod-web")!;
    expect(web.volumes?.[0]?.projected.sources[0]?.configMap.name).toBe(configMap.metadata.name);
    expect(web.containers).toMatchObject([
      { name: "agent", image: "busybox", volumeMounts: [{ mountPath: "/skills/demo" }] },
    ]);
    expect(mountsOf(objects, "prod-other")).not.toHaveProperty("volumes");
  });

  it("mounts it into every Deployment where none is named", async () => {
    expect((await kustomize()).code).toBe(0);
    const objects = await built();
    for (const name of ["prod-web", "prod-other"]) expect(mountsOf(objects, name)?.volumes).toHaveLength(1);
  });

  it("replaces its own files by those of a new version, and leaves others", async () => {
    await kustomize();
    const before = readFileSync(join(component, "patch.yaml"), "utf8");
    writeFileSync(join(component, "notes.txt"), "mine");
    expect((await kustomize("--mount-path", "/opt/skills/demo")).code).toBe(0);
    expect(readFileSync(join(component, "patch.yaml"), "utf8")).not.toBe(before);
    expect(readdirSync(component).sort()).toEqual([
      "configmaps.yaml",
      "kustomization.yaml",
      "notes.txt",
      "patch.yaml",
    ]);
  });

  it("never replaces a file that it did not write", async () => {
    mkdirSync(component);
    const mine = join(component, "kustomization.yaml");
    writeFileSync(mine, "resources: []\n");
    const { code, out, err } = await kustomize();
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/kustomization.yaml is there already, and was not written by package\nname a folder/);
    expect([readdirSync(component), readFileSync(mine, "utf8")]).toEqual([
      ["kustomization.yaml"],
      "resources: []\n",
    ]);
  });

  it.each<[string, () => readonly string[], RegExp]>([
    ["no folder", () => ["--as", "kustomize"], /no folder is named\nname one with --to/],
    ["a folder in the skill", () => ["--as", "kustomize", "--to", join(skill, "k")], /lies in the skill/],
    ["a file as folder", () => ["--as", "kustomize", "--to", join(skill, "../demo.txt")], /cannot write to/],
    ["JSON", () => ["--as", "kustomize", "--to", component, "-o", "json"], /YAML only/],
    ["a folder for no component", () => ["--to", component], /go with --as kustomize/],
    ["a Deployment of a patch", () => ["--as", "deployment-patch", "--deployment", "x"], /go with/],
    ["a name that no container has", () => ["--as", "deployment-patch", "--container", "A b"], /--container/],
    [
      "a pattern as Deployment",
      () => ["--as", "kustomize", "--to", component, "--deployment", ".*"],
      /--deployment/,
    ],
    ["a pod as well", () => ["--as", "deployment-patch", "--with-pod", "x"], /cannot be used with/],
    ["another form", () => ["--as", "helm"], /Allowed choices are deployment-patch, kustomize/],
  ])("ends with 2 for %s", async (_what, args, message) => {
    writeFileSync(join(home, "demo.txt"), "");
    const { code, out, err } = await run(["package", skill, ...args()]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
    expect(readdirSync(skill).sort()).toEqual(["SKILL.md", "scripts"]);
  });
});
