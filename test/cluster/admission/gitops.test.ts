import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Skill } from "../../../src/skill/skill.ts";
import { signedSkill, skillFiles, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { tryApply } from "../harness/apply.ts";
import { kubectl, tryHelm, tryKubectl } from "../harness/cluster.ts";
import { sharedProduct } from "./product.ts";
import {
  createNamespace,
  enforce,
  mutable,
  pemOf,
  policy,
  ship,
  templateOf,
  warnings,
  type Part,
} from "./world.ts";

const namespace = "gitops";

let own: SignedSkill;
let folder: string;

beforeAll(async () => {
  own = signedSkill();
  await sharedProduct();
  await createNamespace(namespace, namespace);
  await enforce(policy(namespace, { publishers: [{ name: "team", publicKey: { pem: pemOf(own) } }] }));
  folder = await mkdtemp(join(tmpdir(), "skill-admission-gitops-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Another version of the skill, by the same publisher. */
const version = (more: Readonly<Record<string, string>>): Skill =>
  signedSkill({ key: own.key, files: { ...skillFiles("data-designer"), ...more } }).skill;

type Objects = readonly Part[];

function deployment(pod: Part, name: string): Part {
  const labels = { app: name };
  const spec = { selector: { matchLabels: labels }, template: templateOf(pod, labels) };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace }, spec };
}

/** A release whose ConfigMap keeps its name through all versions, as a hand-written chart has it. */
function inPlace(skill: Skill, name: string): Objects {
  const { configMap, pod } = mutable(skill, name, namespace);
  return [configMap, deployment(pod, name)];
}

/** A release as `skill-admission package` makes it: ConfigMaps named by what they hold. */
function byContent(skill: Skill, name: string): Objects {
  const { configMaps, pod } = ship(skill, namespace, name);
  return [...(configMaps as unknown as Objects), deployment(pod, name)];
}

let charts = 0;

/** A chart of these objects. */
async function chartOf(objects: Objects): Promise<string> {
  const path = join(folder, `chart-${(charts += 1)}`);
  await mkdir(join(path, "templates"), { recursive: true });
  await writeFile(join(path, "Chart.yaml"), `apiVersion: v2\nname: agent\nversion: 0.0.${charts}\n`);
  const escaped = objects.map((object) => JSON.stringify(object).replaceAll("{{", '{{"{{"}}'));
  await writeFile(join(path, "templates/all.yaml"), escaped.join("\n---\n"));
  return path;
}

const inRelease = (...args: readonly string[]) => tryHelm(["-n", namespace, ...args]);

const podsOf = async (name: string): Promise<readonly string[]> =>
  (await kubectl(["-n", namespace, "get", "pods", "-l", `app=${name}`, "-o", "name"]))
    .split("\n")
    .filter(Boolean);

const runs = (name: string, count = 1) => expect.poll(async () => (await podsOf(name)).length).toBe(count);

describe("Helm", () => {
  it("installs ConfigMap and Deployment without a word, and upgrades in place to what passes", async () => {
    const installed = await inRelease("install", "same", await chartOf(inPlace(own.skill, "same")));
    expect(installed).toMatchObject({ code: 0, stderr: "" });
    await runs("same");
    const next = await chartOf(inPlace(version({ "references/a.md": "# Schema notes 2\n" }), "same"));
    expect(await inRelease("upgrade", "same", next)).toMatchObject({ code: 0, stderr: "" });
    expect(await inRelease("rollback", "same", "1")).toMatchObject({ code: 0, stderr: "" });
  });

  it("is told that a new name is the way, where a new version does not fit the pods that run", async () => {
    await inRelease("install", "grown", await chartOf(inPlace(own.skill, "grown")));
    await runs("grown");
    const next = version({ "references/extra.md": "extra\n" });
    const { code, stderr } = await inRelease("upgrade", "grown", await chartOf(inPlace(next, "grown")));
    expect(code).not.toBe(0);
    expect(stderr).toContain(
      `denied ConfigMap ${namespace}/grown: 1 of 1 skill failed: data-designer FILE_MISSING`,
    );
    expect(stderr).toContain(
      "if the new version is for new pods, such as those of a new release, give its ConfigMap a new name (skill-admission package does): these keep the old one",
    );
    const named = await inRelease("upgrade", "grown", await chartOf(byContent(next, "grown")));
    expect(named).toMatchObject({ code: 0, stderr: "" });
    expect(await inRelease("rollback", "grown", "1")).toMatchObject({ code: 0, stderr: "" });
  });

  it("runs a hook whose ConfigMap is a hook before it; one that is none comes too late, as without us", async () => {
    const hook = (object: Part, weight: number): Part => ({
      ...object,
      metadata: {
        ...(object["metadata"] as Part),
        annotations: { "helm.sh/hook": "pre-install", "helm.sh/hook-weight": `${weight}` },
      },
    });
    const jobOf = (name: string, more: Part = {}): readonly [Part, Part] => {
      const { configMaps, pod } = ship(own.skill, namespace, name);
      const template = templateOf(pod, { app: name }, { restartPolicy: "Never" });
      const job = {
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: { name, namespace },
        spec: { template, ...more },
      };
      return [configMaps[0] as unknown as Part, job];
    };
    const [configMap, job] = jobOf("hooked");
    const chart = await chartOf([hook(configMap, -1), hook(job, 0)]);
    const installing = inRelease("install", "hooked", chart, "--timeout", "60s");
    await runs("hooked");
    const [pod] = await podsOf("hooked");
    const status = JSON.stringify({ status: { phase: "Succeeded" } });
    await kubectl(["-n", namespace, "patch", pod!, "--subresource=status", "--type=merge", "-p", status]);
    expect(await installing).toMatchObject({ code: 0, stderr: "" });
    const [late, early] = jobOf("late");
    const failed = await inRelease(
      "install",
      "late",
      await chartOf([late, hook(early, 0)]),
      "--timeout",
      "5s",
    );
    expect(failed.code).not.toBe(0);
    expect(failed.stderr).toContain("SOURCE_UNAVAILABLE ConfigMap");
  });
});

/** The requests of Flux's kustomize-controller: a dry run of each object, then each is applied, in the order of kinds. */
async function asFlux(objects: Objects) {
  const tried = await tryApply(objects, { dryRun: true });
  if (tried.code !== 0) return { tried, applied: undefined };
  return { tried, applied: await tryApply(objects) };
}

describe("Flux's requests: all objects in dry runs by server-side apply, then each applied", () => {
  it("a first release passes: its ConfigMap is missing in the dry run only", async () => {
    const { tried, applied } = await asFlux(byContent(own.skill, "flux"));
    expect(tried.code).toBe(0);
    expect(warnings(tried)).toEqual([expect.stringContaining("SOURCE_UNAVAILABLE ConfigMap")]);
    expect(applied).toMatchObject({ code: 0, stderr: "" });
    await runs("flux");
  });

  it("so does the next version under a new name", async () => {
    const { tried, applied } = await asFlux(byContent(version({ "references/extra.md": "x\n" }), "flux"));
    expect(tried.code).toBe(0);
    expect(applied).toMatchObject({ code: 0, stderr: "" });
  });

  it("in place the dry run says what is denied, and nothing is applied", async () => {
    await asFlux(inPlace(own.skill, "flux-in-place"));
    await runs("flux-in-place");
    const next = version({ "references/extra.md": "x\n" });
    const { tried, applied } = await asFlux(inPlace(next, "flux-in-place"));
    expect(applied).toBeUndefined();
    expect(tried.stderr).toContain("give its ConfigMap a new name");
  });
});

describe("Argo CD's requests: kubectl apply, wave by wave", () => {
  const apply = (objects: Objects, ...more: readonly string[]) =>
    tryKubectl(
      ["apply", "-f", "-", ...more],
      objects.map((object) => JSON.stringify(object)).join("\n---\n"),
    );

  it.each([
    ["client-side", []],
    ["server-side", ["--server-side", "--field-manager=argocd-controller", "--force-conflicts"]],
  ])("ConfigMaps in a wave before, or in the same: %s", async (kind, how) => {
    const objects = byContent(own.skill, `argo-${kind}`);
    for (const object of objects) {
      expect(await apply([object], "--dry-run=client")).toMatchObject({ code: 0 });
    }
    for (const object of objects)
      expect(await apply([object], ...how)).toMatchObject({ code: 0, stderr: "" });
    await runs(`argo-${kind}`);
  });

  it("a Deployment in a wave before its ConfigMap is let in with a warning, and its pods come with the ConfigMap", async () => {
    const [configMap, web] = byContent(own.skill, "argo-late") as [Part, Part];
    const early = await apply([web]);
    expect(early.code).toBe(0);
    expect(early.stderr).toContain("SOURCE_UNAVAILABLE ConfigMap");
    await expect
      .poll(() => kubectl(["-n", namespace, "describe", "deployment", "argo-late"]))
      .toMatch(/SkillDenied .* SOURCE_UNAVAILABLE/);
    expect(await podsOf("argo-late")).toEqual([]);
    expect(await apply([configMap])).toMatchObject({ code: 0, stderr: "" });
    await runs("argo-late");
  });

  it("server-side diff of a release to come warns of what is missing, and of a changed skill says what is denied", async () => {
    const dry = [
      "--server-side",
      "--dry-run=server",
      "--field-manager=argocd-controller",
      "--force-conflicts",
    ];
    for (const object of byContent(own.skill, "argo-diff"))
      expect(await apply([object], ...dry)).toMatchObject({ code: 0 });
    const changed = withFiles(own.skill, { "scripts/run.sh": "evil" });
    await apply(inPlace(own.skill, "argo-same"));
    await runs("argo-same");
    const [configMap] = inPlace(changed, "argo-same") as [Part, Part];
    expect((await apply([configMap], ...dry)).stderr).toContain("DIGEST_MISMATCH scripts/run.sh");
  });
});

describe("an optional ConfigMap", () => {
  it("may come later: the pod is let in, and what comes is judged under it", async () => {
    const { configMap, pod } = mutable(own.skill, "later", namespace);
    const text = JSON.stringify(pod).replaceAll('"configMap":{', '"configMap":{"optional":true,');
    expect(await tryApply([JSON.parse(text) as Part])).toMatchObject({ code: 0, stderr: "" });
    const broken = {
      ...configMap,
      data: { ...(configMap["data"] as Part), "SKILL.md": "---\nname: x\n---\n" },
    };
    expect((await tryApply([broken])).stderr).toContain("denied ConfigMap gitops/later");
    expect(await tryApply([configMap])).toMatchObject({ code: 0, stderr: "" });
  });
});
