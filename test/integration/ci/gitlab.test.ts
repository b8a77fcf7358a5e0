import { readFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { examples, makeWorld, type World } from "./world.ts";

interface Job {
  readonly extends?: string;
  readonly image?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly before_script?: readonly string[];
  readonly script?: readonly string[];
  readonly artifacts?: { readonly when: string; readonly reports: { readonly junit: string } };
}

const text = readFileSync(join(examples, "gitlab/skill-admission.gitlab-ci.yml"), "utf8");
const file = parse(text) as Readonly<Record<string, Job>>;

let world: World;

beforeAll(async () => {
  world = await makeWorld();
});

beforeEach(() => world.reset());

/** A job with what it extends: variables are merged, all else is replaced. */
function jobOf(name: string): Job {
  const job = file[name]!;
  const base = job.extends === undefined ? {} : jobOf(job.extends);
  return { ...base, ...job, variables: { ...base.variables, ...job.variables } };
}

function runJob(name: string, variables: Readonly<Record<string, string>> = {}) {
  const job = jobOf(name);
  const lines = [...(job.before_script ?? []), ...(job.script ?? [])];
  return world.step(lines.join("\n"), { ...job.variables, ...variables });
}

const jobs = Object.keys(file).filter((name) => !name.startsWith("."));

it("has jobs of one base, which runs on Node 24 and keeps reports of what fails", () => {
  expect(jobs).toEqual(["skills", "manifests"]);
  for (const name of jobs) {
    const { image, artifacts, script } = jobOf(name);
    expect(image).toMatch(/^node:24/);
    expect(artifacts).toEqual({ when: "always", reports: { junit: "skill-admission/*.xml" } });
    expect(script?.every((line) => typeof line === "string")).toBe(true);
  }
});

describe.each(jobs)("the job %s", (name) => {
  const report = `skill-admission/${name}.xml`;

  it("passes", async () => {
    const { code, out } = await runJob(name);
    expect(code, out).toBe(0);
    expect(world.read(report)).toContain('failures="0" errors="0"');
  });

  it("fails for what was changed, and reports it", async () => {
    world.tamper();
    const { code, out } = await runJob(name);
    expect([code, out]).toEqual([1, expect.stringContaining("DIGEST_MISMATCH")]);
    expect(world.read(report)).toMatch(/file="(?:skills\/one|deploy\/one\.yaml)".*\n *<failure/);
  });

  it("fails where nothing can be judged", async () => {
    expect((await runJob(name, { SKILL_ADMISSION_POLICIES: "nowhere/" })).code).toBe(2);
  });
});

it("judges what makes pods in a kind that nobody reads as an error", async () => {
  const spec = { template: { spec: { containers: [{ name: "a", image: "b" }] } } };
  world.write(
    "deploy/rollout.json",
    JSON.stringify({ apiVersion: "argoproj.io/v1alpha1", kind: "Rollout", metadata: { name: "r" }, spec }),
  );
  expect((await runJob("manifests")).code).toBe(3);
  expect(world.read("skill-admission/manifests.xml")).toContain('failures="0" errors="1"');
});
