import { vi } from "vitest";
import { packConfigMaps, type ConfigMapManifest } from "../../../src/cli/package/config-maps.ts";
import { examplePod, podVolume, type PodVolume } from "../../../src/cli/package/pod-volume.ts";
import { sha256, shortDigest } from "../../../src/skill/digest.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import type { SignedSkill } from "../../fixtures/signed-skill.ts";
import { api, pathOf, put, type Part } from "../harness/api.ts";
import { tryApply, type Applied } from "../harness/apply.ts";
import { createNamespace as createWithLabels } from "../harness/namespaces.ts";
import { clusterSkillPolicy, skillRevocationList, skillTrustRoot } from "../../fixtures/resources.ts";
import { patience } from "../../fixtures/patience.ts";

export { tryApply, type Part };

export const policy = (name: string, spec: Part): Part =>
  clusterSkillPolicy(name, { namespaceSelector: { matchLabels: { tenant: name } }, ...spec });

export const trustRoot = (name: string, spec: Part): Part => skillTrustRoot(name, spec);

export const revocationList = (name: string, spec: Part): Part => skillRevocationList(name, spec);

/** Creates a namespace with the label by which policies of these tests choose it. */
export const createNamespace = (name: string, tenant?: string): Promise<void> =>
  createWithLabels(name, tenant === undefined ? {} : { tenant });

interface Judged {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly observedGeneration: number;
    readonly conditions: readonly [{ readonly status: string }];
  };
}

/** Puts policies and trust roots in place together, and waits until every one of them is in force. */
export async function enforce(...objects: readonly Part[]): Promise<void> {
  for (const one of objects) await put(one);
  const inForce = async (path: string): Promise<void> => {
    const { metadata, status } = await api<Judged>(path);
    if (status?.observedGeneration !== metadata.generation || status.conditions[0].status !== "True")
      throw new Error(`${path}: ${metadata.generation} ${JSON.stringify(status)}`);
  };
  for (const one of objects) await vi.waitFor(() => inForce(pathOf(one)), patience);
}

let pods = 0;

/** Applies a skill's ConfigMaps with a pod of a new name that mounts it. */
export async function applySkill(
  skill: Skill,
  namespace: string,
): Promise<Shipped & { readonly name: string; readonly ran: Applied }> {
  const name = `pod-${(pods += 1)}`;
  const shipped = ship(skill, namespace, name);
  return { ...shipped, name, ran: await tryApply(shipped.all) };
}

/** The public key of a skill that a bare key signed, as policies and trust roots have it. */
export const pemOf = ({ trust }: SignedSkill): string =>
  trust.keys[0]!.key.export({ type: "spki", format: "pem" }) as string;

/** A skill as a user would ship it: immutable ConfigMaps, and the volume that mounts them. */
export interface Shipped {
  readonly configMaps: readonly ConfigMapManifest[];
  readonly volume: PodVolume;
  readonly pod: Part;
  readonly all: readonly Part[];
  /** What denials call its sources. */
  readonly source: string;
}

/** The pod with its account's token, which most pods have and the example goes without. */
const ordinary = (pod: Part): Part => ({
  ...pod,
  spec: { ...(pod["spec"] as Part), automountServiceAccountToken: undefined },
});

/** Packs a skill as `skill-admission package` does, with a pod of this name that mounts it. */
export function ship(skill: Skill, namespace: string, name: string): Shipped {
  const packed = packConfigMaps(skill, { name, namespace });
  const volume = podVolume(packed, name, `/skills/${skill.name}`);
  const pod = ordinary(examplePod(volume, { name, namespace, image: "example.invalid/agent" }));
  const configMaps = packed.map(({ manifest }) => manifest);
  return {
    configMaps,
    volume,
    pod,
    all: [...configMaps, pod] as unknown as readonly Part[],
    source: configMaps.map(({ metadata }) => `projected ${metadata.name}`).join(" + "),
  };
}

/** The skill in one ConfigMap that may change, under a name that stays, and the pod that mounts it. */
export function mutable(skill: Skill, name: string, space: string): Shipped & { readonly configMap: Part } {
  const shipped = ship(skill, space, name);
  const configMap = { ...shipped.configMaps[0]!, immutable: false };
  const sources = [{ configMap: { ...shipped.volume.volume.projected.sources[0]!.configMap, name } }];
  const volume = { ...shipped.volume.volume, projected: { ...shipped.volume.volume.projected, sources } };
  const pod = { ...shipped.pod, spec: { ...(shipped.pod["spec"] as Part), volumes: [volume] } };
  return { ...shipped, pod, configMap: { ...configMap, metadata: { name, namespace: space } } };
}

/** A pod's template of this pod, for what makes pods. */
export const templateOf = (pod: Part, labels: Readonly<Record<string, string>>, more: Part = {}): Part => ({
  metadata: { labels },
  spec: { ...(pod["spec"] as Part), ...more },
});

/** What an operator reads of a denial: without kubectl's words before it, and with the decision's name taken out. */
export function denial({ code, stderr }: Applied): string {
  const at = stderr.indexOf("denied the request: ");
  if (code === 0 || at === -1) return `not denied (${code}): ${stderr}`;
  return stderr
    .slice(at + "denied the request: ".length)
    .replace(/^decision [0-9a-f]{8}$/m, "decision ID")
    .trimEnd();
}

/** The end of a denial's first line, from the lines of its findings: code and file of the first, and how many others. */
export function causeIn(lines: readonly string[], skill = "data-designer"): string {
  const findings = lines.flatMap((line) => /^ {2}([A-Z_]+) +(.*)/.exec(line)?.slice(1, 3) ?? []);
  const [code = "", rest = ""] = findings;
  const path = /^(?:DIGEST|FILE)_/.test(code) ? ` ${rest.split(":")[0]}` : "";
  const others = findings.length / 2 - 1;
  return `${skill} ${code}${path}${others === 0 ? "" : `, and ${others} more`}`;
}

/** Warnings as kubectl prints them. */
export const warnings = ({ stderr }: Applied): readonly string[] =>
  stderr
    .split("\n")
    .flatMap((line) => (line.startsWith("Warning: ") ? [line.slice("Warning: ".length)] : []));

/** A file's digest as denials show it. */
export const short = (skill: Skill, path: string): string =>
  shortDigest(sha256(skill.files.get(path)!.bytes));

/** The same bytes with one bit of the middle one changed. */
export function oneByteChanged(bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes);
  const at = Math.floor(changed.length / 2);
  changed[at] = changed[at]! ^ 1;
  return changed;
}
