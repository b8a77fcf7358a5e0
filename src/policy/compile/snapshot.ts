import type { TrustMaterial } from "../../signature/trust-material.ts";
import type { KeyRegistry } from "../../signature/vett/registry.ts";
import type { SigstoreRoot } from "../../signature/sigstore/root/sigstore-root.ts";
import type { TrustAnchor, TrustedCrl } from "../../signature/x509/x509-trust.ts";
import type { TrustedKey } from "../../signature/trusted-key.ts";
import { selectorMatches, type LabelSelector } from "../../kubernetes/label-selector.ts";
import { generationOf, type KubernetesObject } from "../../kubernetes/object.ts";
import { defined } from "../../text/fields.ts";
import { alwaysLists } from "./always-lists.ts";
import { invalidPolicy } from "./invalid-policy.ts";
import { compilePolicy, type CompiledPolicy, type Surroundings } from "./policy.ts";
import { assertCrls, unavailableCrlsOf, type UnavailableCrls } from "../trust/unavailable-crls.ts";
import { PolicyError } from "../policy-error.ts";
import type { Policy, PolicySnapshot } from "../policy.ts";
import { nameOf } from "../resource/schema/name.ts";
import { readRevocationLists } from "../trust/read-revocation-lists.ts";
import { problemOf, type Note, type ResourceProblem } from "../resource/problem.ts";
import type { OwnKind, PolicyObjects } from "../resource/kinds.ts";
import { parseResource, type ReadResource } from "../resource/parse.ts";
import { cardRule } from "../rules/card.ts";
import {
  expiriesOfAnchors,
  expiriesOfLists,
  expiriesOfRoot,
  expiriesOfTolerance,
  type TrustExpiry,
} from "../trust/expiry.ts";
import { referencesOf, type NamedReference, type TrustReferenceResolver } from "../trust/reference.ts";
import type { RevocationLists } from "../trust/revocations.ts";
import { unusedKeys } from "../trust/unused-keys.ts";
import {
  resolveTrustRoot,
  trustMaterial,
  type ResolvedTrustRoot,
  type TrustNote,
  type TrustRoots,
} from "../trust/trust-root.ts";

/** A snapshot with the problems of its resources. A resource without a problem is ready. */
export interface CompiledSnapshot extends PolicySnapshot {
  readonly problems: readonly ResourceProblem[];
  /** Expiry of each trusted entry; entries without one are left out. */
  readonly expiries: readonly TrustExpiry[];
  readonly trustNotes: readonly TrustNote[];
  readonly lists: RevocationLists;
  /** References of all trust roots, unusable ones included. */
  readonly references: readonly NamedReference[];
}

function resolveTrustRoots(
  objects: readonly KubernetesObject[],
  { read, resolve }: { readonly read: ReadResource; readonly resolve: TrustReferenceResolver | undefined },
  note: Note,
): { readonly roots: TrustRoots; readonly references: readonly NamedReference[] } {
  const references: NamedReference[] = [];
  const roots = new Map<string, ResolvedTrustRoot | "unusable">();
  for (const object of objects) {
    const name = nameOf(object) ?? "";
    try {
      if (roots.has(name)) {
        throw new PolicyError(
          "Duplicate",
          `another SkillTrustRoot has the name ${name}; rename or remove one`,
        );
      }
      const parsed = read("SkillTrustRoot", object);
      references.push(...referencesOf(parsed.name, parsed.spec.sigstore));
      roots.set(name, resolveTrustRoot(parsed.name, parsed.spec, resolve));
    } catch (error) {
      note(problemOf("SkillTrustRoot", object, error));
      roots.set(name, "unusable");
    }
  }
  return { roots, references };
}

/** The policy with the version of it that this is, for records. */
const versioned = (policy: Policy, object: KubernetesObject): Policy => ({
  ...policy,
  ...defined({ generation: generationOf(object) }),
});

function compileOne(
  object: KubernetesObject,
  index: number,
  {
    unavailableCrls,
    read,
    ...surroundings
  }: Pick<Surroundings, "roots" | "lists"> & {
    readonly unavailableCrls: UnavailableCrls;
    readonly read: ReadResource;
  },
  note: Note,
): CompiledPolicy {
  try {
    const compiled = compilePolicy(read("ClusterSkillPolicy", object), {
      ...surroundings,
      compileCard: cardRule,
    });
    assertCrls(compiled.policy, unavailableCrls);
    return { ...compiled, policy: versioned(compiled.policy, object) };
  } catch (error) {
    const problem = problemOf("ClusterSkillPolicy", object, error);
    note(problem);
    const policy = invalidPolicy(object, index, problem.message);
    return { policy: versioned(policy, object), anchors: [], keys: [] };
  }
}

/** Two policies of one name both apply, which is never weaker, but reports could not tell them apart. */
function noteDuplicates(policies: readonly KubernetesObject[], note: Note): void {
  const seen = new Set<string>();
  for (const object of policies) {
    const name = nameOf(object);
    if (name !== undefined && seen.has(name)) {
      const message = `another ClusterSkillPolicy has the name ${name}; both apply; rename or remove one`;
      note({ kind: "ClusterSkillPolicy", name, reason: "Duplicate", message });
    }
    if (name !== undefined) seen.add(name);
  }
}

/** Inputs of a compilation besides the objects. */
export interface CompileOptions {
  /** Trust of the previous snapshot; reused, the same object, if no trust has changed. */
  readonly previous?: TrustMaterial | undefined;
  /** Resolves references of trust roots; without it none resolves, and trust roots with references are unusable. */
  readonly resolve?: TrustReferenceResolver | undefined;
  /** No policy applies to other namespaces; absent: policies alone say where. */
  readonly within?: LabelSelector | undefined;
  /** Why nothing of a kind can be trusted to be whole; undefined where it can. */
  readonly behind?: (kind: OwnKind) => string | undefined;
}

const boundTo = (within: LabelSelector | undefined, policy: Policy): Policy =>
  within === undefined
    ? policy
    : {
        ...policy,
        appliesTo: (namespace, labels) =>
          selectorMatches(within, labels) && policy.appliesTo(namespace, labels),
      };

/** Refuses everything of a kind whose served schema is too old: a field that is absent may have been written. */
const readingUnless =
  (behind: CompileOptions["behind"]): ReadResource =>
  (kind, object) => {
    const why = behind?.(kind);
    if (why !== undefined) throw new PolicyError("SchemaTooOld", why);
    return parseResource(kind, object);
  };

/**
 * Compiles all policies, trust roots and revocation lists into a snapshot for reviews. Never throws because of a
 * resource and never leaves a policy out: an unusable one becomes a policy that denies, see `invalidPolicy`.
 */
export function compileSnapshot(
  objects: PolicyObjects,
  { previous, resolve, behind, within }: CompileOptions = {},
): CompiledSnapshot {
  const policies = objects.ClusterSkillPolicy;
  const trustRoots = objects.SkillTrustRoot;
  const problems: ResourceProblem[] = [];
  const note: Note = (problem) => problems.push(problem);
  const read = readingUnless(behind);
  const { roots, references } = resolveTrustRoots(trustRoots, { read, resolve }, note);
  const lists = readRevocationLists(objects.SkillRevocationList, read, note);
  const surroundings = { roots, lists, read, unavailableCrls: unavailableCrlsOf(trustRoots, roots) };
  const compiled = policies.map((object, index) => compileOne(object, index, surroundings, note));
  noteDuplicates(policies, note);
  const anchors: TrustAnchor[] = compiled.flatMap((policy) => policy.anchors);
  const crls: TrustedCrl[] = [];
  const sigstore: SigstoreRoot[] = [];
  const registries: KeyRegistry[] = [];
  const keys: TrustedKey[] = compiled.flatMap((policy) => policy.keys);
  const expiries = [
    ...expiriesOfAnchors(anchors),
    ...expiriesOfTolerance(compiled.map(({ policy }) => policy)),
  ];
  const trustNotes: TrustNote[] = [];
  for (const [name, root] of roots) {
    if (root === "unusable") continue;
    trustNotes.push(...root.notes.map((message) => ({ name, message })));
    expiries.push(...expiriesOfRoot(root));
    anchors.push(...root.anchors);
    crls.push(...root.crls);
    keys.push(...root.keys.values());
    sigstore.push(...root.sigstore);
    registries.push(...root.registries.values());
  }
  const trust = trustMaterial({ anchors, crls, keys, sigstore, registries }, previous);
  return {
    policies: [...alwaysLists(lists.read), ...compiled.map(({ policy }) => policy)].map((policy) =>
      boundTo(within, policy),
    ),
    trust,
    problems,
    expiries: [...expiries, ...expiriesOfLists(trust.crls ?? [])],
    trustNotes: [...trustNotes, ...unusedKeys(roots, trust)],
    lists,
    references,
  };
}
