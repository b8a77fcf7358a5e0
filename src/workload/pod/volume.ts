import { pathFault } from "../../skill/path.ts";
import type { SourceKind } from "../../skill/reference.ts";
import type { VolumeObjectRef } from "../../skill/source.ts";
import { componentsOf } from "./container-path.ts";
import type { Fields } from "../../text/fields.ts";
import { fieldsAt, flagAt, listAt, malformed, optionalText, textAt } from "../../kubernetes/read-fields.ts";
import { podLimits } from "./limits.ts";
import { objectProjections, objectVolumes, type ObjectType } from "./object-types.ts";

/** One key of an object, and the path of its file. */
export interface VolumeItem {
  readonly key: string;
  /** Relative to the volume's root, clean. */
  readonly path: string;
  /** As written. The kubelet writes two spellings of one path in random order. */
  readonly spelling: string;
}

/** One source of files in a volume. */
export type VolumePart =
  | {
      readonly from: "object";
      readonly kind: VolumeObjectRef["kind"];
      readonly name: string;
      readonly optional: boolean;
      /** Undefined: every key, under its own name. */
      readonly items: readonly VolumeItem[] | undefined;
    }
  | {
      readonly from: "unreadable";
      readonly kind: SourceKind;
      readonly name: string;
      /** Paths of its files; undefined: not known. */
      readonly paths: readonly string[] | undefined;
    };

/** One entry of a pod's `volumes`. */
export interface Volume {
  readonly name: string;
  readonly kind: SourceKind;
  /** In the order in which they are laid over each other: the last one wins. */
  readonly parts: readonly VolumePart[];
  /**
   * Whether the kubelet writes it, through its `..data` link, read-only in every container (ConfigMap, Secret,
   * projected, downward API): it then holds no other links.
   */
  readonly atomic: boolean;
  /** Whether it is read-only whatever its mounts say. */
  readonly readOnly: boolean;
  /** Path of the volume in the object, for messages. */
  readonly field: string;
}

function itemsOf(source: Fields, field: string): readonly VolumeItem[] | undefined {
  const items = listAt(source["items"], `${field}.items`, podLimits.items);
  if (items.length === 0) return undefined;
  return items.map((entry, index) => {
    const at = `${field}.items[${index}]`;
    const item = fieldsAt(entry, at);
    const key = textAt(item["key"], `${at}.key`);
    return { key, ...itemPath(item["path"], `${at}.path`) };
  });
}

/** @throws SourceError SOURCE_MALFORMED for paths that the API server refuses, or that no skill may have */
function itemPath(value: unknown, field: string): Omit<VolumeItem, "key"> {
  const spelling = textAt(value, field);
  const path = spelling.includes("/") || spelling === "." ? componentsOf(spelling).join("/") : spelling;
  if (spelling.startsWith("/")) throw malformed(field, "is absolute; write it relative to the volume");
  if (spelling.startsWith("..")) throw malformed(field, 'begins with ".."');
  const fault = pathFault(path);
  if (fault !== undefined) throw malformed(field, fault);
  return { path, spelling };
}

function objectPart(source: Fields, { kind, nameField }: ObjectType, field: string): VolumePart {
  return {
    from: "object",
    kind,
    name: textAt(source[nameField], `${field}.${nameField}`),
    optional: flagAt(source["optional"], `${field}.optional`),
    items: itemsOf(source, field),
  };
}

function downwardPart(source: Fields, volume: string, field: string): VolumePart {
  const paths = listAt(source["items"], `${field}.items`, podLimits.items).map((entry, index) => {
    const at = `${field}.items[${index}]`;
    return itemPath(fieldsAt(entry, at)["path"], `${at}.path`).path;
  });
  return { from: "unreadable", kind: "DownwardAPI", name: volume, paths };
}

/** Sources of a few files with given names, whose bytes come from the cluster: the fields that name them. */
const madeFiles: Readonly<Record<string, readonly string[]>> = {
  serviceAccountToken: ["path"],
  clusterTrustBundle: ["path"],
  podCertificate: ["credentialBundlePath", "keyPath", "certificateChainPath"],
};

function madePart(type: string, source: Fields, volume: string, field: string): VolumePart {
  const paths = madeFiles[type]?.flatMap((name) =>
    optionalText(source[name], `${field}.${name}`) === undefined
      ? []
      : [itemPath(source[name], `${field}.${name}`).path],
  );
  return { from: "unreadable", kind: "Projected", name: volume, paths };
}

function projectedPart(entry: unknown, volume: string, field: string): readonly VolumePart[] {
  const type = typeOf(fieldsAt(entry, field), field);
  if (type === undefined) return [];
  const { name, source } = type;
  const at = `${field}.${name}`;
  const object = objectProjections.get(name);
  if (object !== undefined) return [objectPart(source, object, at)];
  if (name === "downwardAPI") return [downwardPart(source, volume, at)];
  if (Object.hasOwn(madeFiles, name)) return [madePart(name, source, volume, at)];
  return [{ from: "unreadable", kind: "Projected", name: volume, paths: undefined }];
}

/**
 * The one type set in a volume or projected source; `other` is a field that is no type.
 * @throws SourceError SOURCE_MALFORMED for several types
 */
function typeOf(
  entry: Fields,
  field: string,
  other?: string,
): { readonly name: string; readonly source: Fields } | undefined {
  let found: string | undefined;
  for (const name of Object.keys(entry)) {
    const value = entry[name];
    if (name === other || value === undefined || value === null) continue;
    if (found !== undefined) throw malformed(field, "has more than one type; split it");
    found = name;
  }
  if (found === undefined) return undefined;
  return { name: found, source: fieldsAt(entry[found], `${field}.${found}`) };
}

/** Types whose files only the node sees: their kind, and the field that names their origin. */
const unreadable: ReadonlyMap<string, { readonly kind: SourceKind; readonly name?: string }> = new Map([
  ["emptyDir", { kind: "EmptyDir" }],
  ["persistentVolumeClaim", { kind: "PersistentVolumeClaim", name: "claimName" }],
  ["csi", { kind: "CSI", name: "driver" }],
  ["hostPath", { kind: "HostPath", name: "path" }],
  ["ephemeral", { kind: "Ephemeral" }],
  ["image", { kind: "Image", name: "reference" }],
]);

function unreadableVolume(name: string, type: string, source: Fields, field: string): Volume {
  const known = unreadable.get(type) ?? { kind: "Other" as const };
  const nameField = "name" in known ? known.name : undefined;
  const behind =
    nameField === undefined ? undefined : optionalText(source[nameField], `${field}.${type}.${nameField}`);
  const readOnly = known.kind === "Image" || source["readOnly"] === true;
  const part: VolumePart = { from: "unreadable", kind: known.kind, name: behind ?? name, paths: undefined };
  return { name, kind: known.kind, parts: [part], atomic: false, readOnly, field };
}

/**
 * Parses one entry of `volumes`.
 * @throws SourceError SOURCE_MALFORMED naming the field
 */
export function volumeOf(entry: unknown, field: string): Volume {
  const fields = fieldsAt(entry, field);
  const name = textAt(fields["name"], `${field}.name`);
  // The API server defaults a volume without a type to emptyDir.
  const { name: type, source } = typeOf(fields, field, "name") ?? { name: "emptyDir", source: {} };
  const at = `${field}.${type}`;
  const atomic = { name, atomic: true, readOnly: true, field };
  const object = objectVolumes.get(type);
  if (object !== undefined) return { ...atomic, kind: object.kind, parts: [objectPart(source, object, at)] };
  switch (type) {
    case "downwardAPI":
      return { ...atomic, kind: "DownwardAPI", parts: [downwardPart(source, name, at)] };
    case "projected": {
      const sources = listAt(source["sources"], `${at}.sources`, podLimits.volumes);
      const parts = sources.flatMap((part, index) => projectedPart(part, name, `${at}.sources[${index}]`));
      return { ...atomic, kind: "Projected", parts };
    }
    default:
      return unreadableVolume(name, type, source, field);
  }
}
