import { curveDigest } from "../signature/key.ts";
import type { KeyRegistry, SigstoreRoot } from "../signature/trust-material.ts";
import { always } from "../signature/signature-evidence.ts";
import { sha256Hex } from "../skill/digest.ts";
import { readKey } from "./pem.ts";
import { PolicyError } from "./policy-error.ts";
import type { Publisher } from "./policy.ts";
import type { VettPublisherSpec, VettRegistrySpec } from "./resource/vett.ts";

type KeySpec = VettRegistrySpec["keys"][number];

function readRegistryKey({ hint, pem, notBefore, notAfter }: KeySpec, name: string, field: string) {
  const { key, fingerprint } = readKey(pem, name, `${field}.pem`);
  if (curveDigest(key) !== "sha256")
    throw new PolicyError("UnusableTrust", `${field}.pem: a registry signs with a key on P-256; give that`);
  const end = notAfter === undefined ? always.notAfter : Date.parse(notAfter);
  return { hint, key, fingerprint, validity: { notBefore: Date.parse(notBefore), notAfter: end } };
}

/** What tells two registries apart: keys, their periods, and the log. */
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
  sigstore: ReadonlyMap<string, SigstoreRoot>,
  root: string,
  field: string,
): KeyRegistry {
  const log = sigstore.get(instance);
  if (log === undefined) {
    throw new PolicyError(
      "UnusableTrust",
      `${field}.sigstore: this trust root has no entry ${instance} in sigstore; add it, or name another`,
    );
  }
  const names = [`${root}/${name}`];
  const keys = specs.map((spec, index) =>
    readRegistryKey(spec, `${root}/${name}/${spec.hint}`, `${field}.keys[${index}]`),
  );
  const content = { keys, sigstore: log };
  return { names, fingerprint: fingerprintOf(content), ...content };
}

/**
 * The registries of a SkillTrustRoot by the name of their entry, with their keys read.
 * @param sigstore the trust root's Sigstore instances, by the name of their entry
 * @throws PolicyError UnusableTrust
 */
export const readRegistries = (
  root: string,
  specs: readonly VettRegistrySpec[],
  sigstore: ReadonlyMap<string, SigstoreRoot>,
): ReadonlyMap<string, KeyRegistry> =>
  new Map(specs.map((spec, index) => [spec.name, readRegistry(spec, sigstore, root, `spec.vett[${index}]`)]));

/**
 * A publisher of the kind `vett`.
 * @param registries of the trust root that it refers to, by the name of their entry
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
