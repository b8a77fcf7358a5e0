import { generationOf, nameOf, uidOf, type KubernetesObject } from "../../kubernetes/object.ts";
import { writerOf, type Writer } from "../../kubernetes/writer.ts";
import { defined } from "../../text/fields.ts";
import { sameJson } from "../../text/same-json.ts";
import type { Policy } from "../policy.ts";
import { ownKinds, ownResources, type OwnKind, type PolicyObjects } from "../resource/kinds.ts";
import { governedNamespaces, passage, type Namespaces, type Passage } from "./namespace-change.ts";
import { specChanges } from "./spec-changes.ts";

/** `weakened`: changed so that less is demanded, as by mode Audit after Enforce. */
export const resourceChangeWords = ["created", "changed", "weakened", "deleted"] as const;
export type ResourceChangeWord = (typeof resourceChangeWords)[number];

/** One policy, trust root or revocation list that came, went or is another. */
export interface ResourceChange {
  readonly kind: OwnKind;
  readonly name: string;
  readonly uid: string;
  readonly change: ResourceChangeWord;
  readonly before?: number;
  /** Generation; absent where there is none any more, or in files. */
  readonly after?: number;
  /** What is another, in words. */
  readonly what: readonly string[];
  /** Namespaces that come under a policy by it, and that leave it. */
  readonly namespaces: Passage;
  /** Client that wrote it last; absent of a deletion, which leaves no trace in the object. */
  readonly writer?: Writer;
}

/** Policies, trust roots and revocation lists, as they are in force together. */
export interface InForce {
  readonly objects: PolicyObjects;
  readonly policies: readonly Policy[];
  /** Version of the trust. */
  readonly trust: string;
}

/** What happened between two moments. */
export interface PolicyChanges {
  readonly resources: readonly ResourceChange[];
  /** The trust's version before and after; absent: it is the same. */
  readonly trust?: { readonly before: string; readonly after: string };
}

type Versions = readonly [KubernetesObject | undefined, KubernetesObject | undefined];

const same = (before: KubernetesObject, after: KubernetesObject): boolean =>
  uidOf(before) === uidOf(after) && sameJson(before["spec"], after["spec"]);

/** Old and new version of each object that is another: two for one that was deleted and made anew. */
function pairs(before: readonly KubernetesObject[], after: readonly KubernetesObject[]): readonly Versions[] {
  const left = new Map(before.map((object) => [nameOf(object), object]));
  const changed = after.flatMap((object): readonly Versions[] => {
    const old = left.get(nameOf(object));
    left.delete(nameOf(object));
    if (old === undefined) return [[undefined, object]];
    if (same(old, object)) return [];
    return uidOf(old) === uidOf(object)
      ? [[old, object]]
      : [
          [old, undefined],
          [undefined, object],
        ];
  });
  return [...changed, ...[...left.values()].map((object): Versions => [object, undefined])];
}

/** `spec` with its defaults, which decide too; as it is where it cannot be read. */
function specOf(kind: OwnKind, { spec }: KubernetesObject): unknown {
  const parsed = ownResources[kind].spec.safeParse(spec);
  return parsed.success ? parsed.data : spec;
}

function wordOf([old, present]: Versions, isWeaker: boolean): ResourceChangeWord {
  if (old === undefined) return "created";
  if (present === undefined) return "deleted";
  return isWeaker ? "weakened" : "changed";
}

/** What happened between two moments; undefined: nothing that decides. */
export function changesBetween(
  before: InForce,
  after: InForce,
  namespaces: Namespaces,
): PolicyChanges | undefined {
  const resources = resourceChanges(before, after, namespaces);
  if (before.trust !== after.trust) return { resources, trust: { before: before.trust, after: after.trust } };
  return resources.length === 0 ? undefined : { resources };
}

/** Policies, trust roots and revocation lists that are others, in the order of kinds. */
function resourceChanges(before: InForce, after: InForce, namespaces: Namespaces): readonly ResourceChange[] {
  const policyIn = ({ policies }: InForce, object: KubernetesObject | undefined): Policy | undefined =>
    object === undefined ? undefined : policies.find(({ name }) => name === nameOf(object));
  return ownKinds.flatMap((kind) =>
    pairs(before.objects[kind], after.objects[kind]).map((versions): ResourceChange => {
      const [old, present] = versions;
      const object = present ?? old ?? {};
      const isEdit = old !== undefined && present !== undefined;
      const { words, isWeaker } = specChanges(
        isEdit ? specOf(kind, old) : undefined,
        isEdit ? specOf(kind, present) : undefined,
        kind === "SkillRevocationList",
      );
      const governs = (moment: InForce, version: KubernetesObject | undefined): readonly string[] =>
        kind === "ClusterSkillPolicy" ? governedNamespaces(policyIn(moment, version), namespaces) : [];
      return {
        kind,
        name: nameOf(object),
        uid: uidOf(object),
        change: wordOf(versions, isWeaker),
        ...defined({
          before: old && generationOf(old),
          after: present && generationOf(present),
          writer: present && writerOf(present),
        }),
        what: words,
        namespaces: passage(governs(before, old), governs(after, present)),
      };
    }),
  );
}
