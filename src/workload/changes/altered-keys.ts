import type { VolumeObject } from "../../skill/source.ts";

/** The keys whose bytes differ, or that one of the versions lacks. */
export function alteredKeys(before: VolumeObject, after: VolumeObject): ReadonlySet<string> {
  const keys = new Set([...before.files.keys(), ...after.files.keys()]);
  return new Set(
    keys.values().filter((key) => {
      const [one, other] = [before.files.get(key)?.bytes, after.files.get(key)?.bytes];
      return one === undefined || other === undefined || Buffer.compare(one, other) !== 0;
    }),
  );
}
