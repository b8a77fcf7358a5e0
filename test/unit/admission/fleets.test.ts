import { beforeAll, describe, expect, it } from "vitest";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { signedSkill, skillFiles, withFiles } from "../../fixtures/signed-skill.ts";
import { configMapOf, denial, namespace, published, World } from "./world.ts";

const replicas = 2_000;
const names = Array.from({ length: 12 }, (_, at) => `skill-${at}`);

const versionOf = (name: string, more: Readonly<Record<string, string>> = {}): Skill =>
  signedSkill({ name, key: published.key, files: { ...skillFiles(name), ...more } }).skill;

/** The volume that the API server adds to each pod for its account's token, under a name of its own. */
const tokenVolume = (at: number) => ({
  name: `kube-api-access-${at}`,
  projected: {
    sources: [
      { serviceAccountToken: { path: "token", expirationSeconds: 3607 } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
    ],
  },
});

function replica(at: number, items: ReadonlyMap<string, readonly object[]>): KubernetesObject {
  const skills = [...items];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `agent-${at}`, namespace, creationTimestamp: "2026-09-01T00:00:00Z" },
    spec: {
      volumes: [
        ...skills.map(([name, list]) => ({ name, configMap: { name, items: list } })),
        tokenVolume(at),
      ],
      containers: [
        {
          name: "agent",
          image: "agent",
          volumeMounts: [
            ...skills.map(([name]) => ({ name, mountPath: `/skills/${name}`, readOnly: true })),
            { name: `kube-api-access-${at}`, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" },
          ],
        },
      ],
    },
  };
}

describe("a ConfigMap that 2,000 pods with tokens mount, each with twelve skills", () => {
  const world = new World();

  beforeAll(() => {
    const items = new Map<string, readonly object[]>();
    for (const name of names) {
      const packed = configMapOf(versionOf(name), name);
      world.configMaps.set(name, {
        ...packed.object,
        metadata: { name, namespace, creationTimestamp: "2026-08-01T00:00:00Z" },
      });
      items.set(name, packed.items);
    }
    const metadata = { name: "kube-root-ca.crt", namespace };
    world.configMaps.set("kube-root-ca.crt", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata,
      data: { "ca.crt": "x" },
    });
    world.running = Array.from({ length: replicas }, (_, at) => replica(at, items));
  });

  /** Reviews an update of the ConfigMap, and says how often each object was read for it. */
  async function update(name: string, change: (before: KubernetesObject) => KubernetesObject) {
    const oldObject = world.configMaps.get(name)!;
    world.reads.length = 0;
    const answer = await world.review(change(oldObject), { operation: "UPDATE", oldObject });
    const reads = [...Map.groupBy(world.reads, (read) => read)].map(
      ([read, all]) => [read, all.length] as const,
    );
    return { answer, reads: new Map(reads) };
  }

  const withSkill = (skill: Skill, name: string) => (before: KubernetesObject) => ({
    ...before,
    binaryData: configMapOf(skill, name).object["binaryData"],
  });

  /** Each of the other skills' ConfigMaps, once, and nothing else more than that. */
  function expectOthersOnce(reads: ReadonlyMap<string, number>, changed: string): void {
    expect([...reads.keys()]).toEqual(expect.arrayContaining(names.filter((name) => name !== changed)));
    expect(reads.has(changed)).toBe(false);
    expect(new Set(reads.values())).toEqual(new Set([1]));
  }

  it("changes its labels and reads nothing", async () => {
    const labelled = await update("skill-3", (before) => ({
      ...before,
      metadata: { ...(before.metadata as object), labels: { team: "a" } },
    }));
    expect(labelled.answer.decision).toMatchObject({ outcome: "allow", bypass: "unchanged" });
    expect(labelled.reads.size).toBe(0);
  });

  it("changes bytes of no skill and reads nothing", async () => {
    const added = await update("skill-3", (before) => ({
      ...before,
      data: { "notes.txt": "mounted by nobody" },
    }));
    expect(added.answer.decision).toMatchObject({ outcome: "allow", bypass: "unchanged" });
    expect(added.reads.size).toBe(0);
    const token = await update("kube-root-ca.crt", (before) => ({ ...before, data: { "ca.crt": "y" } }));
    expect(token.answer.decision).toMatchObject({ outcome: "allow", bypass: "no-skills" });
  });

  it("changes bytes of one skill to a signed version, and each other object is read once", async () => {
    const next = versionOf("skill-3", { "references/a.md": "# Schema notes 2\n" });
    const { answer, reads } = await update("skill-3", withSkill(next, "skill-3"));
    expect(answer.decision).toMatchObject({ outcome: "allow", verdicts: [{ skills: { length: 1 } }] });
    expectOthersOnce(reads, "skill-3");
  });

  it("is denied for changed bytes of one skill, of which alone the answer speaks, once", async () => {
    const broken = withFiles(versionOf("skill-3"), { "scripts/run.sh": "evil" });
    const { answer, reads } = await update("skill-3", withSkill(broken, "skill-3"));
    expectOthersOnce(reads, "skill-3");
    const text = denial(answer) ?? "";
    expect(text.split("\n")).toEqual([
      `policy "payments" denied ConfigMap ${namespace}/skill-3: 1 of 1 skill failed: skill-3 DIGEST_MISMATCH scripts/run.sh`,
      expect.stringMatching(
        /^- skill-3 \(ConfigMap skill-3 at \/skills\/skill-3, mounted by Pod payments\/agent-0\): signed by team /,
      ),
      expect.stringMatching(/^ {2}DIGEST_MISMATCH scripts\/run\.sh: signed /),
      "  fix: mount the published files again, or sign the changed skill",
      expect.stringMatching(/^decision [0-9a-f]{8}$/),
    ]);
  });

  it("judges apart a pod that sees other files", async () => {
    const items = new Map([["skill-3", configMapOf(versionOf("skill-3"), "skill-3").items]]);
    world.running = [...world.running, replica(replicas, items)];
    const broken = withFiles(versionOf("skill-3"), { "scripts/run.sh": "evil" });
    const { answer } = await update("skill-3", withSkill(broken, "skill-3"));
    expect(denial(answer)).toContain("2 of 2 skills failed");
  });
});
