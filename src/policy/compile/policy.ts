import type { TrustAnchor } from "../../signature/x509/x509-trust.ts";
import type { TrustedKey } from "../../signature/trusted-key.ts";
import { podSourceKinds } from "../../skill/reference.ts";
import { PolicyError } from "../policy-error.ts";
import type { Policy } from "../policy.ts";
import { memoizeByObject } from "../../text/memoize-by-object.ts";
import type { CardSection } from "../resource/card-section.ts";
import type { ClusterSkillPolicySpec } from "../resource/cluster-skill-policy.ts";
import { resolvePublisher, type ResolvedPublisher } from "./publisher.ts";
import { millisecondsOf } from "../resource/schema/duration.ts";
import { assertLists, ownRevocations, type RevocationLists } from "../trust/revocations.ts";
import { revocationFindings } from "../rules/revocation.ts";
import { labelsReadBy, selectorMatches } from "../../kubernetes/label-selector.ts";
import { unverifiableBy } from "./unverifiable.ts";
import type { TrustRoots } from "../trust/trust-root.ts";

/** A policy with its own trust: PEM in its publishers. */
export interface CompiledPolicy {
  readonly policy: Policy;
  readonly anchors: readonly TrustAnchor[];
  readonly keys: readonly TrustedKey[];
}

const freshnessOf = (section: ClusterSkillPolicySpec["freshness"]): Pick<Policy, "freshness"> =>
  section === undefined
    ? {}
    : {
        freshness: {
          maxSignatureAge: millisecondsOf(section.maxSignatureAge),
          written: section.maxSignatureAge,
        },
      };

const closedOf = (section: ClusterSkillPolicySpec["closed"]): Pick<Policy, "closed"> =>
  section === undefined
    ? {}
    : {
        closed: {
          labels: labelsReadBy(section.podSelector),
          selects: (labels) => selectorMatches(section.podSelector, labels),
          data: section.data,
        },
      };

/** Compiles the `card` section of a policy into a rule. */
export type CompileCard = (section: CardSection | undefined) => Policy["card"];

/** Other resources that a policy is compiled with. */
export interface Surroundings {
  readonly roots: TrustRoots;
  readonly lists: RevocationLists;
  readonly compileCard: CompileCard;
}

/**
 * Resolves every publisher: a newcomer learns in one run of all that is missing.
 * @throws PolicyError with all faults, by the code of the first
 */
function resolvePublishers(
  name: string,
  entries: ClusterSkillPolicySpec["publishers"],
  roots: TrustRoots,
): readonly ResolvedPublisher[] {
  const faults: PolicyError[] = [];
  const resolved = entries.flatMap((entry, index) => {
    try {
      return [resolvePublisher(name, entry, index, roots)];
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      faults.push(error);
      return [];
    }
  });
  const [first, ...others] = faults;
  if (first === undefined) return resolved;
  if (others.length === 0) throw first;
  throw new PolicyError(first.code, faults.map(({ message }) => message).join("; "), { cause: first });
}

/**
 * Resolves a parsed policy against the trust roots and revocation lists.
 * @throws PolicyError if a publisher, list or licence cannot be used
 */
export function compilePolicy(
  { name, spec }: { readonly name: string; readonly spec: ClusterSkillPolicySpec },
  { roots, lists, compileCard }: Surroundings,
): CompiledPolicy {
  assertLists(spec, lists);
  const publishers = resolvePublishers(name, spec.publishers, roots);
  const { action, until } = spec.unsigned;
  const revocations = [lists.index, ownRevocations(spec.revocation?.digests)];
  return {
    policy: {
      name,
      tenant: spec.tenant ?? name,
      mode: spec.mode,
      controllers: spec.controllers,
      appliesTo: (_namespace, labels) => selectorMatches(spec.namespaceSelector, labels),
      namespaceSelector: spec.namespaceSelector ?? {},
      skillRoots: spec.skillRoots ?? [],
      skills: (spec.skills ?? []).map(({ names, sources }) => ({
        names,
        sources: sources ?? podSourceKinds,
      })),
      noMatch: spec.noMatch,
      otherSignatures: spec.otherSignatures,
      publishers: publishers.map(({ publisher }) => publisher),
      minimum: spec.evidence ?? {},
      card: memoizeByObject(compileCard(spec.card)),
      ...freshnessOf(spec.freshness),
      revoked: (skill, evidence) => revocationFindings(revocations, skill, evidence),
      immutability: {
        configMap: spec.immutability.configMap === "Required",
        readOnlyMount: spec.immutability.readOnlyMount === "Required",
        readOnlyRootFilesystem: spec.immutability.readOnlyRootFilesystem === "Required",
        privateProcesses: spec.immutability.processNamespace === "Private",
      },
      ...closedOf(spec.closed),
      recheck: spec.recheck,
      unverifiable: unverifiableBy(spec.unverifiable),
      unsigned: { action, ...(until === undefined ? {} : { until: Date.parse(until) }) },
    },
    anchors: publishers.flatMap(({ anchors }) => anchors),
    keys: publishers.flatMap(({ keys }) => keys),
  };
}
