import { SignatureError } from "../../signature/signature-error.ts";
import { identityPattern } from "../../signature/sigstore/identity/pattern.ts";
import type { TrustAnchor } from "../../signature/x509/x509-trust.ts";
import type { TrustedKey } from "../../signature/trusted-key.ts";
import { policyPrefix } from "../trust/expiry.ts";
import { readAnchors, readTrustedKey } from "../trust/pem.ts";
import { PolicyError } from "../policy-error.ts";
import type { Publisher } from "../policy.ts";
import type { PublisherSpec } from "../resource/publisher.ts";
import { periodsOfPins } from "../trust/period.ts";
import type { ResolvedTrustRoot, TrustRoots } from "../trust/trust-root.ts";
import { vettPublisher } from "../trust/registry.ts";

/** A publisher, with the trust material of its own policy. */
export interface ResolvedPublisher {
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
      `${field}: the SkillTrustRoot ${name} is not ready; correct what is wrong with it`,
    );
  }
  return root;
}

const fingerprints = (entries: readonly { readonly fingerprint: string }[]): readonly string[] => [
  ...new Set(entries.map(({ fingerprint }) => fingerprint)),
];

/** Context for reading a publisher's key material. */
interface Place {
  readonly name: string;
  /** Name of its own certificates and keys in messages; differs from every `trust-root/entry`. */
  readonly label: string;
  /** Path of the material in the policy, for messages. */
  readonly field: string;
  readonly roots: TrustRoots;
}

function certificatePublisher(
  spec: NonNullable<PublisherSpec["certificate"]>,
  { name, label, roots, field }: Place,
): ResolvedPublisher {
  const own = spec.pem === undefined ? [] : readAnchors(spec.pem, label, `${field}.pem`);
  const root =
    spec.trustRootRef === undefined
      ? undefined
      : trustRoot(spec.trustRootRef.name, roots, `${field}.trustRootRef`);
  const anchors = root?.anchors ?? own;
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
      ...(root === undefined ? {} : { periods: periodsOfPins(anchors, root.periods.certificates) }),
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
  const own = spec.pem === undefined ? [] : [readTrustedKey(spec.pem, label, `${field}.pem`)];
  if (spec.trustRootRef === undefined)
    return { publisher: { kind: "key", name, publicKeys: fingerprints(own) }, anchors: [], keys: own };
  const root = trustRoot(spec.trustRootRef.name, roots, `${field}.trustRootRef`);
  const keys = rootKeys(spec.trustRootRef, root, `${field}.trustRootRef`);
  const periods = periodsOfPins(keys, root.periods.keys);
  return {
    publisher: { kind: "key", name, publicKeys: fingerprints(keys), periods },
    anchors: [],
    keys: own,
  };
}

function rootKeys(
  ref: { readonly name: string; readonly key?: string },
  root: ResolvedTrustRoot,
  field: string,
): readonly TrustedKey[] {
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
  const root = trustRoot(spec.trustRootRef.name, roots, `${field}.trustRootRef`);
  const { sigstore } = root;
  if (sigstore.length === 0) {
    throw new PolicyError(
      "TrustRootMissing",
      `${field}.trustRootRef: the SkillTrustRoot ${spec.trustRootRef.name} holds no Sigstore root`,
    );
  }
  const { issuer, claims = {} } = spec;
  const isIdentity = identityTest(spec, field);
  return {
    publisher: {
      kind: "keyless",
      name,
      roots: fingerprints(sigstore),
      periods: periodsOfPins(sigstore, root.periods.sigstore),
      issuer,
      isIdentity,
      claims,
    },
    anchors: [],
    keys: [],
  };
}

/**
 * Resolves a publisher of a policy against the trust roots.
 * @param policy name of the policy
 * @param index position in `spec.publishers`
 * @throws PolicyError
 */
export function resolvePublisher(
  policy: string,
  spec: PublisherSpec,
  index: number,
  roots: TrustRoots,
): ResolvedPublisher {
  const field = `spec.publishers[${index}]`;
  const place = { name: spec.name, label: `${policyPrefix(policy)}${spec.name}`, roots };
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
