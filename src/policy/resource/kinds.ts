import type { z } from "zod";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { clusterSkillPolicySpec } from "./cluster-skill-policy.ts";
import { skillRevocationListSpec } from "./skill-revocation-list.ts";
import { skillTrustRootSpec } from "./skill-trust-root.ts";
import { clusterSkillPolicyStatus, skillRevocationListStatus, skillTrustRootStatus } from "./status.ts";

/** API group of the custom resources. */
export const group = "skill-admission.dev";
export const version = "v1alpha1";
export const apiVersion = `${group}/${version}`;

/** One custom resource of this API group. */
interface OwnResource {
  /** Plural name in API paths and ClusterRole rules. */
  readonly plural: string;
  readonly shortName: string;
  readonly scope: "Cluster" | "Namespaced";
  readonly spec: z.ZodType;
  /** Written by the controller, never read by it. */
  readonly status: z.ZodType;
}

/**
 * All custom resources by kind. Watches, compilation, status, the command line, CRDs and reference pages derive
 * from this table; a test checks the chart's ClusterRole against it.
 */
export const ownResources = {
  ClusterSkillPolicy: {
    plural: "clusterskillpolicies",
    shortName: "cskp",
    scope: "Cluster",
    spec: clusterSkillPolicySpec,
    status: clusterSkillPolicyStatus,
  },
  SkillTrustRoot: {
    plural: "skilltrustroots",
    shortName: "sktr",
    scope: "Cluster",
    spec: skillTrustRootSpec,
    status: skillTrustRootStatus,
  },
  SkillRevocationList: {
    plural: "skillrevocationlists",
    shortName: "skrl",
    scope: "Cluster",
    spec: skillRevocationListSpec,
    status: skillRevocationListStatus,
  },
} as const satisfies Readonly<Record<string, OwnResource>>;

export type OwnKind = keyof typeof ownResources;
export type OwnPlural = (typeof ownResources)[OwnKind]["plural"];
/** `spec` of a kind, with defaults filled in. */
export type SpecOf<K extends OwnKind> = z.output<(typeof ownResources)[K]["spec"]>;

export const ownKinds = Object.keys(ownResources) as readonly OwnKind[];

export const isOwnKind = (kind: unknown): kind is OwnKind =>
  typeof kind === "string" && Object.hasOwn(ownResources, kind);

export const scopeOf = (kind: OwnKind): OwnResource["scope"] => ownResources[kind].scope;

/** Makes one value for each kind. */
export const forEachKind = <T>(valueOf: (kind: OwnKind) => T): Readonly<Record<OwnKind, T>> =>
  Object.fromEntries(ownKinds.map((kind) => [kind, valueOf(kind)])) as Record<OwnKind, T>;

/** All objects of each kind as received: the input of a compilation. */
export type PolicyObjects = Readonly<Record<OwnKind, readonly KubernetesObject[]>>;

/** API path of all objects of a kind. */
export const collectionPath = (kind: OwnKind): string => `/apis/${apiVersion}/${ownResources[kind].plural}`;

/**
 * True if a kind is by Kubernetes' naming rule a list of other objects: `List`, `ConfigMapList`.
 * SkillRevocationList is none: opened as a list it would be empty and revoke nothing.
 */
export const isListKind = (kind: string): boolean => kind.endsWith("List") && !isOwnKind(kind);
