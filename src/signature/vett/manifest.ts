import type { Json } from "../../text/json.ts";
import { skillLimits } from "../../skill/limits.ts";
import { pathFault } from "../../skill/path.ts";
import {
  assertFields,
  assertObject,
  fieldOf,
  listOf,
  textOf,
  type JsonObject,
  readJson,
} from "../json-fields.ts";
import { malformed, unsupported } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";

/**
 * Paths of the registry's three documents in a delivered skill: at its root. The names are ours: Vett keeps the
 * documents in its store and its answers.
 */
export const vettFileNames = {
  /** The artifact as the registry stores it, byte for byte. */
  manifest: "vett.manifest.json",
  /** `sigstoreBundle` of the registry's answer. */
  bundle: "vett.sigstore.json",
  /** `analysis` of the registry's answer; not signed. */
  analysis: "vett.analysis.json",
} as const;

const ownNames: ReadonlySet<string> = new Set(Object.values(vettFileNames));

/** The signed artifact: the files themselves, as text. */
export interface VettManifest {
  readonly schemaVersion: 1;
  readonly entryPoint?: string;
  /** In listed order. */
  readonly files: readonly VettFile[];
}

/** A file, whose bytes are the UTF-8 of `content`. */
export interface VettFile {
  readonly path: string;
  readonly content: string;
}

const manifestFields = new Set(["schemaVersion", "entryPoint", "files"]);
const fileFields = new Set(["path", "content", "contentType"]);

/**
 * Vett's alphabet without the backslash: clients that take it for a separator and those that do not would unpack two
 * different trees under one signature.
 */
const letters = /^[A-Za-z0-9._/-]+$/;

function nameFault(path: string): string | undefined {
  if (ownNames.has(path)) return "is that of a document about the skill, which no manifest may hold";
  if (path.includes("..")) return 'contains ".."';
  return pathFault(path) ?? (letters.test(path) ? undefined : "has other letters than A-Z a-z 0-9 . _ - /");
}

function parseJson(bytes: Uint8Array): Json {
  if (bytes.byteLength > skillLimits.signatureBytes)
    throw malformed(`${vettFileNames.manifest} is larger than ${skillLimits.signatureBytes} bytes`);
  return readJson(bytes, vettFileNames.manifest);
}

function fileOf(value: Json, at: number): VettFile {
  const where = `files[${at}]`;
  const file = assertObject(value, where);
  assertFields(file, where, fileFields);
  const path = textOf(file, "path", where);
  const fault = nameFault(path);
  if (fault !== undefined) throw malformed(`the listed name ${quoted(path)} ${fault}`);
  const type = fieldOf(file, "contentType");
  if (type !== undefined && (typeof type !== "string" || type === ""))
    throw malformed(`${where}.contentType is not text`);
  return { path, content: textOf(file, "content", where) };
}

function filesOf(manifest: JsonObject): readonly VettFile[] {
  const entries = listOf(manifest, "files", "the manifest", skillLimits.files);
  if (entries.length === 0) throw malformed("the manifest lists no files");
  const files = entries.map(fileOf);
  const seen = new Set<string>();
  for (const { path } of files) {
    // Vett's own client writes both files, so the second would win.
    if (seen.has(path)) throw malformed(`the name ${quoted(path)} is listed twice`);
    seen.add(path);
  }
  return files;
}

function entryPointOf(manifest: JsonObject, files: readonly VettFile[]): Pick<VettManifest, "entryPoint"> {
  if (fieldOf(manifest, "entryPoint") === undefined) return {};
  const entryPoint = textOf(manifest, "entryPoint", "the manifest");
  if (!files.some(({ path }) => path === entryPoint))
    throw malformed(`the manifest's entryPoint ${quoted(entryPoint)} is none of its files`);
  return { entryPoint };
}

/**
 * Reads the artifact of a Vett registry (`skillManifestSchema` of `@vett/core`, schema version 1), more strictly than
 * that schema: no unknown field, no repeated name, clean relative names.
 * @throws SignatureError MANIFEST_MALFORMED or UNSUPPORTED_FORMAT
 */
export function parseVettManifest(bytes: Uint8Array): VettManifest {
  const manifest = assertObject(parseJson(bytes), "the manifest");
  const version = fieldOf(manifest, "schemaVersion");
  if (version === undefined) throw malformed("the manifest.schemaVersion is missing");
  if (version !== 1)
    throw unsupported(`the manifest's schemaVersion is ${quoted(JSON.stringify(version))}, expected 1`);
  assertFields(manifest, "the manifest", manifestFields);
  const files = filesOf(manifest);
  return { schemaVersion: 1, ...entryPointOf(manifest, files), files };
}
