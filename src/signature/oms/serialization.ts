import type { Json } from "../../text/json.ts";
import { assertFields, assertObject, fieldOf, listOf, textOf, type JsonObject } from "../json-fields.ts";
import { malformed, unsupported } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import { hexLength, isOmsHash, type OmsHash } from "./digest.ts";
import { parseIgnorePaths } from "./ignore.ts";
import { assertListedPath, type ListedPiece } from "./manifest.ts";

/** Method by which a tree was serialised into a list. */
export interface Serialization {
  readonly hash: OmsHash;
  /** Bytes of one shard; absent for the method files. */
  readonly shardSize?: number;
  readonly ignorePaths: readonly string[];
}

/** Listed files, and all digests in listed order. */
export interface Resources {
  readonly files: Map<string, readonly ListedPiece[]>;
  readonly digests: readonly string[];
}

const serializationFields = new Set(["method", "hash_type", "shard_size", "allow_symlinks", "ignore_paths"]);
const resourceFields = new Set(["name", "algorithm", "digest"]);
const maxFiles = 10_000;
const maxShards = 65_536;

function shardSizeOf(object: JsonObject, method: string): { readonly shardSize?: number } {
  const value = fieldOf(object, "shard_size");
  if (method === "files") {
    if (value !== undefined) throw malformed("serialization.shard_size stands beside the method files");
    return {};
  }
  if (method !== "shards") {
    throw unsupported(`the serialization method ${quoted(method)} is not supported: files and shards are`);
  }
  // Newer protobuf libraries write 1000.0, the same number.
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
    throw malformed("serialization.shard_size is not a whole number of bytes");
  }
  return { shardSize: value };
}

/** @throws SignatureError */
export function parseSerialization(value: Json | undefined): Serialization {
  const where = "serialization";
  const object = assertObject(value, where);
  assertFields(object, where, serializationFields);
  const shards = shardSizeOf(object, textOf(object, "method", where));
  const hash = textOf(object, "hash_type", where);
  if (!isOmsHash(hash)) {
    throw unsupported(
      `the hash type ${quoted(hash)} is not supported: ${Object.keys(hexLength).join(", ")} are`,
    );
  }
  // Either value is accepted: a skill here holds regular files only.
  if (typeof (fieldOf(object, "allow_symlinks") ?? false) !== "boolean") {
    throw malformed("serialization.allow_symlinks is neither true nor false");
  }
  return { hash, ...shards, ignorePaths: parseIgnorePaths(fieldOf(object, "ignore_paths")) };
}

const hexDigits = /^[0-9a-f]+$/;

/** @throws SignatureError MANIFEST_MALFORMED unless it is a digest of this algorithm in lower-case hex */
export function assertDigest(digest: string, hash: OmsHash, where: string): string {
  if (digest.length !== hexLength[hash] || !hexDigits.test(digest)) {
    throw malformed(`the digest of ${where} is not ${hexLength[hash]} lower-case hex digits (${hash})`);
  }
  return digest;
}

const shardName = /^([^:]*):(0|[1-9]\d{0,14}):([1-9]\d{0,14})$/;

interface Shard {
  readonly start: number;
  readonly end: number;
  readonly digest: string;
}

/** Reads `path:start:end`. A path with a colon would be ambiguous; the reference refuses it too. */
function readShard(name: string, digest: string): { readonly path: string; readonly shard: Shard } {
  const match = shardName.exec(name);
  if (match === null)
    throw malformed(`the listed name ${quoted(name)} is not path:start:end, with no colon in the path`);
  const [, path = "", start, end] = match;
  return { path: assertListedPath(path), shard: { start: Number(start), end: Number(end), digest } };
}

/** @throws SignatureError MANIFEST_MALFORMED for shards that leave a gap, overlap, or are not of the stated size */
function piecesOf(path: string, shards: readonly Shard[], size: number): readonly ListedPiece[] {
  const sorted = shards.toSorted((one, other) => one.start - other.start);
  for (const [at, { start, end }] of sorted.entries()) {
    const full = at < sorted.length - 1;
    if (start !== at * size || end <= start || end - start > size || (full && end - start !== size)) {
      throw malformed(`the shards of ${quoted(path)} do not follow one another in pieces of ${size} bytes`);
    }
  }
  return sorted.map(({ start, end, digest }) => ({ range: { start, end }, digest }));
}

function readResource(
  value: Json,
  at: number,
  serialization: Serialization,
): { name: string; digest: string } {
  const where = `predicate.resources[${at}]`;
  const resource = assertObject(value, where);
  assertFields(resource, where, resourceFields);
  const { hash, shardSize } = serialization;
  const name = textOf(resource, "name", where);
  const algorithm = textOf(resource, "algorithm", where);
  const expected = shardSize === undefined ? hash : `${hash}-sharded-${shardSize}`;
  if (algorithm !== expected) {
    throw malformed(
      `the algorithm of ${quoted(name)} is ${quoted(algorithm)}, but the serialization says ${expected}`,
    );
  }
  return { name, digest: assertDigest(textOf(resource, "digest", where), hash, quoted(name)) };
}

/**
 * Reads `predicate.resources`, more strictly than the reference.
 * @throws SignatureError MANIFEST_MALFORMED for an empty list, a repeated name, a name that is no clean path, or an
 *   algorithm or digest that does not fit the serialization
 */
export function parseResources(predicate: JsonObject, serialization: Serialization): Resources {
  const { shardSize } = serialization;
  const list = listOf(predicate, "resources", "predicate", shardSize === undefined ? maxFiles : maxShards);
  if (list.length === 0) throw malformed("the signature lists no files");
  const digests: string[] = [];
  const files = new Map<string, readonly ListedPiece[]>();
  const shards = new Map<string, Shard[]>();
  for (const [at, value] of list.entries()) {
    const { name, digest } = readResource(value, at, serialization);
    digests.push(digest);
    if (shardSize !== undefined) {
      const { path, shard } = readShard(name, digest);
      const known = shards.get(path);
      if (known === undefined) shards.set(path, [shard]);
      else known.push(shard);
    } else {
      if (files.has(name)) throw malformed(`the name ${quoted(name)} is listed twice`);
      // A signature over one file names it "."; the statement's subject has its name.
      files.set(name === "." && list.length === 1 ? name : assertListedPath(name), [{ digest }]);
    }
  }
  for (const [path, parts] of shards) files.set(path, piecesOf(path, parts, shardSize ?? 0));
  return { files, digests };
}
