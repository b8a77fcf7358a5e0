import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { commandsOf, typed } from "../../fixtures/documented.ts";
import { patience } from "../../fixtures/patience.ts";
import { signedSkill, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { apply, tryApply } from "../harness/apply.ts";
import { ownPath, patch, remove, type Part } from "../harness/api.ts";
import { auditLog } from "../harness/cluster.ts";
import { sharedProduct, type SharedProduct } from "./product.ts";
import { createNamespace, enforce, pemOf, policy, ship, templateOf } from "./world.ts";

/** The namespace, its tenant and its policy. */
const space = "audited";
const breakGlass = "skill-admission.dev/break-glass";
const administrator = expect.stringMatching(/admin/) as string;

let product: SharedProduct;
let folder: string;
let documented: (words: string) => string;
let skill: SignedSkill;
let key: string;

const inForce = ownPath("clusterskillpolicies", space);
const label = (labels: Readonly<Record<string, string | null>>) =>
  patch(`/api/v1/namespaces/${space}`, { metadata: { labels } });
const podCalled = (name: string, what = skill.skill): readonly Part[] => ship(what, space, name).all;

/** Types a command of docs/records.md, with other words for those of the page, beside the logs as they are now. */
async function answers(
  words: string,
  others: Readonly<Record<string, string>> = {},
): Promise<readonly Part[]> {
  const lines = await product.log();
  await writeFile(join(folder, "log.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  await writeFile(join(folder, "audit.jsonl"), await auditLog());
  let command = documented(words);
  for (const [from, to] of Object.entries({
    "2026-11-12": new Date().toISOString().slice(0, 4),
    ...others,
  })) {
    command = command.replaceAll(from, to);
  }
  const out = await typed(command, { cwd: folder, env: process.env });
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Part);
}

/** Waits until a record has come to the log of what happened. */
const changed = (like: object): Promise<unknown> =>
  vi.waitFor(async () => expect(await product.log()).toContainEqual(expect.objectContaining(like)), patience);

/** Waits until the API server asks about the namespace, which it does once it has seen the registration. */
async function asked(): Promise<void> {
  let round = 0;
  await vi.waitFor(async () => {
    const metadata = { name: `probe-${(round += 1)}`, namespace: space };
    await tryApply([{ apiVersion: "v1", kind: "ConfigMap", metadata, data: { "SKILL.md": "x" } }], {
      dryRun: true,
    });
    expect(await product.log()).toContainEqual(
      expect.objectContaining({
        kind: "ConfigMap",
        name: expect.stringMatching(/^probe-/) as string,
        namespace: space,
      }),
    );
  }, patience);
}

const unseen = async (): Promise<readonly Part[]> =>
  (await answers(".responseStatus.code == 201")).filter(({ namespace }) => namespace === space);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skill-admission-records-"));
  product = await sharedProduct();
  documented = await commandsOf("docs/records.md");
  skill = signedSkill();
  key = skill.trust.keys[0]!.fingerprint;
  await createNamespace(space, space);
  await enforce(policy(space, { publishers: [{ name: "team", publicKey: { pem: pemOf(skill) } }] }));
  await changed({ change: "created", name: space });
  await asked();
  await apply(...podCalled("good"));
  const { pod, configMaps } = ship(skill.skill, space, "made");
  const labels = { app: "made" };
  const template = templateOf(pod, labels, { restartPolicy: "Always" });
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  await apply(...(configMaps as unknown as readonly Part[]), {
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "made", namespace: space }, spec },
  });
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`extra-${index}.py`, "x"]));
  expect(await tryApply(podCalled("bad", withFiles(skill.skill, many)))).not.toMatchObject({ code: 0 });
  await patch(inForce, { spec: { mode: "Audit" } });
  await changed({ change: "weakened", name: space });
  await apply(...podCalled("late", withFiles(skill.skill, { "extra.py": "x" })));
  await product.decision("Pod", "late", { decision: "allow" });
  await label({ [breakGlass]: "INC-1" });
  await changed({ change: "exempted", name: space });
  await vi.waitFor(async () => {
    await apply(...podCalled(`unseen-${Date.now()}`));
    expect(await unseen()).not.toEqual([]);
  }, patience);
  await label({ [breakGlass]: null, tenant: null });
  await changed({ change: "readmitted", name: space, left: [space] });
  await remove(inForce);
  await changed({ change: "deleted", name: space });
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("the questions of docs/records.md", () => {
  it("what was admitted, under which version of which policy, signed by whom: by the log", async () => {
    await vi.waitFor(async () => {
      const admitted = await answers('.decision == "warn") and');
      const common = {
        ...{ user: administrator, time: expect.any(String) as string, skill: "/skills/data-designer" },
        ...{ digest: expect.stringMatching(/^sha256:/) as string, key },
        signer: `ClusterSkillPolicy/${space}/team`,
      };
      expect(admitted).toContainEqual({
        ...{ ...common, object: `Pod ${space}/good`, policy: `${space}@1`, mode: "Enforce" },
        signature: "signed",
      });
      expect(admitted).toContainEqual({
        ...{ ...common, object: `Pod ${space}/late`, policy: `${space}@2`, mode: "Audit" },
        signature: "tampered",
      });
      expect(JSON.stringify(admitted)).not.toContain(`${space}/bad`);
    }, patience);
  });

  it("the same, by the audit log alone", async () => {
    await vi.waitFor(async () => {
      const admitted = await answers("with_entries(.key |=");
      expect(admitted).toContainEqual({
        ...{ time: expect.any(String) as string, user: administrator, verb: "patch" },
        object: `pods ${space}/good`,
        decision: expect.stringMatching(/^allow [0-9a-f]{8}$/) as string,
        policies: `${space}@1=Enforce:allow`,
        skills: expect.stringMatching(
          /^data-designer@sha256:[0-9a-f]{64} at \/skills\/data-designer$/,
        ) as string,
        signers: `data-designer=key ${key}`,
        trust: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      });
      expect(JSON.stringify(admitted)).not.toContain(`pods ${space}/bad`);
    }, patience);
  });

  it("what a version of the policy said, and who wrote it", async () => {
    const said = (generation: string) =>
      answers("--argjson generation", { payments: space, "generation 1": `generation ${generation}` });
    await vi.waitFor(async () => {
      expect(await said("1")).toMatchObject([{ user: administrator, spec: { mode: "Enforce" } }]);
      expect(await said("2")).toMatchObject([{ user: administrator, spec: { mode: "Audit" } }]);
      expect(await said("3")).toEqual([]);
    }, patience);
  });

  it("who changed what decides: each change once", async () => {
    const changes = (await answers("group_by")).filter(({ name }) => name === space);
    expect(changes).toMatchObject([
      { change: "created", kind: "ClusterSkillPolicy", generation: 1 },
      {
        ...{ change: "weakened", generationBefore: 1, generation: 2, what: ["mode: Enforce → Audit"] },
        manager: expect.any(String) as string,
      },
      { change: "exempted", kind: "Namespace" },
      { change: "readmitted", kind: "Namespace", left: [space] },
      { change: "deleted", kind: "ClusterSkillPolicy", generationBefore: 2 },
    ]);
    await vi.waitFor(async () => {
      const writes = (await answers("from: .sourceIPs")).filter(({ name }) => name === space);
      const by = { user: administrator, from: "127.0.0.1", name: space };
      const policyWrites = writes.filter(({ kind }) => kind === "clusterskillpolicies");
      expect(policyWrites.map(({ verb, mode }) => [verb, mode])).toEqual([
        [expect.any(String), "Enforce"],
        ["patch", "Audit"],
        ["delete", undefined],
      ]);
      for (const write of policyWrites) expect(write).toMatchObject(by);
      expect(writes).toContainEqual(
        expect.objectContaining({
          ...{ kind: "namespaces", verb: "patch", user: administrator },
          labels: expect.objectContaining({ [breakGlass]: "INC-1" }) as object,
        }),
      );
    }, patience);
  });

  it("what was denied, to whom and for what, and how much more there is than the record has", async () => {
    await vi.waitFor(async () => {
      const denied = (await answers('select(.decision == "deny" and')).filter(
        ({ object }) => object === `Pod ${space}/bad`,
      );
      expect(denied).toMatchObject([{ user: administrator, owner: null, more: 10 }]);
      expect(denied[0]?.["findings"]).toHaveLength(50);
      expect(denied[0]?.["findings"]).toContain(`${space}: /skills/data-designer: FILE_UNSIGNED extra-0.py`);
    }, patience);
  });

  it("what came in by a key, with the pods that a Deployment made, and what made them", async () => {
    await vi.waitFor(async () => {
      const came = (await answers("--arg key KEY", { KEY: key })).map(({ object }) => object);
      expect(came).toContain(`Pod ${space}/good`);
      expect(came).toContain(`Deployment ${space}/made`);
      expect(came).toContainEqual(expect.stringMatching(new RegExp(`^Pod ${space}/made-`)));
      expect(await answers("--arg key KEY", { KEY: "0".repeat(64) })).toEqual([]);
      const lines = await product.log();
      const ownersOf = (kind: string) =>
        lines
          .filter((line) => line.kind === kind && line.decision !== undefined)
          .flatMap(({ owners = [] }) => owners);
      expect(ownersOf("Pod")).toContainEqual(expect.objectContaining({ kind: "ReplicaSet" }));
      expect(ownersOf("ReplicaSet")).toContainEqual(
        expect.objectContaining({ kind: "Deployment", name: "made" }),
      );
    }, patience);
  });

  it("what came in while nobody looked", async () => {
    await vi.waitFor(async () => {
      const found = await unseen();
      expect(found).toContainEqual(
        expect.objectContaining({ user: administrator, name: expect.stringMatching(/^unseen-/) as string }),
      );
      expect(found.map(({ name }) => name)).not.toContain("good");
    }, patience);
  });
});
