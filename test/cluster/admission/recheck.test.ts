import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { keyFingerprint } from "../../../src/signature/key.ts";
import { patience } from "../../fixtures/patience.ts";
import { container, mount, podObject, volume } from "../../fixtures/pods.ts";
import { signedSkill, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { api, ownPath, patch, pathOf, put, remove, type Part } from "../harness/api.ts";
import { kubectl } from "../harness/cluster.ts";
import type { LogLine } from "../harness/log.ts";
import { startProduct, type Product } from "./product.ts";
import {
  applySkill,
  createNamespace,
  enforce,
  mutable,
  pemOf,
  policy,
  revocationList,
  templateOf,
  trustRoot,
} from "./world.ts";

const namespace = "rechecked";
interface Named extends LogLine {
  readonly time: string;
  readonly policy?: string;
  readonly replaced?: string;
  readonly codes?: readonly string[];
  readonly pods?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly detail?: readonly string[];
}

let product: Product;
let own: SignedSkill;

const trusting = (spec: Part = {}): Part =>
  policy(namespace, { publishers: [{ name: "team", publicKey: { pem: pemOf(own) } }], ...spec });

beforeAll(async () => {
  own = signedSkill();
  product = await startProduct();
  await createNamespace(namespace, namespace);
  await enforce(trusting());
});

// No test begins with what another one left.
afterEach(async () => {
  await enforce(trusting());
  await remove(`/apis/apps/v1/namespaces/${namespace}/deployments`);
  await remove(`/api/v1/namespaces/${namespace}/pods?gracePeriodSeconds=0`);
  await vi.waitFor(async () => {
    const { items } = await api<{ items: Part[] }>(`/api/v1/namespaces/${namespace}/pods`);
    expect(items).toEqual([]);
  }, patience);
  await standing(0);
});

afterAll(async () => {
  await product.remove();
});

/** Is denied as often as somebody is asked about it: nobody can read a host path. */
const unreadable = podObject({
  name: "probe",
  volumes: [volume("v", { hostPath: { path: "/etc" } })],
  containers: [container("agent", [mount("v", "/root/.claude/skills/s")])],
});

/** Does something that the API server does not ask the webhook about, as when a race is won at another replica. */
async function past<T>(work: () => Promise<T>): Promise<T> {
  const label = (value: string | null): Promise<Part> =>
    patch(`/api/v1/namespaces/${namespace}`, {
      metadata: { labels: { "skill-admission.dev/break-glass": value } },
    });
  // The API server heeds the label, and that it is gone, within moments.
  const probe = () =>
    api(`/api/v1/namespaces/${namespace}/pods?dryRun=All`, { method: "POST", body: unreadable });
  await label("test");
  try {
    await vi.waitFor(probe, patience);
    return await work();
  } finally {
    await label(null);
    await vi.waitFor(() => expect(probe()).rejects.toThrow("SOURCE_UNVERIFIABLE"), patience);
  }
}

const good = (name: string) => mutable(own.skill, name, namespace);
const evil = (name: string) =>
  mutable(withFiles(own.skill, { "scripts/run.sh": "#!/bin/sh\necho pwned\n" }), name, namespace);

const named = async (name: string): Promise<readonly Named[]> =>
  ((await product.log()) as readonly Named[]).filter(
    ({ msg, name: of }) => msg === "a stored workload does not comply" && of === name,
  );

interface Event {
  readonly reason: string;
  readonly action: string;
  readonly note: string;
  readonly regarding: { readonly kind: string; readonly name: string };
}

const events = async (name: string): Promise<readonly Event[]> =>
  (await api<{ items: Event[] }>(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`)).items.filter(
    ({ reason, regarding }) => reason === "SkillNotCompliant" && regarding.name === name,
  );

const gauge = async (): Promise<number | undefined> => {
  const line = (await product.metrics())
    .split("\n")
    .find((one) => one.startsWith(`skill_admission_noncompliant_workloads{policy="${namespace}"`));
  return line === undefined ? undefined : Number(line.split(" ").at(-1));
};

interface Status {
  readonly noncompliantWorkloads?: number;
  readonly noncompliant?: readonly string[];
}

const status = async (): Promise<Status> =>
  (await api<{ status: Status }>(ownPath("clusterskillpolicies", namespace))).status;

const column = async (): Promise<string | undefined> => {
  const [headings = "", row = ""] = (await kubectl(["get", "cskp", namespace])).split("\n");
  return row.split(/\s{2,}/)[headings.split(/\s{2,}/).indexOf("NONCOMPLIANT")];
};

/** Waits until that many workloads are said not to comply, everywhere. */
async function standing(workloads: number, first?: readonly string[]): Promise<void> {
  await vi.waitFor(async () => {
    expect(await gauge()).toBe(workloads);
    expect(await status()).toMatchObject({ noncompliantWorkloads: workloads });
    if (first !== undefined) expect((await status()).noncompliant).toEqual(first);
  }, patience);
  await vi.waitFor(async () => expect(await column()).toBe(String(workloads)), patience);
}

async function run({ configMap, pod }: { configMap: Part; pod: Part }): Promise<void> {
  await put(configMap);
  await put(pod);
}

describe("what is stored and does not comply", () => {
  it("is named wherever one looks, and no more when it complies again", async () => {
    await run(good("race"));
    await standing(0);
    await past(() => put(evil("race").configMap));
    await standing(1, [`Pod ${namespace}/race`]);
    const [line] = await named("race");
    expect(line).toMatchObject({
      level: "warn",
      kind: "Pod",
      policy: namespace,
      pods: ["race"],
      codes: ["DIGEST_MISMATCH"],
    });
    await vi.waitFor(async () => expect(await events("race")).toHaveLength(1), patience);
    const [event] = await events("race");
    expect(event?.action).toBe("Recheck");
    const lines = event!.note.split("\n");
    expect(lines[0]).toBe(
      `policy "${namespace}" (Enforce) is not met by Pod ${namespace}/race, which is stored: 1 of 1 skill failed: data-designer DIGEST_MISMATCH scripts/run.sh`,
    );
    expect(lines.at(-1)).toBe(
      "nothing was stopped, and containers may have read it before it was named: delete Pod race, and create it anew, or what makes it, corrected, with ConfigMaps of new names",
    );
    expect(await gauge()).toBe(1);
    await past(() => put(good("race").configMap));
    await standing(0);
    expect((await status()).noncompliant).toBeUndefined();
  });

  it("is named within two seconds of its storage", async () => {
    await run(good("prompt"));
    const took: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const since = (await named("prompt")).length;
      await past(async () => {
        await put(evil("prompt").configMap);
        const stored = Date.now();
        const line = await vi.waitFor(async () => {
          const found = (await named("prompt"))[since];
          expect(found).toBeDefined();
          return found!;
        }, patience);
        took.push(Date.parse(line.time) - stored);
        // It is counted a moment after it is named.
        await standing(1);
        await put(good("prompt").configMap);
      });
      await standing(0);
    }
    // The quickest: a busy machine may hold up any of them.
    expect(Math.min(...took)).toBeLessThan(2_000);
  });

  it("is named though it was changed back at once", async () => {
    await run(good("flash"));
    await standing(0);
    await past(async () => {
      await put(evil("flash").configMap);
      await put(good("flash").configMap);
    });
    const line = await vi.waitFor(async () => {
      const [found] = await named("flash");
      expect(found).toBeDefined();
      return found!;
    }, patience);
    expect(line.codes).toEqual(["DIGEST_MISMATCH"]);
    await vi.waitFor(async () => expect(await events("flash")).not.toEqual([]), patience);
    await standing(0);
  });

  it("is named though the ConfigMap is immutable: the good one was deleted and another one came", async () => {
    const fixed = ({ configMap }: { readonly configMap: Part }): Part => ({ ...configMap, immutable: true });
    await put(fixed(good("anew")));
    await put(good("anew").pod);
    await past(async () => {
      await remove(pathOf(good("anew").configMap));
      await put(fixed(evil("anew")));
    });
    await standing(1, [`Pod ${namespace}/anew`]);
  });

  it("is named by the Deployment at the top of its owners, once for all of its pods", async () => {
    const { configMap, pod } = good("fleet");
    await put(configMap);
    const labels = { app: "fleet" };
    await put({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "fleet", namespace },
      spec: { replicas: 3, selector: { matchLabels: labels }, template: templateOf(pod, labels) },
    });
    await vi.waitFor(async () => {
      const { items } = await api<{ items: Part[] }>(
        `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3Dfleet`,
      );
      expect(items).toHaveLength(3);
    }, patience);
    await past(() => put(evil("fleet").configMap));
    await standing(1, [`Deployment ${namespace}/fleet`]);
    await vi.waitFor(async () => expect(await events("fleet")).toHaveLength(1), patience);
    expect(await named("fleet")).toMatchObject([{ kind: "Deployment", podCount: 3 }]);
    await past(() => put(good("fleet").configMap));
    await standing(0);
  });

  it("is whatever runs already when a policy is tightened, and nothing any more when it is loosened", async () => {
    await run(good("settled"));
    await standing(0);
    await enforce(trusting({ evidence: { freshness: "MEDIUM" } }));
    await standing(1, [`Pod ${namespace}/settled`]);
    expect((await named("settled")).at(-1)?.codes).toEqual(["GRADE_BELOW_MINIMUM"]);
    await enforce(trusting());
    await standing(0);
  });

  it("is nothing that was a dry run", async () => {
    const body = evil("rehearsed");
    await past(async () => {
      for (const [plural, object] of [
        ["configmaps", body.configMap],
        ["pods", body.pod],
      ] as const)
        await api(`/api/v1/namespaces/${namespace}/${plural}?dryRun=All`, { method: "POST", body: object });
    });
    await run(good("after"));
    await past(() => put(evil("after").configMap));
    await standing(1, [`Pod ${namespace}/after`]);
    expect(await named("rehearsed")).toEqual([]);
  });

  it("is named after a restart, which says once what was not seen", async () => {
    await run(good("later"));
    await past(() => put(evil("later").configMap));
    await standing(1);
    product.stop();
    await product.restart();
    await standing(1, [`Pod ${namespace}/later`]);
    const unseen = ((await product.log()) as readonly Named[]).filter(({ msg }) =>
      msg.includes("was not seen"),
    );
    // Once for each start.
    expect(unseen).toHaveLength(2);
    for (const { until } of unseen) expect(Date.parse(until ?? "")).toBeGreaterThan(0);
  });
});

describe("trust and revocations that match nothing", () => {
  const cells = async (...what: readonly string[]): Promise<Readonly<Record<string, string | undefined>>> => {
    const lines = (await kubectl(["get", ...what, "-o", "wide"])).split("\n");
    const [headings, values] = lines.map((line) => line.split(/\s{2,}/));
    return Object.fromEntries(headings!.map((heading, at) => [heading, values?.[at]]));
  };
  const condition = async (plural: string, name: string, type: string): Promise<Part | undefined> => {
    const { status } = await api<{ readonly status?: { readonly conditions?: readonly Part[] } }>(
      ownPath(plural, name),
    );
    return status?.conditions?.find((one) => one["type"] === type);
  };

  it("are told in their status, and so is a key that is revoked", async () => {
    const spare = signedSkill();
    const keys = [
      { name: "used", pem: pemOf(own) },
      { name: "spare", pem: pemOf(spare) },
    ];
    const publishers = [{ name: "team", publicKey: { trustRootRef: { name: "matching" } } }];
    await enforce(trustRoot("matching", { keys }), policy(namespace, { publishers }));
    expect((await applySkill(own.skill, namespace)).ran).toMatchObject({ code: 0, stderr: "" });
    await vi.waitFor(async () => {
      expect(await cells("sktr", "matching")).toMatchObject({ KEYS: "2", REVOKED: "0", UNUSED: "1" });
      expect(await condition("skilltrustroots", "matching", "Unused")).toMatchObject({
        status: "True",
        reason: "NothingSigned",
        message: expect.stringContaining("is signed by spare; ") as string,
      });
      expect(await condition("clusterskillpolicies", namespace, "Unused")).toMatchObject({ status: "False" });
    }, patience);

    const digest = `sha256:${keyFingerprint(own.trust.keys[0]!.key)}`;
    await enforce(
      revocationList("matching", {
        keys: [{ digest, reason: "laptop was stolen" }],
        files: [{ digest: `sha256:${"0".repeat(64)}`, reason: "nowhere" }],
      }),
    );
    await vi.waitFor(async () => {
      expect(await cells("skrl", "matching")).toMatchObject({ KEYS: "1", FILES: "1", MATCHED: "1" });
      expect(await condition("skillrevocationlists", "matching", "Unused")).toMatchObject({
        status: "True",
        message: expect.stringContaining(`1 of 2 entries name nothing`) as string,
      });
      expect(await cells("sktr", "matching")).toMatchObject({ REVOKED: "1" });
      expect(await condition("skilltrustroots", "matching", "Revoked")).toMatchObject({
        status: "True",
        message:
          "revoked: used by SkillRevocationList matching (laptop was stolen); skills signed by it are refused: take it out",
      });
    }, patience);
    await remove(ownPath("skillrevocationlists", "matching"));
    await vi.waitFor(async () => {
      expect(await cells("sktr", "matching")).toMatchObject({ REVOKED: "0" });
    }, patience);
  });
});
