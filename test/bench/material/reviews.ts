import { randomUUID } from "node:crypto";
import { packConfigMaps, type ConfigMapManifest } from "../../../src/cli/package/config-maps.ts";
import { podVolume } from "../../../src/cli/package/pod-volume.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { tokenMount, tokenVolume } from "../../fixtures/pods.ts";
import { serialMark } from "../load/job.ts";
import { clusterSkillPolicy } from "../../fixtures/resources.ts";

export const governed = "payments";

/** A skill as `package` puts it into a cluster. */
export interface Packed {
  readonly configMaps: readonly ConfigMapManifest[];
  readonly volume: object;
  readonly mount: object;
}

export function pack(skill: Skill, namespace = governed): Packed {
  const packed = packConfigMaps(skill, { name: skill.name, namespace });
  return {
    configMaps: packed.map(({ manifest }) => manifest),
    ...podVolume(packed, skill.name, `/skills/${skill.name}`),
  };
}

/** A pod as the API server shows it to webhooks: with its defaults, an account's token and its managed fields. */
export function podOf(name: string, skills: readonly Packed[], namespace = governed): object {
  return podLike({ name, skills, namespace });
}

/** A template's pods, of which every sending makes another: with a name, and a name of its token's volume, of its own. */
export const podsOf = (name: string, skills: readonly Packed[]): object =>
  podLike({
    name: `${name}-${serialMark}`,
    skills,
    namespace: governed,
    token: `kube-api-access-${serialMark}`,
  });

/** The same, but each sending is of a template of its own, too. */
export const templatesOf = (name: string, skills: readonly Packed[]): object =>
  podLike({
    name: `${name}-${serialMark}`,
    skills,
    namespace: governed,
    token: `kube-api-access-${serialMark}`,
    tag: serialMark,
  });

interface PodParts {
  readonly name: string;
  readonly skills: readonly Packed[];
  readonly namespace: string;
  /** Name of the token's volume. */
  readonly token?: string;
  /** Of the image, and value of a variable. */
  readonly tag?: string;
}

function podLike({ name, skills, namespace, token, tag = "1.4.2" }: PodParts): object {
  const labels = { app: "agent", "pod-template-hash": "5d8f7c9b64", tenant: governed };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      uid: randomUUID(),
      creationTimestamp: "2026-11-01T08:00:00Z",
      labels,
      annotations: { "kubectl.kubernetes.io/restartedAt": "2026-11-01T07:59:00Z" },
      managedFields: [
        {
          manager: "kubectl-create",
          operation: "Update",
          apiVersion: "v1",
          time: "2026-11-01T08:00:00Z",
          fieldsType: "FieldsV1",
          fieldsV1: {
            "f:metadata": { "f:labels": { ".": {}, "f:app": {}, "f:pod-template-hash": {}, "f:tenant": {} } },
            "f:spec": {
              "f:containers": {
                'k:{"name":"agent"}': { ".": {}, "f:image": {}, "f:name": {}, "f:resources": {} },
              },
              "f:dnsPolicy": {},
              "f:restartPolicy": {},
            },
          },
        },
      ],
    },
    spec: {
      volumes: [tokenVolume(token), ...skills.map(({ volume }) => volume)],
      containers: [
        {
          name: "agent",
          image: `registry.example/agents/agent:${tag}`,
          ports: [{ containerPort: 8080, protocol: "TCP" }],
          env: [
            { name: "LOG_LEVEL", value: "info" },
            { name: "VERSION", value: tag },
          ],
          resources: { limits: { cpu: "1", memory: "512Mi" }, requests: { cpu: "100m", memory: "128Mi" } },
          volumeMounts: [tokenMount(token), ...skills.map(({ mount }) => mount)],
          terminationMessagePath: "/dev/termination-log",
          terminationMessagePolicy: "File",
          imagePullPolicy: "IfNotPresent",
        },
      ],
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      serviceAccountName: "default",
      serviceAccount: "default",
      securityContext: {},
      schedulerName: "default-scheduler",
      tolerations: ["not-ready", "unreachable"].map((taint) => ({
        key: `node.kubernetes.io/${taint}`,
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 300,
      })),
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: "PreemptLowerPriority",
    },
    status: { phase: "Pending", qosClass: "Burstable" },
  };
}

interface Named {
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** An AdmissionReview of a new object, as one line of JSON. */
function review(resource: "pods" | "configmaps", object: object): string {
  const kind = { group: "", version: "v1", kind: resource === "pods" ? "Pod" : "ConfigMap" };
  const target = { group: "", version: "v1", resource };
  const { name, namespace = governed } = (object as Named).metadata;
  return JSON.stringify({
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: randomUUID(),
      kind,
      resource: target,
      requestKind: kind,
      requestResource: target,
      name,
      namespace,
      operation: "CREATE",
      userInfo: {
        username: "system:serviceaccount:kube-system:replicaset-controller",
        uid: randomUUID(),
        groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
      },
      object,
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
    },
  });
}

export const podReview = (pod: object): string => review("pods", pod);

/** A ConfigMap that is created anew, as the API server asks about it while a pod still mounts the deleted one. */
export const configMapCreation = (object: object): string => review("configmaps", object);

/** The same for an update of a ConfigMap, which is only tried: nothing is remembered of it. */
export function configMapUpdate(oldObject: object, object: object): string {
  const { request, ...rest } = JSON.parse(review("configmaps", object)) as { readonly request: object };
  const options = { kind: "UpdateOptions", apiVersion: "meta.k8s.io/v1" };
  return JSON.stringify({
    ...rest,
    request: { ...request, operation: "UPDATE", oldObject, dryRun: true, options },
  });
}

/** Policy and namespace for reviews in the governed namespace; skills must be signed by this key. */
export const governance = (publicPem: string): readonly object[] => [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: governed, labels: { tenant: governed } } },
  clusterSkillPolicy(governed, {
    mode: "Enforce",
    namespaceSelector: { matchLabels: { tenant: governed } },
    publishers: [{ name: "platform-team", publicKey: { pem: publicPem } }],
    evidence: { integrity: "STRONG", authorship: "STRONG" },
    card: { required: true, fields: ["description", "owner", "license"], mitigationPerRisk: true },
  }),
];

export const list = (items: readonly object[]): string =>
  JSON.stringify({ apiVersion: "v1", kind: "List", items });
