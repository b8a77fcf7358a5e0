import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { list, pack, podReview, podsOf, type Packed } from "./reviews.ts";
import { signedSkill, type BenchKey, type Size } from "./skills.ts";

interface Material {
  readonly key: BenchKey;
  readonly state: string;
}

/** Signs skills, writes their ConfigMaps into the state folder, and gives the review of a pod that mounts them all. */
export async function podWith(
  name: string,
  count: number,
  material: Material,
  what: {
    readonly size: Size;
    readonly broken?: boolean;
    readonly serial?: number;
    /** Default: the pods of one template. */
    readonly pods?: (name: string, skills: readonly Packed[]) => object;
  },
): Promise<string> {
  const packed = Array.from({ length: count }, (_, at) =>
    pack(signedSkill(count === 1 ? name : `${name}-${at}`, { key: material.key, ...what })),
  );
  await Promise.all(
    packed.map(({ configMaps }, at) =>
      writeFile(join(material.state, `${name}-${at}.json`), list(configMaps)),
    ),
  );
  return podReview((what.pods ?? podsOf)(`pod-${name}`, packed));
}
