import { serialMark } from "../load/job.ts";
import { configMapUpdate, governed, pack, podsOf } from "./reviews.ts";
import { signedSkill, sizes, type BenchKey } from "./skills.ts";

const skills = 12;

interface ConfigMap {
  readonly metadata: object;
  readonly data?: Readonly<Record<string, string>>;
}

/** Pods of one template with twelve skills, whose ConfigMaps keep their names while they change. */
export interface Fleet {
  readonly configMaps: readonly object[];
  readonly pods: readonly object[];
  /** Reviews of changes of one of the ConfigMaps, by what changes. */
  readonly changes: {
    readonly label: readonly string[];
    /** Another value of a key that nothing mounts, with each sending. */
    readonly noSkill: readonly string[];
    /** Another signed version in each. */
    readonly signed: readonly string[];
    /** Other bytes that nobody signed, with each sending. */
    readonly unsigned: readonly string[];
  };
}

/** One skill's ConfigMap under a name that stays. */
function configMapOf(name: string, key: BenchKey, serial = 0): ConfigMap {
  const [packed] = pack(signedSkill(name, { key, size: sizes.median, serial })).configMaps;
  const metadata = { name, namespace: governed, creationTimestamp: "2026-11-01T07:00:00Z" };
  return { ...packed, immutable: false, metadata } as ConfigMap;
}

/** The fleet's pods, each with a name and a name of its token's volume of its own. */
function podsLike(name: string, key: BenchKey, count: number): readonly object[] {
  const packed = Array.from({ length: skills }, (_, at) =>
    pack(signedSkill(`${name}-${at}`, { key, size: sizes.median })),
  );
  const named = packed.flatMap(({ configMaps }, at) =>
    configMaps.map(({ metadata }) => [metadata.name, `${name}-${at}`] as const),
  );
  const text = named.reduce(
    (json, [content, stays]) => json.replaceAll(`"name":"${content}"`, `"name":"${stays}"`),
    JSON.stringify(podsOf(name, packed)),
  );
  return Array.from(
    { length: count },
    (_, at) => JSON.parse(text.replaceAll(serialMark, String(at).padStart(serialMark.length, "0"))) as object,
  );
}

/** @param versions signed versions of the skill that changes */
export function fleetOf(name: string, key: BenchKey, count: number, versions: number): Fleet {
  const configMaps = Array.from({ length: skills }, (_, at) => configMapOf(`${name}-${at}`, key));
  const [before] = configMaps as [ConfigMap, ...ConfigMap[]];
  const changed = (more: object): string => configMapUpdate(before, { ...before, ...more });
  const data = Object.fromEntries(
    Object.entries(before.data ?? {}).map(([file, text]) => [
      file,
      text.replace("Write down", `Note ${serialMark} down`),
    ]),
  );
  return {
    configMaps,
    pods: podsLike(name, key, count),
    changes: {
      label: [changed({ metadata: { ...before.metadata, labels: { team: "a" } } })],
      noSkill: [changed({ data: { ...before.data, "mounted-by-nobody.txt": serialMark } })],
      signed: Array.from({ length: versions }, (_, at) =>
        configMapUpdate(before, configMapOf(`${name}-0`, key, at + 1)),
      ),
      unsigned: [changed({ data })],
    },
  };
}
