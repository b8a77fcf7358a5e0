import { skillLimits } from "../../skill/limits.ts";
import type { Json } from "../../text/json.ts";
import { pathFault } from "../../skill/path.ts";
import { assertFields, assertObject, fieldOf, readObject, textOf, type JsonObject } from "../json-fields.ts";
import { malformed, unsupported } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";

/**
 * Path of the guide's signature in a skill: at its root. A file of this name in a folder below is not part of the
 * format.
 */
export const guideSignatureFileName = "skill.sig";

/** Path of the skill card: a manifest must list it, for the format exists to sign it. */
export const guideCardFileName = "skill_card.yaml";

/** A parsed signature file, not verified yet. */
export interface GuideSignature {
  /** The signed text, exactly as in the JSON string: its UTF-8 is signed, not a re-serialised form. */
  readonly manifest: string;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** The signed list of files. */
export interface GuideManifest {
  /** The folder's name when it was signed, for information: a skill may be mounted under another. */
  readonly skillRoot: string;
  /** Path → SHA-256, lower-case hex. */
  readonly files: ReadonlyMap<string, string>;
}

const signatureFields = new Set(["alg", "manifest", "signature"]);
const manifestFields = new Set(["files", "skill_root"]);

/**
 * Reads `skill.sig`: a JSON object with exactly `alg`, `manifest` and `signature`, the latter 64 bytes in lower-case
 * hex. The algorithm is checked first: a later version of the format is reported as such, not as malformed.
 * @throws SignatureError MANIFEST_MALFORMED or UNSUPPORTED_FORMAT
 */
export function parseSignatureFile(bytes: Uint8Array): GuideSignature {
  if (bytes.byteLength > skillLimits.signatureBytes)
    throw malformed(`the signature file is larger than ${skillLimits.signatureBytes} bytes`);
  if (bytes.byteLength === 0) throw malformed("the signature file is empty");
  const where = "the signature file";
  const file = readObject(bytes, where);
  const algorithm = textOf(file, "alg", where);
  if (algorithm !== "ed25519")
    throw unsupported(`the signature's algorithm is ${quoted(algorithm)}, expected ed25519`);
  assertFields(file, where, signatureFields);
  const hex = textOf(file, "signature", where);
  if (!/^[0-9a-f]{128}$/.test(hex)) throw malformed("the signature is not 128 lower-case hex digits");
  return { manifest: textOf(file, "manifest", where), signature: Buffer.from(hex, "hex") };
}

/** Whether the last component of a path is the signature file's name. */
export const isNamedAsSignature = (path: string): boolean =>
  path === guideSignatureFileName || path.endsWith(`/${guideSignatureFileName}`);

function digestOf(path: string, value: Json): string {
  const digest = typeof value === "string" ? /^sha256:([0-9a-f]{64})$/.exec(value)?.[1] : undefined;
  if (digest === undefined)
    throw malformed(`the digest of ${quoted(path)} is not sha256: and 64 lower-case hex digits`);
  return digest;
}

function parseFiles(object: JsonObject): ReadonlyMap<string, string> {
  const entries = Object.entries(object);
  if (entries.length > skillLimits.files)
    throw malformed(`the signature lists more than ${skillLimits.files} files`);
  return new Map(
    entries.map(([path, digest]) => {
      const fault = isNamedAsSignature(path)
        ? "is a signature file's, which is never signed"
        : pathFault(path);
      if (fault !== undefined) throw malformed(`the listed name ${quoted(path)} ${fault}`);
      return [path, digestOf(path, digest)];
    }),
  );
}

/**
 * Reads the signed text: a JSON object with exactly `files` and `skill_root`. It need not be in the canonical form
 * that signers write: the signature covers the text as it is, and strict JSON has one meaning.
 * @throws SignatureError MANIFEST_MALFORMED, also if the skill card is not listed
 */
export function parseManifest(text: string): GuideManifest {
  const where = "the manifest";
  const manifest = readObject(text, where);
  assertFields(manifest, where, manifestFields);
  const skillRoot = textOf(manifest, "skill_root", where);
  if (Buffer.byteLength(skillRoot) > skillLimits.pathBytes)
    throw malformed(`the manifest's skill_root is longer than ${skillLimits.pathBytes} bytes`);
  const files = parseFiles(assertObject(fieldOf(manifest, "files"), "the manifest's list of files"));
  if (!files.has(guideCardFileName)) {
    throw malformed(
      `the signature does not list ${guideCardFileName}, which this format demands: add the card and sign again`,
    );
  }
  return { skillRoot, files };
}
