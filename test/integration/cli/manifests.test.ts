import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { UsageError } from "../../../src/cli/command-line.ts";
import { readManifests } from "../../../src/cli/files/manifests.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "manifests-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function put(path: string, content: string | Uint8Array): string {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), content);
  return join(folder, path);
}

const line = (stdin = "") => ({ readStdin: () => Promise.resolve(Buffer.from(stdin)) });
const kinds = async (paths: readonly string[], stdin?: string) =>
  (await readManifests(paths, line(stdin), "apply -f -")).map(({ object }) => object.kind);

const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "a" } };

describe("readManifests", () => {
  it("reads YAML with several documents, JSON, and folders of both in the order of their names", async () => {
    put("b/two.json", JSON.stringify({ ...pod, kind: "Job" }));
    put("a.yaml", "apiVersion: v1\nkind: Pod\n---\n---\napiVersion: v1\nkind: ConfigMap\n");
    put("notes.txt", "not: [read");
    expect(await kinds([folder])).toEqual(["Pod", "ConfigMap", "Job"]);
  });

  it("opens Lists, and gives the items of typed lists their kind", async () => {
    const list = {
      apiVersion: "v1",
      kind: "List",
      items: [pod, { apiVersion: "v1", kind: "PodList", items: [{ metadata: {} }] }],
    };
    const file = put("list.json", JSON.stringify(list));
    const manifests = await readManifests([file], line(), "apply -f -");
    expect(manifests.map(({ object }) => [object.apiVersion, object.kind])).toEqual([
      ["v1", "Pod"],
      ["v1", "Pod"],
    ]);
    expect(manifests[0]?.file).toBe(file);
  });

  it("says at which line each object begins", async () => {
    const typed = "kind: PodList\napiVersion: v1\nitems:\n- metadata: {}\n- metadata: {}\n";
    put("a.yaml", `# comment\napiVersion: v1\nkind: Pod\n---\n${typed}`);
    put("b.json", JSON.stringify(pod, undefined, 2));
    const manifests = await readManifests([folder], line(), "apply -f -");
    expect(manifests.map((one) => one.line)).toEqual([2, 8, 9, 1]);
  });

  it("reads standard input as -, and refuses to read it twice", async () => {
    expect(await kinds(["-"], "apiVersion: v1\nkind: Pod\n")).toEqual(["Pod"]);
    expect(await kinds(["-"], JSON.stringify(pod))).toEqual(["Pod"]);
    await expect(kinds(["-", "-"])).rejects.toThrow("twice");
  });

  it.each([
    ["x.yaml", "a: [", "x.yaml"],
    ["x.yaml", "just text\n", "not a Kubernetes object"],
    ["x.yaml", "- a\n", "not a Kubernetes object"],
    ["x.yaml", "kind: Pod\n", "no apiVersion or kind"],
    ["x.yaml", "apiVersion: v1\nkind: Pod\nkind: Job\n", "twice"],
    ["x.json", '{"apiVersion":"v1","kind":"Pod","kind":"Job"}', "twice"],
    ["x.json", '{"kind": "List", "apiVersion": "v1", "items": [3]}', "not a Kubernetes object"],
    ["x.yaml", "apiVersion: v1\nkind: List\nitems: {a: {kind: Pod}}\n", "a List has no items"],
    ["x.yaml", Buffer.from([0x61, 0xff]), "not UTF-8"],
  ])("refuses %s with %j, naming the file and the fault", async (name, content, fault) => {
    const file = put(name, content);
    await expect(kinds([file])).rejects.toThrow(UsageError);
    await expect(kinds([file])).rejects.toThrow(fault);
    await expect(kinds([file])).rejects.toThrow(file);
  });

  it("takes no object for a list of others by the end of its kind", async () => {
    const list = { apiVersion: "skill-admission.dev/v1alpha1", kind: "SkillRevocationList", items: [] };
    expect(await kinds([put("a.json", JSON.stringify(list))])).toEqual(["SkillRevocationList"]);
    const lists = { ...list, kind: "SkillRevocationListList", items: [{ metadata: { name: "a" } }] };
    expect(await kinds([put("b.json", JSON.stringify(lists))])).toEqual(["SkillRevocationList"]);
  });

  it("reads nothing of a folder of which Helm or kustomize makes the objects, and says how to render it", async () => {
    put("plain/a.yaml", "apiVersion: v1\nkind: Pod\n");
    expect(await kinds([folder])).toEqual(["Pod"]);
    put("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    put("web/charts/db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.0.0\n");
    put("web/templates/pod.yaml", "kind: {{ .Values.kind }}\n");
    const chart = join(folder, "web");
    await expect(kinds([chart])).rejects.toMatchObject({
      message: `the files of ${chart} are not what will be applied: Helm makes that, by ${chart}/Chart.yaml`,
      remedy: `render it first:\n  helm template ${chart} | skill-admission apply -f - …`,
    });
    await expect(kinds([folder])).rejects.toMatchObject({
      remedy: expect.stringMatching(/\nand name the plain manifests beside it by themselves$/) as string,
    });
    await expect(kinds([join(chart, "Chart.yaml")])).rejects.toThrow("Helm makes that");
    await expect(kinds([join(chart, "templates")])).rejects.toMatchObject({
      remedy: "render it, if it is a template of Helm (helm template CHART), or correct the file",
    });
    expect(await kinds([join(folder, "plain")])).toEqual(["Pod"]);
  });

  it.each(["kustomization.yaml", "kustomization.yml", "Kustomization"])("knows %s", async (name) => {
    put("a.yaml", "apiVersion: v1\nkind: Pod\n");
    put(name, "resources: [a.yaml]\n");
    await expect(kinds([`${folder}/`])).rejects.toMatchObject({
      remedy: `render it first:\n  kubectl kustomize ${folder} | skill-admission apply -f - …`,
    });
    expect(await kinds([join(folder, "a.yaml")])).toEqual(["Pod"]);
  });

  it("does not take standard input that holds nothing for a pass", async () => {
    await expect(kinds(["-"], "")).rejects.toThrow("standard input holds no object");
    await expect(kinds(["-"], "---\n# nothing\n")).rejects.toThrow(UsageError);
    expect(await kinds([put("empty.yaml", "# nothing\n")])).toEqual([]);
  });

  it("refuses a file that is not there and a folder without manifests", async () => {
    await expect(kinds([join(folder, "no.yaml")])).rejects.toThrow("it does not exist");
    await expect(kinds([folder])).rejects.toThrow("has no .yaml");
  });

  it("reads files behind links, once, as in the volume of a ConfigMap", async () => {
    put("data/..2026/a.yaml", "apiVersion: v1\nkind: Pod\n");
    symlinkSync("..2026", join(folder, "data/..data"));
    symlinkSync("..data/a.yaml", join(folder, "data/a.yaml"));
    symlinkSync(
      put("elsewhere/b.json", JSON.stringify({ ...pod, kind: "Job" })),
      join(folder, "data/b.json"),
    );
    expect((await kinds([join(folder, "data")])).sort()).toEqual(["Job", "Pod"]);
  });

  it("passes over nothing behind links silently: to other folders, to nothing", async () => {
    put("data/a.yaml", "apiVersion: v1\nkind: Pod\n");
    put("elsewhere/b.yaml", "apiVersion: v1\nkind: Job\n");
    symlinkSync(join(folder, "nowhere"), join(folder, "data/README"));
    expect(await kinds([join(folder, "data")])).toEqual(["Pod"]);
    symlinkSync("../elsewhere", join(folder, "data/lists"));
    await expect(kinds([join(folder, "data")])).rejects.toThrow("data/lists is a link to another folder");
    rmSync(join(folder, "data/lists"));
    symlinkSync("../nowhere.yaml", join(folder, "data/c.yaml"));
    await expect(kinds([join(folder, "data")])).rejects.toThrow("it does not exist");
  });
});
