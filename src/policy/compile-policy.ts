import { SignatureError } from "../signature/signature-error.ts";
import { identityPattern } from "../signature/sigstore/identity-pattern.ts";
import type { TrustAnchor, TrustedKey } from "../signature/trust-material.ts";
import { podSourceKinds, type SourceKind } from "../skill/reference.ts";
import { readAnchors, readKey } from "./pem.ts";
import { PolicyError } from "./policy-error.ts";
import type { Policy, Publisher, Response } from "./policy.ts";
import type { CardSection } from "./resource/card-section.ts";
import type { ClusterSkillPolicySpec } from "./resource/cluster-skill-policy.ts";
import type { PublisherSpec } from "./resource/publisher.ts";
import { assertLists, ownRevocations, type RevocationLists } from "./revocations.ts";
import { revocationFindings } from "./rules/revocation.ts";
import { selectorMatches } from "./selector.ts";
import type { ResolvedTrustRoot, TrustRoots } from "./trust.ts";
import { vettPublisher } from "./vett.ts";

/** A policy, with the trust that it brings itself: PEM in its publishers. */
export interface CompiledPolicy {
  readonly policy: Policy;
  readonly anchors: readonly TrustAnchor[];
  readonly keys: readonly TrustedKey[];
}

interface ResolvedPublisher {
  readonly publisher: Publisher;
  readonly anchors: readonly TrustAnchor[];
  readonly keys: readonly TrustedKey[];
}

function trustRoot(name: string, roots: TrustRoots, field: string): ResolvedTrustRoot {
  const root = roots.get(name);
  if (root === undefined) {
    throw new PolicyError(
      "TrustRootMissing",
      `${field}: there is no SkillTrustRoot ${name}; create it, or name another`,
    );
  }
  if (root === "unusable") {
    throw new PolicyError(
      "TrustRootMissing",
      `${field}: the SkillTrustRoot ${name} is not ready; see its status`,
    );
  }
  return root;
}

const fingerprints = (entries: readonly { readonly fingerprint: string }[]): readonly string[] => [
  ...new Set(entries.map(({ fingerprint }) => fingerprint)),
];

/** What is known of a publisher while its key material is read. */
interface Place {
  readonly name: string;
  /** Under which operators know its own certificates and keys; unlike any `trust-root/entry`. */
  readonly label: string;
  /** Where the material stands in the policy, for messages. */
  readonly field: string;
  readonly roots: TrustRoots;
}

function certificatePublisher(
  spec: NonNullable<PublisherSpec["certificate"]>,
  { name, label, roots, field }: Place,
): ResolvedPublisher {
  const own = spec.pem === undefined ? [] : readAnchors(spec.pem, label, `${field}.pem`);
  const anchors =
    spec.trustRootRef === undefined
      ? own
      : trustRoot(spec.trustRootRef.name, roots, `${field}.trustRootRef`).anchors;
  if (anchors.length === 0) {
    throw new PolicyError(
      "TrustRootMissing",
      `${field}.trustRootRef: that SkillTrustRoot holds no certificates`,
    );
  }
  const { commonName, organization, organizationalUnit, country } = spec.subject ?? {};
  const subject = Object.entries({
    CN: commonName,
    O: organization,
    OU: organizationalUnit,
    C: country,
  }).flatMap(([attribute, value]) => (value === undefined ? [] : [[attribute, value] as const]));
  return {
    publisher: {
      kind: "certificate",
      name,
      anchors: fingerprints(anchors),
      subject: Object.fromEntries(subject),
    },
    anchors: own,
    keys: [],
  };
}

function keyPublisher(
  spec: NonNullable<PublisherSpec["publicKey"]>,
  { name, label, roots, field }: Place,
): ResolvedPublisher {
  const own = spec.pem === undefined ? [] : [readKey(spec.pem, label, `${field}.pem`)];
  const keys =
    spec.trustRootRef === undefined ? own : rootKeys(spec.trustRootRef, roots, `${field}.trustRootRef`);
  return { publisher: { kind: "key", name, publicKeys: fingerprints(keys) }, anchors: [], keys: own };
}

function rootKeys(
  ref: { readonly name: string; readonly key?: string },
  roots: TrustRoots,
  field: string,
): readonly TrustedKey[] {
  const root = trustRoot(ref.name, roots, field);
  const named = ref.key === undefined ? root.keys.values().toArray() : [root.keys.get(ref.key)];
  const keys = named.filter((key) => key !== undefined);
  if (keys.length === 0) {
    const what = ref.key === undefined ? "no keys" : `no key ${ref.key}`;
    throw new PolicyError("TrustRootMissing", `${field}: the SkillTrustRoot ${ref.name} holds ${what}`);
  }
  return keys;
}

function identityTest(
  { identity, identityPattern: pattern }: NonNullable<PublisherSpec["keyless"]>,
  field: string,
): (identity: string) => boolean {
  if (pattern === undefined) return (other) => other === identity;
  try {
    return identityPattern(pattern);
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    throw new PolicyError("Invalid", `${field}.identityPattern: ${cause.message}`, { cause });
  }
}

function keylessPublisher(
  spec: NonNullable<PublisherSpec["keyless"]>,
  { name, roots, field }: Place,
): ResolvedPublisher {
  const { sigstore } = trustRoot(spec.trustRootRef.name, roots, `${field}.trustRootRef`);
  if (sigstore.length === 0) {
    throw new PolicyError(
      "TrustRootMissing",
      `${field}.trustRootRef: the SkillTrustRoot ${spec.trustRootRef.name} holds no Sigstore root`,
    );
  }
  const { issuer, claims = {} } = spec;
  const isIdentity = identityTest(spec, field);
  return {
    publisher: { kind: "keyless", name, roots: fingerprints(sigstore), issuer, isIdentity, claims },
    anchors: [],
    keys: [],
  };
}

function resolvePublisher(
  policy: string,
  spec: PublisherSpec,
  index: number,
  roots: TrustRoots,
): ResolvedPublisher {
  const field = `spec.publishers[${index}]`;
  const place = { name: spec.name, label: `ClusterSkillPolicy/${policy}/${spec.name}`, roots };
  if (spec.keyless !== undefined)
    return keylessPublisher(spec.keyless, { ...place, field: `${field}.keyless` });
  if (spec.vett !== undefined) {
    const { registries } = trustRoot(spec.vett.trustRootRef.name, roots, `${field}.vett.trustRootRef`);
    return {
      publisher: vettPublisher(spec.name, spec.vett, registries, `${field}.vett`),
      anchors: [],
      keys: [],
    };
  }
  return spec.certificate !== undefined
    ? certificatePublisher(spec.certificate, { ...place, field: `${field}.certificate` })
    : keyPublisher(spec.publicKey ?? {}, { ...place, field: `${field}.publicKey` });
}

function unverifiableBy(spec: ClusterSkillPolicySpec["unverifiable"]): (kind: SourceKind) => Response {
  const named = new Map(Object.entries(spec));
  return (kind) => (kind === "Directory" ? spec.default : (named.get(kind) ?? spec.default));
}

/** Turns what a policy demands of cards into a rule. */
export type CompileCard = (section: CardSection | undefined) => Policy["card"];

/** What a policy is held against when it is compiled. */
export interface Surroundings {
  readonly roots: TrustRoots;
  readonly lists: RevocationLists;
  readonly compileCard: CompileCard;
}

/**
 * Resolves a parsed policy against the trust roots and revocation lists.
 * @throws PolicyError where a publisher, list or licence cannot be used
 */
export function compilePolicy(
  { name, spec }: { readonly name: string; readonly spec: ClusterSkillPolicySpec },
  { roots, lists, compileCard }: Surroundings,
): CompiledPolicy {
  assertLists(spec, lists);
  const publishers = spec.publishers.map((entry, index) => resolvePublisher(name, entry, index, roots));
  const { action, until } = spec.unsigned;
  const revocations = [lists.index, ownRevocations(spec.revocation?.digests)];
  return {
    policy: {
      name,
      tenant: spec.tenant ?? name,
      mode: spec.mode,
      controllers: spec.controllers,
      governs: (_namespace, labels) => selectorMatches(spec.namespaceSelector, labels),
      skillRoots: spec.skillRoots ?? [],
      skills: (spec.skills ?? []).map(({ names, sources }) => ({
        names,
        sources: sources ?? podSourceKinds,
      })),
      noMatch: spec.noMatch,
      otherSignatures: spec.otherSignatures,
      publishers: publishers.map(({ publisher }) => publisher),
      minimum: spec.evidence ?? {},
      card: compileCard(spec.card),
      revoked: (skill, evidence) => revocationFindings(revocations, skill, evidence),
      immutability: {
        configMap: spec.immutability.configMap === "Required",
        readOnlyMount: spec.immutability.readOnlyMount === "Required",
      },
      unverifiable: unverifiableBy(spec.unverifiable),
      unsigned: { action, ...(until === undefined ? {} : { until: Date.parse(until) }) },
    },
    anchors: publishers.flatMap(({ anchors }) => anchors),
    keys: publishers.flatMap(({ keys }) => keys),
  };
}
