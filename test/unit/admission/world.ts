import { randomUUID } from "node:crypto";
import type { ClusterView } from "../../../src/evaluation/cluster-view.ts";
import { handle, type ReviewAnswer, type HandleDeps } from "../../../src/admission/handle.ts";
import { LoopTurns } from "../../../src/evaluation/loop-turns.ts";
import { ReadBudget } from "../../../src/evaluation/read-budget.ts";
import { RememberedWalks } from "../../../src/evaluation/remembered-walks.ts";
import { EvidenceCache, type CacheResult } from "../../../src/evidence/evidence-cache.ts";
import { compileObjects } from "../../fixtures/compile.ts";
import type { PolicySnapshot } from "../../../src/policy/policy.ts";
import { SourceError } from "../../../src/skill/source-error.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { objectNames } from "../../../src/workload/pod/mounted-objects.ts";
import { podOf } from "../../../src/workload/carriers/pod-of.ts";
import { decodeVolumeObject, volumeObjectKey } from "../../../src/kubernetes/volume-object.ts";
import { signedSkill, withFiles } from "../../fixtures/signed-skill.ts";
import { clusterSkillPolicy } from "../../fixtures/resources.ts";

export const namespace = "payments";
export const now = Date.parse("2026-10-01T00:00:00Z");
export const published = signedSkill();
export const publicKeyPem = published.trust.keys[0]!.key.export({ type: "spki", format: "pem" }) as string;

type Spec = Readonly<Record<string, unknown>>;

export const policyObject = (spec: Spec = {}, name = "payments"): KubernetesObject =>
  clusterSkillPolicy(name, {
    namespaceSelector: { matchLabels: { tenant: "payments" } },
    publishers: [{ name: "team", publicKey: { pem: publicKeyPem } }],
    ...spec,
  });

/** A ConfigMap with a skill under numbered keys, and the `items` that rebuild its tree. */
export function configMapOf(
  skill: Skill,
  name = "skills-etl",
): { object: KubernetesObject; items: readonly Spec[] } {
  const paths = [...skill.files.keys()].sort();
  const binaryData = Object.fromEntries(
    paths.map((path, index) => [`f${index}`, Buffer.from(skill.files.get(path)!.bytes).toString("base64")]),
  );
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, binaryData };
  return { object, items: paths.map((path, index) => ({ key: `f${index}`, path })) };
}

/** A pod that mounts such a ConfigMap as `/skills/data-designer`. */
export const podFor = (items: readonly Spec[], name = "etl"): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace },
  spec: {
    volumes: [{ name: "skill", configMap: { name: "skills-etl", items } }],
    containers: [
      {
        name: "agent",
        image: "agent",
        volumeMounts: [{ name: "skill", mountPath: "/skills/data-designer" }],
      },
    ],
  },
});

/** An in-memory cluster that implements the ports and counts calls. */
export class World {
  policies: readonly KubernetesObject[] = [policyObject()];
  revocationLists: readonly KubernetesObject[] = [];
  readonly namespaces = new Map<string, Readonly<Record<string, string>>>([
    [namespace, { tenant: "payments" }],
    ["other", {}],
  ]);
  readonly configMaps = new Map<string, KubernetesObject>();
  running: readonly KubernetesObject[] = [];
  /** Pods as a consistent read shows them, by name. */
  readonly stored = new Map<string, KubernetesObject>();
  readonly reads: string[] = [];
  readonly cache: CacheResult[] = [];
  verifications = 0;
  /** Replaces the answer to a read. */
  readInstead: (() => Promise<never>) | undefined;
  #snapshot: PolicySnapshot | undefined;

  readonly readBudget = new ReadBudget();
  readonly walks = new RememberedWalks();
  readonly evidence = new EvidenceCache({ onResult: (result) => this.cache.push(result) });

  readonly view: ClusterView = {
    namespaceLabels: (name) => {
      const labels = this.namespaces.get(name);
      return labels === undefined
        ? Promise.reject(new SourceError("SOURCE_UNAVAILABLE", `there is no Namespace ${name}`))
        : Promise.resolve(labels);
    },
    storedPod: (_namespace, name) => Promise.resolve(this.stored.get(name)),
    podsUsing: (ref) =>
      this.running
        .map((object) => podOf(object, namespace)!)
        .filter((pod) =>
          objectNames(pod).some(
            (one) => volumeObjectKey(one) === volumeObjectKey(ref) && one.namespace === ref.namespace,
          ),
        ),
  };

  get snapshot(): PolicySnapshot {
    return (this.#snapshot ??= compileObjects(this.policies, [], { revocationLists: this.revocationLists }));
  }

  get deps(): HandleDeps {
    return {
      cluster: this.view,
      policies: { current: () => this.snapshot },
      source: {
        read: async (ref) => {
          this.reads.push(ref.name);
          if (this.readInstead !== undefined) return this.readInstead();
          const object = this.configMaps.get(ref.name);
          return Promise.resolve(object === undefined ? undefined : decodeVolumeObject(object, ref));
        },
      },
      evidence: this.evidence,
      walks: this.walks,
      measure: (_skill, work) => {
        this.verifications += 1;
        return work();
      },
      workSignal: () => AbortSignal.timeout(30_000),
      reads: this.readBudget,
      turns: new LoopTurns(),
    };
  }

  withPolicies(...policies: readonly KubernetesObject[]): this {
    this.policies = policies;
    this.#snapshot = undefined;
    return this;
  }

  /** Stores a skill in the ConfigMap and returns a pod that mounts it. */
  carry(skill: Skill): KubernetesObject {
    const { object, items } = configMapOf(skill);
    this.configMaps.set("skills-etl", object);
    return podFor(items);
  }

  review(
    object: KubernetesObject | null,
    request: Spec = {},
    deadline: AbortSignal = new AbortController().signal,
  ): Promise<ReviewAnswer> {
    const kind = object?.kind ?? "Pod";
    const plural = typeof kind === "string" ? `${kind.toLowerCase()}s` : "pods";
    const body = {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: {
        uid: randomUUID(),
        kind: { group: "", version: "v1", kind },
        resource: { group: "", version: "v1", resource: plural },
        namespace,
        name: (object?.metadata as Spec | undefined)?.["name"] ?? "",
        operation: "CREATE",
        userInfo: { username: "ada" },
        object,
        ...request,
      },
    };
    return handle(Buffer.from(JSON.stringify(body)), this.deps, deadline, now);
  }
}

export const changed = withFiles(published.skill, { "scripts/run.sh": "#!/bin/sh\nrm -rf /\n" });

/** The message of a denial; undefined for an allowed review. */
export function denial({ body }: ReviewAnswer): string | undefined {
  const { response } = JSON.parse(body) as {
    response: { allowed: boolean; status?: { message: string } };
  };
  return response.allowed ? undefined : response.status?.message;
}
