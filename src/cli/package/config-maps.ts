import { replacementCharacter } from "../../skill/path.ts";
import { defined } from "../../text/fields.ts";
import { treeDigest, type Skill, type SkillFile } from "../../skill/skill.ts";
import { configMapKey } from "./config-map-key.ts";

/** ConfigMap that `package` writes, as plain data. */
export interface ConfigMapManifest {
  readonly apiVersion: "v1";
  readonly kind: "ConfigMap";
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly immutable: true;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** Place of one file: the ConfigMap's key, and its path in the tree. */
export interface PackedFile {
  readonly key: string;
  readonly path: string;
  /** True for a file that begins with `#!`: agents will run it. */
  readonly executable: boolean;
}

export interface PackedConfigMap {
  readonly manifest: ConfigMapManifest;
  readonly files: readonly PackedFile[];
  /** True above the size of the annotation in which `kubectl apply` keeps its copy: needs `--server-side`. */
  readonly serverSide: boolean;
}

/** A skill that no set of ConfigMaps can carry, or an impossible name. */
export class PackageError extends Error {
  override readonly name = "PackageError";
}

export interface PackageOptions {
  /** Prefix of the ConfigMaps' names. */
  readonly name: string;
  readonly namespace?: string;
}

/** Bytes of a ConfigMap's values together (Kubernetes, `MaxSecretSize`). */
const maxData = 1024 * 1024;

/**
 * Bytes of a ConfigMap as JSON that client-side `kubectl apply` can copy into an annotation: 262,144 bytes for all
 * annotations (Kubernetes, `TotalAnnotationSizeLimitB`), less room for their names.
 */
const maxApplied = 262_144 - 1024;

interface Entry {
  readonly file: PackedFile;
  readonly field: "data" | "binaryData";
  readonly value: string;
  /** Bytes that count against `maxData` and against `maxApplied`. */
  readonly size: number;
  readonly jsonSize: number;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of a UTF-8 file; undefined for other bytes, and where it holds U+FFFD, which may stand for any bytes. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = utf8.decode(bytes);
    return text.includes(replacementCharacter) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Bytes of a string in JSON by Go's encoder, which kubectl measures and stores. */
export function goJsonSize(text: string): number {
  let extra = 2;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x22 || code === 0x5c || code === 0x0a || code === 0x0d || code === 0x09) extra += 1;
    else if (code < 0x20 || code === 0x3c || code === 0x3e || code === 0x26) extra += 5;
    else if (code === 0x2028 || code === 0x2029) extra += 3;
  }
  return Buffer.byteLength(text) + extra;
}

function entryOf(path: string, { bytes, size }: SkillFile): Entry {
  const key = configMapKey(path);
  const executable = bytes[0] === 0x23 && bytes[1] === 0x21;
  const text = textOf(bytes);
  const value = text ?? Buffer.from(bytes).toString("base64");
  const jsonSize = goJsonSize(value) + key.length + 4;
  return {
    file: { key, path, executable },
    field: text === undefined ? "binaryData" : "data",
    value,
    size,
    jsonSize,
  };
}

function assertPackable(skill: Skill): void {
  if (skill.files.size === 0) throw new PackageError(`the skill ${JSON.stringify(skill.name)} has no files`);
  for (const [path, { size }] of skill.files) {
    if (path.startsWith("..")) {
      throw new PackageError(
        `a volume cannot have the path ${JSON.stringify(path)}: names that begin with ".." are the kubelet's; rename it`,
      );
    }
    if (size > maxData) {
      throw new PackageError(
        `${JSON.stringify(path)} has ${size} bytes; a ConfigMap carries at most ${maxData}, and a file cannot be ` +
          `split over several. Put the skill into an image and mount it as an image volume instead`,
      );
    }
  }
}

/** Groups entries in the order of their paths, as few groups as that order allows. */
function groups(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const filled: Entry[][] = [];
  let current: Entry[] = [];
  let size = 0;
  let jsonSize = 0;
  for (const entry of entries) {
    const full = size + entry.size > maxData || jsonSize + entry.jsonSize > maxApplied;
    if (full && current.length > 0) {
      filled.push(current);
      current = [];
      size = 0;
      jsonSize = 0;
    }
    current.push(entry);
    size += entry.size;
    jsonSize += entry.jsonSize;
  }
  return [...filled, current];
}

function valuesOf(
  entries: readonly Entry[],
  field: Entry["field"],
): Readonly<Record<string, string>> | undefined {
  const chosen = entries.filter((entry) => entry.field === field);
  if (chosen.length === 0) return undefined;
  return Object.fromEntries(chosen.map(({ file, value }) => [file.key, value]));
}

const isSubdomain = (name: string): boolean =>
  name.length <= 253 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/.test(name);

const isLabelValue = (value: string): boolean =>
  value.length <= 63 && /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(value);

function assertName(name: string): void {
  if (isSubdomain(name)) return;
  throw new PackageError(
    `${JSON.stringify(name)} cannot be the name of a ConfigMap: lower-case letters, digits, "-" and "." only, ` +
      `at most 253 characters; give another with --name`,
  );
}

/**
 * Immutable ConfigMaps that carry a skill, named after its content: `NAME-<10 hex digits of the tree's digest>`, with
 * `-1`, `-2`, … where one is not enough. The same tree gives the same ConfigMaps.
 * @throws PackageError for a file larger than 1 MiB, a path that no volume can have, or an impossible name
 */
export function packConfigMaps(skill: Skill, options: PackageOptions): readonly PackedConfigMap[] {
  assertPackable(skill);
  const digest = treeDigest(skill);
  const base = `${options.name}-${digest.slice("sha256:".length, "sha256:".length + 10)}`;
  const paths = [...skill.files].sort(([one], [other]) => (one < other ? -1 : 1));
  const filled = groups(paths.map(([path, file]) => entryOf(path, file)));
  return filled.map((entries, index) => {
    const name = filled.length === 1 ? base : `${base}-${index + 1}`;
    assertName(name);
    const data = valuesOf(entries, "data");
    const binaryData = valuesOf(entries, "binaryData");
    const manifest: ConfigMapManifest = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name,
        ...defined({ namespace: options.namespace }),
        labels: {
          "app.kubernetes.io/managed-by": "skill-admission",
          ...(isLabelValue(skill.name) ? { "skill-admission.dev/skill": skill.name } : {}),
        },
        annotations: { "skill-admission.dev/tree-digest": digest },
      },
      immutable: true,
      ...defined({ data, binaryData }),
    };
    const jsonSize = entries.reduce((sum, entry) => sum + entry.jsonSize, 0);
    return { manifest, files: entries.map(({ file }) => file), serverSide: jsonSize > maxApplied };
  });
}
