import { readFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { examples, makeWorld, type World } from "./world.ts";

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly shell?: string;
  readonly run?: string;
  readonly if?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, string>>;
}

interface Action {
  readonly inputs: Readonly<
    Record<string, { readonly description: string; readonly required?: boolean; readonly default?: string }>
  >;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

interface Workflow {
  readonly permissions: object;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}

const read = (name: string): unknown => parse(readFileSync(join(examples, "github", name), "utf8"));
const action = read("action.yml") as Action;
const workflow = read("workflow.yml") as Workflow;
const steps = action.runs.steps.filter(({ run }) => run !== undefined);
const calls = Object.values(workflow.jobs).flatMap((job) => job.steps);
const call = calls.find(({ uses }) => uses === "./.github/actions/skill-admission")!;

let world: World;

beforeAll(async () => {
  world = await makeWorld();
});

beforeEach(() => world.reset());

const given = (inputs: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(Object.entries(action.inputs).map(([name, one]) => [name, one.default ?? ""])),
  ...inputs,
});

/** The action as a runner has it: one step after the other, until one fails, unless a step runs always. */
async function act(inputs: Readonly<Record<string, string>>) {
  const values = given(inputs);
  const ended: { readonly name: string; readonly code: number; readonly out: string }[] = [];
  for (const { name = "", run = "", env = {}, if: condition } of steps) {
    if (condition !== "always()" && ended.some(({ code }) => code !== 0)) continue;
    const filled = Object.entries(env).map(([key, text]) => [
      key,
      text.replaceAll(/\$\{\{ inputs\.(\w+) \}\}/g, (_, input: string) => values[input]!),
    ]);
    ended.push({ name, ...(await world.step(run, Object.fromEntries(filled) as Record<string, string>)) });
  }
  return ended;
}

const codes = (ended: Awaited<ReturnType<typeof act>>) => ended.map(({ name, code }) => [name, code]);

interface Sarif {
  readonly runs: readonly [
    {
      readonly results: readonly {
        readonly ruleId: string;
        readonly locations: readonly [
          {
            readonly physicalLocation: {
              readonly artifactLocation: { readonly uri: string };
              readonly region?: { readonly startLine: number };
            };
          },
        ];
      }[];
    },
  ];
}

const alerts = (file: string) =>
  (JSON.parse(world.read(`skill-admission/${file}`)) as Sarif).runs[0].results.map(
    ({ ruleId, locations }) => {
      const { artifactLocation, region } = locations[0].physicalLocation;
      return [ruleId, artifactLocation.uri, region?.startLine];
    },
  );

const inputs = { package: "tools/skill-admission-0.1.0.tgz", manifests: "deploy/" };

describe("the workflow", () => {
  it("calls the action by inputs that it has, all that it requires among them", () => {
    const names = Object.keys(call.with ?? {});
    expect(Object.keys(action.inputs)).toEqual(expect.arrayContaining(names));
    const required = Object.entries(action.inputs).filter(([, one]) => one.required === true);
    expect(names).toEqual(expect.arrayContaining(required.map(([name]) => name)));
    expect(workflow.permissions).toEqual({ contents: "read", "security-events": "write" });
    expect(calls.find(({ uses }) => uses?.includes("upload-sarif"))).toMatchObject({
      if: expect.stringContaining("always()") as string,
      with: { sarif_file: "skill-admission" },
    });
  });

  it("passes by its own inputs", async () => {
    world.write("deploy/kustomization.yaml", "resources: [one.yaml]\n");
    const ended = await act(call.with ?? {});
    expect(codes(ended), JSON.stringify(ended)).toEqual([
      ["Install", 0],
      ["Verify skills", 0],
      ["Judge manifests", 0],
    ]);
    expect(ended[2]!.out).toContain("1 object: 1 passed");
  });
});

describe("the action", () => {
  it("is a composite one, whose steps take inputs from the environment only: no input is run as a script", () => {
    expect(action.runs.using).toBe("composite");
    for (const { run, shell, env } of steps) {
      expect(shell).toBe("bash");
      expect(run).not.toContain("${{");
      for (const [, input] of JSON.stringify(env).matchAll(/\$\{\{ inputs\.(\w+) \}\}/g))
        expect(Object.keys(action.inputs)).toContain(input);
    }
  });

  it("passes, and leaves no alerts", async () => {
    expect(codes(await act(inputs)).map(([, code]) => code)).toEqual([0, 0, 0]);
    expect([alerts("skills.sarif"), alerts("manifests.sarif")]).toEqual([[], []]);
  });

  it("fails for what was changed, with alerts at files and lines, and people's words in the log", async () => {
    world.tamper();
    const ended = await act(inputs);
    expect(codes(ended).map(([, code]) => code)).toEqual([0, 1, 1]);
    expect(alerts("skills.sarif")).toEqual([["DIGEST_MISMATCH", "skills/one/SKILL.md", undefined]]);
    const [[code, file, line] = []] = alerts("manifests.sarif");
    expect([code, file]).toEqual(["DIGEST_MISMATCH", "deploy/one.yaml"]);
    expect(world.read("deploy/one.yaml").split("\n")[Number(line) - 1]).toBe("apiVersion: v1");
    expect(ended[1]!.out).toContain("fix: mount the published files again");
  });

  it("fails where nothing could be judged, and uploads no empty report", async () => {
    const ended = await act({ ...inputs, policies: "nowhere/" });
    expect(codes(ended).map(([, code]) => code)).toEqual([0, 2, 2]);
    expect(world.has("skill-admission/skills.sarif")).toBe(false);
    expect(world.has("skill-admission/manifests.sarif")).toBe(false);
  });

  it("fails where the manifests cannot be rendered", async () => {
    const ended = await act({ ...inputs, manifests: "", render: "kubectl kustomize nowhere" });
    expect(codes(ended).map(([, code]) => code)).toEqual([0, 0, 1]);
  });

  it("does nothing where nothing is asked for", async () => {
    expect(codes(await act({ ...inputs, skills: "", manifests: "" })).map(([, code]) => code)).toEqual([
      0, 0, 0,
    ]);
    expect(world.has("skill-admission")).toBe(false);
  });
});
