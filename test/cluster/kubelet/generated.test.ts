import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import type { SkillReference } from "../../../src/skill/reference.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import type { Part } from "../../fixtures/pods.ts";
import { objects } from "../../fixtures/generated-pods/objects.ts";
import { ordinaryPod } from "../../fixtures/generated-pods/ordinary-pods.ts";
import { anyPod, ephemeralContainer, manifestOf, tops } from "../../fixtures/generated-pods/pods.ts";
import { unjudgedFiles, unjudgedSkills } from "../../fixtures/generated-pods/judged.ts";
import { listScript, type Line } from "../../fixtures/generated-pods/listing.ts";
import { shareNode, type SharedNode } from "./one-node.ts";
import { nameOf, readings, settled, type Reading } from "./readings.ts";
import { walk, type Walked } from "../../fixtures/generated-pods/walked.ts";

const namespace = `skill-generated-${process.pid}`;
const { seed, share } = inject("properties");
/** A node takes 110 pods, and stops them slower than it starts them. */
const batchSize = 30;
const batches = share < 1 ? 1 : 10;
const ordinary = 6;
const ephemeral = 3;

let node: SharedNode;
const kubectl: SharedNode["kubectl"] = (args, input) => node.kubectl(args, input);

const list = (items: readonly unknown[]): string => JSON.stringify({ apiVersion: "v1", kind: "List", items });

const withLabel = (pod: KubernetesObject, batch: string): KubernetesObject => ({
  ...pod,
  metadata: { ...(pod.metadata as Part), labels: { batch } },
});

/** Runs pods, of which the first get ephemeral containers. Those that the API server refuses are left out. */
async function run(
  batch: string,
  pods: readonly KubernetesObject[],
  extra: readonly Part[] = [],
): Promise<readonly Reading[]> {
  const selector = ["-l", `batch=${batch}`];
  const refused = await kubectl(["create", "-f", "-"], list(pods.map((pod) => withLabel(pod, batch)))).catch(
    String,
  );
  const running = await settled(kubectl, selector);
  const added = running.slice(0, extra.length).map(async (pod, index) => {
    const changed = { ...pod, spec: { ...(pod["spec"] as Part), ephemeralContainers: [extra[index]] } };
    const url = `/api/v1/namespaces/${namespace}/pods/${nameOf(pod)}/ephemeralcontainers`;
    await node.kubectl(["replace", "--raw", url, "-f", "-"], JSON.stringify(changed));
  });
  const states = (await Promise.allSettled(added)).map(({ status }) => status);
  const read = await readings(
    kubectl,
    selector,
    extra.length === 0 ? running : await settled(kubectl, selector),
  );
  console.log(
    `${batch}: ${running.length} of ${pods.length} pods, ${states.length} ephemeral containers, ${read.length} containers read`,
  );
  if (running.length < pods.length / 2) throw new Error(`most pods were refused: ${refused.slice(0, 2000)}`);
  return read;
}

const linesOf = (path: string, { files }: Skill): ReadonlySet<Line> =>
  new Set([...files].map(([file, { sha256 }]) => ({ path: `${path}/${file}`, sha256 })));

type Judgement = Reading & Walked;

async function judge(reading: Reading): Promise<Judgement> {
  const { containers } = await walk(reading.pod, namespace, (name) => stored.get(name));
  const walked = containers.find(({ container }) => container.name === reading.name);
  if (walked === undefined) throw new Error(`no container ${reading.name}`);
  return { ...reading, ...walked };
}

const stored = new Map<string, KubernetesObject>();

beforeAll(async () => {
  console.log(
    `generated pods with PROPERTY_SEED=${seed}, ${batches * batchSize} of them (npm run test:long makes hundreds)`,
  );
  node = await shareNode(namespace);
  await kubectl(["apply", "-f", "-"], list(objects()));
  const all = JSON.parse(await kubectl(["get", "configmaps", "-o", "json"])) as { items: KubernetesObject[] };
  for (const object of all.items) stored.set(nameOf(object), object);
}, 300_000);

afterAll(() => node.leave());

const unjudged = ({ lines, known }: Judgement, references: readonly SkillReference[]): readonly string[] => [
  ...unjudgedFiles(lines, references, known),
  ...unjudgedSkills(lines, references, known),
];

const shownPod = ({ pod, name: container }: Omit<Reading, "lines">): string => {
  const { volumes, containers, initContainers, ephemeralContainers } = pod["spec"] as Part;
  const all = [containers, initContainers, ephemeralContainers].flatMap((some) => (some ?? []) as Part[]);
  const mounts = all.map(({ name, volumeMounts }) => ({ name, volumeMounts }));
  return JSON.stringify({ container, volumes, mounts });
};

const script = listScript(tops);

describe("what can be read in a container was judged", () => {
  it.each(Array.from({ length: batches }, (_, index) => index))(
    "in any pods, batch %i",
    async (index) => {
      const batch = `b${index}`;
      const sample = { seed: seed + index, numRuns: batchSize };
      const drawn = fc.sample(anyPod(node.image, script), sample);
      const extra = fc.sample(ephemeralContainer(node.image, script), { ...sample, numRuns: ephemeral });
      const pods = drawn.map((parts, at) => manifestOf(`${batch}-${at}`, parts));
      const judgements = await Promise.all((await run(batch, pods, extra)).map(judge));
      const missed = judgements.flatMap((one) => {
        const missing = unjudged(one, one.references);
        return missing.length === 0 ? [] : [{ missing, pod: shownPod(one) }];
      });
      expect(missed).toEqual([]);
      // Without references the same is missed: there is something to judge.
      const things = judgements.flatMap(({ lines, known }) => unjudgedFiles(lines, [], known));
      expect(judgements.length).toBeGreaterThan(batchSize);
      expect(things.length).toBeGreaterThan(8 * batchSize);
      await kubectl(["delete", "pods", "-l", `batch=${batch}`, "--force", "--wait=false"]);
    },
    400_000,
  );

  it("in pods with one skill by ordinary means, which is found once, as it is, and nothing beside it", async () => {
    const drawn = fc.sample(ordinaryPod(node.image, script), {
      seed,
      numRuns: ordinary * Math.ceil(batches / 2),
    });
    const pods = drawn.map(({ parts }, at) => manifestOf(`ordinary-${at}`, parts));
    const all = await Promise.all((await run("ordinary", pods)).map(judge));
    expect(new Set(all.map(({ pod }) => nameOf(pod))).size).toBe(drawn.length);
    for (const { pod, name, lines, references } of all) {
      const { skill } = drawn[Number(nameOf(pod).split("-")[1])]!;
      const own = lines.filter(({ path }) => path.startsWith(`${skill}/`) && !path.includes("/.."));
      const trees = references.map(({ path, content }) => [
        path,
        content.state === "resolved" ? linesOf(path, content.skill) : content,
      ]);
      expect(trees, shownPod({ pod, name })).toEqual([[skill, new Set(own)]]);
      expect(own).toHaveLength(3);
    }
  }, 400_000);
});
