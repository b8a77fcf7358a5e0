import { curveDigest } from "../../signature/key.ts";
import type { KeyRegistry } from "../../signature/vett/registry.ts";
import type { SigstoreRoot } from "../../signature/sigstore/root/sigstore-root.ts";
import { intersection, always } from "../../signature/validity.ts";
import { sha256Hex } from "../../skill/digest.ts";
import { readTrustedKey } from "./pem.ts";
import { PolicyError } from "../policy-error.ts";
import type { Publisher } from "../policy.ts";
import { periodOf, type PeriodsByName } from "./period.ts";
import type { VettPublisherSpec, VettRegistrySpec } from "../resource/vett.ts";

type KeySpec = VettRegistrySpec["keys"][number];

/** Sigstore instances of a trust root by entry name, with their trust periods. */
export interface Instances {
  readonly roots: ReadonlyMap<string, SigstoreRoot>;
  readonly periods: PeriodsByName;
}

function readRegistryKey({ hint, pem, notBefore, notAfter }: KeySpec, name: string, field: string) {
  const { key, fingerprint } = readTrustedKey(pem, name, `${field}.pem`);
  if (curveDigest(key) !== "sha256")
    throw new PolicyError("UnusableTrust", `${field}.pem: a registry signs with a key on P-256; give that`);
  const end = notAfter === undefined ? always.notAfter : Date.parse(notAfter);
  return { hint, key, fingerprint, validity: { notBefore: Date.parse(notBefore), notAfter: end } };
}

/** Identity of a registry: keys, their periods, and the log. */
const fingerprintOf = ({ keys, sigstore }: Omit<KeyRegistry, "names" | "fingerprint">): string =>
  sha256Hex(
    JSON.stringify([
      sigstore.fingerprint,
      keys.map(({ hint, fingerprint, validity: { notBefore, notAfter } }) => [
        hint,
        fingerprint,
        notBefore,
        notAfter,
      ]),
    ]),
  );

function readRegistry(
  { name, sigstore: instance, keys: specs }: VettRegistrySpec,
  { roots, periods }: Instances,
  root: string,
  field: string,
): KeyRegistry {
  const log = roots.get(instance);
  if (log === undefined) {
    throw new PolicyError(
      "UnusableTrust",
      `${field}.sigstore: this trust root has no entry ${instance} in sigstore; add it, or name another`,
    );
  }
  const names = [`${root}/${name}`];
  // The log proves signing times only within the trust period of its own entry.
  const logged = periodOf(log, periods);
  const keys = specs.map((spec, index) => {
    const key = readRegistryKey(spec, `${root}/${name}/${spec.hint}`, `${field}.keys[${index}]`);
    return { ...key, validity: intersection(key.validity, logged) };
  });
  const content = { keys, sigstore: log };
  return { names, fingerprint: fingerprintOf(content), ...content };
}

/**
 * Reads the registries of a SkillTrustRoot, by entry name.
 * @param instances the trust root's Sigstore instances
 * @throws PolicyError UnusableTrust
 */
export const readRegistries = (
  root: string,
  specs: readonly VettRegistrySpec[],
  instances: Instances,
): ReadonlyMap<string, KeyRegistry> =>
  new Map(
    specs.map((spec, index) => [spec.name, readRegistry(spec, instances, root, `spec.vett[${index}]`)]),
  );

/**
 * Compiles a publisher of the kind `vett`.
 * @param registries of the trust root that it refers to, by entry name
 * @throws PolicyError TrustRootMissing
 */
export function vettPublisher(
  name: string,
  { trustRootRef: { name: root, registry }, skills }: VettPublisherSpec,
  registries: ReadonlyMap<string, KeyRegistry>,
  field: string,
): Publisher {
  const named = registry === undefined ? [...registries.values()] : [registries.get(registry)];
  const found = named.filter((one) => one !== undefined);
  if (found.length === 0) {
    const what = registry === undefined ? "no registries" : `no registry ${registry}`;
    throw new PolicyError(
      "TrustRootMissing",
      `${field}.trustRootRef: the SkillTrustRoot ${root} holds ${what} in vett`,
    );
  }
  return { kind: "vett", name, registries: found.map(({ fingerprint }) => fingerprint), skills };
}
