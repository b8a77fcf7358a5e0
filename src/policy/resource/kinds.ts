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

/** A custom resource of ours. */
interface OwnResource {
  /** As paths of the API server have it, and the rules of a ClusterRole. */
  readonly plural: string;
  readonly shortName: string;
  readonly scope: "Cluster" | "Namespaced";
  readonly spec: z.ZodType;
  /** Written by the controller, never read by it. */
  readonly status: z.ZodType;
}

/**
 * Every custom resource of ours by its kind: watching, compiling, status, the command line, CRDs and their pages go through this
 * table, and a test holds the chart's ClusterRole against it.
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
/** `spec` of a kind, defaults filled in. */
export type SpecOf<K extends OwnKind> = z.output<(typeof ownResources)[K]["spec"]>;

export const ownKinds = Object.keys(ownResources) as readonly OwnKind[];

export const isOwnKind = (kind: unknown): kind is OwnKind =>
  typeof kind === "string" && Object.hasOwn(ownResources, kind);

export const scopeOf = (kind: OwnKind): OwnResource["scope"] => ownResources[kind].scope;

/** One value for each kind. */
export const forEachKind = <T>(valueOf: (kind: OwnKind) => T): Readonly<Record<OwnKind, T>> =>
  Object.fromEntries(ownKinds.map((kind) => [kind, valueOf(kind)])) as Record<OwnKind, T>;

/** Every object of each kind, as it came: what policies are compiled from. */
export type PolicyObjects = Readonly<Record<OwnKind, readonly KubernetesObject[]>>;

/** The API server's path of all objects of a kind. */
export const collectionPath = (kind: OwnKind): string => `/apis/${apiVersion}/${ownResources[kind].plural}`;

/**
 * Is this, by Kubernetes' rule for names, the kind of a list of other objects: `List`, `ConfigMapList`. A revocation list that
 * was taken for one would be opened, found empty, and revoke nothing.
 */
export const isListKind = (kind: string): boolean => kind.endsWith("List") && !isOwnKind(kind);
