import { sha256 } from "../../skill/digest.ts";
import type { TrustMaterial } from "../../signature/trust-material.ts";
import type { KeyRegistry } from "../../signature/vett/registry.ts";
import type { SigstoreRoot } from "../../signature/sigstore/root/sigstore-root.ts";
import type { TrustAnchor, TrustedCrl } from "../../signature/x509/x509-trust.ts";
import type { TrustedKey } from "../../signature/trusted-key.ts";
import { readAnchors, readCrl, readTrustedKey } from "./pem.ts";
import type { SkillTrustRootSpec } from "../resource/skill-trust-root.ts";
import { readSigstoreRoot, type ReadSigstoreRoot } from "./sigstore-root.ts";
import { periodsByName, type PeriodsByName } from "./period.ts";
import type { TrustReferenceResolver } from "./reference.ts";
import { readRegistries } from "./registry.ts";

/** A SkillTrustRoot with its certificates and keys read. */
export interface ResolvedTrustRoot {
  readonly anchors: readonly TrustAnchor[];
  readonly crls: readonly TrustedCrl[];
  /** By entry name. */
  readonly keys: ReadonlyMap<string, TrustedKey>;
  readonly sigstore: readonly SigstoreRoot[];
  /** By entry name. */
  readonly registries: ReadonlyMap<string, KeyRegistry>;
  /** Trust periods of the entries of each list. */
  readonly periods: Readonly<Record<"certificates" | "keys" | "sigstore", PeriodsByName>>;
  /** Warnings about a usable trust root, a sentence each. */
  readonly notes: readonly string[];
}

/** Trust roots by name, unusable ones included: policies tell them from missing ones. */
export type TrustRoots = ReadonlyMap<string, ResolvedTrustRoot | "unusable">;

/** A warning about a usable trust root. */
export interface TrustNote {
  /** `metadata.name`. */
  readonly name: string;
  readonly message: string;
}

function readSigstores(
  name: string,
  { sigstore = [] }: SkillTrustRootSpec,
  resolve: TrustReferenceResolver | undefined,
): ReadonlyMap<string, ReadSigstoreRoot> {
  return new Map(
    sigstore.map((entry, index) => [
      entry.name,
      readSigstoreRoot(entry, name, `spec.sigstore[${index}]`, resolve),
    ]),
  );
}

/**
 * Reads a SkillTrustRoot.
 * @param resolve resolves its references; without it none resolves
 * @throws PolicyError UnusableTrust if any entry is unusable: half a trust root is none
 */
export function resolveTrustRoot(
  name: string,
  spec: SkillTrustRootSpec,
  resolve?: TrustReferenceResolver,
): ResolvedTrustRoot {
  const instances = readSigstores(name, spec, resolve);
  const sigstore = new Map([...instances].map(([entry, { root }]) => [entry, root]));
  const periods = {
    certificates: periodsByName(name, spec.certificates),
    keys: periodsByName(name, spec.keys),
    sigstore: periodsByName(name, spec.sigstore),
  };
  const anchors = (spec.certificates ?? []).flatMap((entry, index) =>
    readAnchors(entry.pem, `${name}/${entry.name}`, `spec.certificates[${index}].pem`),
  );
  return {
    anchors,
    crls: (spec.crls ?? []).map((entry, index) =>
      readCrl(entry.pem, `${name}/${entry.name}`, `spec.crls[${index}].pem`, anchors),
    ),
    keys: new Map(
      (spec.keys ?? []).map((entry, index) => [
        entry.name,
        readTrustedKey(entry.pem, `${name}/${entry.name}`, `spec.keys[${index}].pem`),
      ]),
    ),
    sigstore: [...sigstore.values()],
    registries: readRegistries(name, spec.vett ?? [], { roots: sigstore, periods: periods.sigstore }),
    periods,
    notes: [...instances.values()].flatMap(({ note }) => note ?? []),
  };
}

interface Named {
  readonly names: readonly string[];
  readonly fingerprint: string;
}

/** One entry for each fingerprint, with all its names, in a fixed order. */
function merged<T extends Named>(entries: readonly T[]): readonly T[] {
  const known = new Map<string, T>();
  for (const entry of entries) {
    const other = known.get(entry.fingerprint);
    const names = [...new Set([...(other?.names ?? []), ...entry.names])].sort();
    known.set(entry.fingerprint, { ...(other ?? entry), names });
  }
  return [...known.values()].sort((left, right) => (left.fingerprint < right.fingerprint ? -1 : 1));
}

const described = (kind: string, entries: readonly Named[]): readonly string[] =>
  entries.map(({ names, fingerprint }) => JSON.stringify([kind, fingerprint, names]));

/**
 * Joins all trust. Returns `previous` itself if nothing has changed: caches keyed by it (verified chains, evidence)
 * stay valid.
 */
export function trustMaterial(
  all: Pick<TrustMaterial, "anchors" | "crls" | "keys" | "sigstore" | "registries">,
  previous?: TrustMaterial,
): TrustMaterial {
  const anchors = merged(all.anchors);
  const crls = merged(all.crls ?? []);
  const keys = merged(all.keys);
  const sigstore = merged(all.sigstore ?? []);
  const registries = merged(all.registries ?? []);
  const version = sha256(
    [
      ...described("anchor", anchors),
      ...described("crl", crls),
      ...described("key", keys),
      ...described("sigstore", sigstore),
      ...described("registry", registries),
    ].join("\n"),
  );
  return previous?.version === version ? previous : { version, anchors, crls, keys, sigstore, registries };
}
