import { generateKeyPairSync } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { installCrds } from "../harness/crds.ts";
import { sha256 } from "../../../src/skill/digest.ts";
import { signedSkill } from "../../fixtures/signed-skill.ts";
import { createNamespace, enforce, pemOf, policy, revocationList, ship } from "../admission/world.ts";
import { api, ownPath, remove } from "../harness/api.ts";
import { apply } from "../harness/apply.ts";
import { ask } from "./ask.ts";
import {
  clear,
  govern,
  leaderOf,
  leaseIn,
  registered,
  registeredUrl,
  startReplicas,
  statusWritten,
  type Replica,
  type ReplicaOptions,
} from "./replica.ts";
import { hurriedTimes } from "./times.ts";
import { patience } from "../../fixtures/patience.ts";

const namespace = "replicas";
let replicas: Replica[] = [];

/** The leader, with the registration written for it; and the others. */
async function parts(): Promise<{ readonly leader: Replica; readonly others: readonly Replica[] }> {
  const leader = await vi.waitFor(async () => {
    const found = await leaderOf(replicas);
    expect(await registeredUrl()).toBe(found.url);
    return found;
  }, patience);
  return { leader, others: replicas.filter((one) => one !== leader) };
}

beforeAll(async () => {
  await installCrds();
  await createNamespace(namespace);
  await clear(namespace);
});

afterEach(async () => {
  await Promise.all(replicas.map((one) => one.kill()));
  replicas = [];
  // What was killed still holds it; the next test need not wait for that.
  await clear(namespace);
});

interface Lease {
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly leaseDurationSeconds: number;
}
const lease = async (): Promise<Lease> => (await api<{ readonly spec: Lease }>(leaseIn(namespace))).spec;

const startTwo = async (options: ReplicaOptions = {}): Promise<void> => {
  await govern();
  replicas = [...(await startReplicas(namespace, options))];
};
/** For what has to wait for a Lease to run out, or to be renewed. */
const hurried = { hurried: true } as const;

describe("two replicas with one Lease", () => {
  it("have one leader, who alone registers and writes status; the other one is ready all the same", async () => {
    await startTwo(hurried);
    const { leader, others } = await parts();
    await statusWritten("written-by-leader");
    const before = (await registered())?.metadata.resourceVersion;
    const ready = () => Promise.all(replicas.map((one) => one.metric("skill_admission_ready")));
    await expect.poll(ready).toEqual([1, 1]);
    // Registered as the follower would have it, it is not: here each has a URL and an authority to itself.
    await expect.poll(() => leader.metric("skill_admission_webhook_registered")).toBe(1);
    await sleep(3 * hurriedTimes.retry);
    expect((await registered())?.metadata.resourceVersion).toBe(before);
    expect(await leaderOf(replicas)).toBe(leader);
    for (const one of [leader, ...others])
      expect((await one.log()).filter(({ level }) => level === "error")).toEqual([]);
  });

  it("go on when the leader is killed: the other one leads, registers and writes status", async () => {
    await startTwo(hurried);
    const { leader } = await parts();
    await leader.kill();
    replicas = replicas.filter((one) => one !== leader);
    await parts();
    await statusWritten("after-kill");
  });

  it("hand over at once when the leader is told to stop", async () => {
    await startTwo();
    const { leader } = await parts();
    replicas = replicas.filter((one) => one !== leader);
    const held = await lease();
    const stopped = leader.stop();
    await parts();
    // Sooner than the Lease would have run out: it was given up.
    const waited = Date.parse((await lease()).acquireTime) - Date.parse(held.renewTime);
    expect(waited).toBeLessThan(held.leaseDurationSeconds * 1000);
    await stopped;
  });

  it("go on when the leader hangs, and it undoes nothing when it wakes up", async () => {
    await startTwo(hurried);
    const { leader: hung, others } = await parts();
    hung.pause();
    replicas = [...others];
    await parts();
    await statusWritten("while-hung");
    const before = (await registered())?.metadata.resourceVersion;
    hung.resume();
    replicas = [hung, ...others];
    // What a write that failed waits until it is tried again, and a second.
    await sleep(6_000);
    expect((await registered())?.metadata.resourceVersion).toBe(before);
    expect(await leaderOf(replicas)).toBe(others[0]);
    await expect.poll(() => hung.metric("skill_admission_leader")).toBe(0);
  });

  it("judge what is stored by the leader alone, and the next one says what it has not seen", async () => {
    const space = "replicas-rechecking";
    await createNamespace(space, space);
    const own = signedSkill();
    const { all } = ship(own.skill, space, "stored");
    // Audit lets it in: nobody has signed for this key.
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = publicKey.export({ type: "spki", format: "pem" });
    await apply(policy(space, { mode: "Audit", publishers: [{ name: "p", publicKey: { pem } }] }));
    await startTwo(hurried);
    const { leader, others } = await parts();
    await apply(...all);
    const naming = async (replica: Replica) =>
      (await replica.log()).filter(
        ({ msg, name }) => msg === "a stored workload does not comply" && name === "stored",
      );
    await vi.waitFor(async () => expect(await naming(leader)).toHaveLength(1), patience);
    for (const other of others) expect(await naming(other)).toEqual([]);
    const events = async () => {
      const path = `/apis/events.k8s.io/v1/namespaces/${space}/events`;
      const { items } = await api<{ items: { reason: string }[] }>(path);
      return items.filter(({ reason }) => reason === "SkillNotCompliant");
    };
    await vi.waitFor(async () => expect(await events()).toHaveLength(1), patience);
    const noncompliant = async () =>
      (await api<{ status?: { noncompliant?: string[] } }>(ownPath("clusterskillpolicies", space))).status
        ?.noncompliant;
    await vi.waitFor(async () => expect(await noncompliant()).toEqual([`Pod ${space}/stored`]), patience);

    await leader.kill();
    replicas = [...others];
    const next = others[0]!;
    await vi.waitFor(async () => expect(await naming(next)).toHaveLength(1), patience);
    // Until the next leader knows, what the last one wrote stands.
    expect(await noncompliant()).toEqual([`Pod ${space}/stored`]);
    const unseen = await vi.waitFor(async () => {
      const found = (await next.log()).filter(({ msg }) => msg.includes("was not seen"));
      expect(found).toHaveLength(1);
      return found as unknown as readonly { readonly since: string; readonly until: string }[];
    }, patience);
    expect(Date.parse(unseen[0]!.since)).toBeLessThan(Date.parse(unseen[0]!.until));
  });

  it("follow one revocation list: soon after it is applied, and until it is gone, both deny", async () => {
    await startTwo();
    await parts();
    const space = "replicas-revoking";
    await createNamespace(space, space);
    const own = signedSkill();
    const { all, pod } = ship(own.skill, space, "revoked");
    await enforce(policy(space, { publishers: [{ name: "p", publicKey: { pem: pemOf(own) } }] }));
    await apply(...all.filter(({ kind }) => kind === "ConfigMap"));
    const answers = () => Promise.all(replicas.map(({ url }) => ask(url, pod)));
    const allAllowed = async () =>
      expect((await answers()).map(({ allowed }) => allowed)).toEqual([true, true]);
    // The follower has the policy from a watch of its own.
    await vi.waitFor(allAllowed, patience);

    const digest = sha256(own.skill.files.get("scripts/run.sh")!.bytes);
    await apply(revocationList("replicas-revoked", { files: [{ digest, reason: "SEC-1" }] }));
    await vi.waitFor(async () => {
      for (const { allowed, status } of await answers()) {
        expect(allowed).toBe(false);
        expect(status?.message).toContain("REVOKED scripts/run.sh: ");
        expect(status?.message).toContain("by SkillRevocationList replicas-revoked: SEC-1");
      }
    }, patience);
    await remove(ownPath("skillrevocationlists", "replicas-revoked"));
    await vi.waitFor(allAllowed, patience);
  });
});
