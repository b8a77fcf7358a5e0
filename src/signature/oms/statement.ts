import type { Json } from "../../text/json.ts";
import {
  assertFields,
  assertObject,
  fieldOf,
  listOf,
  readObject,
  textOf,
  type JsonObject,
} from "../json-fields.ts";
import { rootDigestOf } from "./digest.ts";
import { malformed, unsupported } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import { ignoredPaths } from "./ignore.ts";
import { assertListedPath, assertNoneIgnored, type ListedPiece, type OmsManifest } from "./manifest.ts";
import { assertDigest, parseResources, parseSerialization } from "./serialization.ts";

export const statementType = "https://in-toto.io/Statement/v1";
/** Predicate type since model-signing 0.3. */
export const predicateType = "https://model_signing/signature/v1.0";
/** Predicate type of model-signing 0.2. */
const legacyPredicateType = "https://model_signing/Digests/v0.1";

const statementFields = new Set(["_type", "subject", "predicateType", "predicate"]);
const predicateFields = new Set(["serialization", "resources"]);
const subjectFields = new Set(["name", "digest"]);
const legacySubjectFields = new Set(["name", "digest", "annotations"]);
const maxFiles = 10_000;

interface Subject {
  readonly name: string;
  readonly sha256: string;
}

function readSubject(value: Json, where: string, known: ReadonlySet<string>): Subject {
  const subject = assertObject(value, where);
  assertFields(subject, where, known);
  const name = textOf(subject, "name", where);
  if (name === "") throw malformed(`${where}.name is empty`);
  // Other algorithms are allowed beside SHA-256 (in-toto's DigestSet), but not compared.
  const digests = assertObject(fieldOf(subject, "digest"), `${where}.digest`);
  return { name, sha256: assertDigest(textOf(digests, "sha256", `${where}.digest`), "sha256", where) };
}

/** Renames a single file listed as `.`: the statement's subject has its name. */
function nameSingleFile(files: Map<string, readonly ListedPiece[]>, subject: Subject): void {
  const pieces = files.get(".");
  if (pieces === undefined) return;
  files.delete(".");
  if (subject.name.includes("/")) throw malformed(`the signed file's name ${quoted(subject.name)} is a path`);
  files.set(assertListedPath(subject.name), pieces);
}

function readCurrent(subjects: readonly Json[], predicate: JsonObject): OmsManifest {
  if (subjects.length !== 1)
    throw malformed(`the statement has ${subjects.length} subjects, expected exactly one`);
  const subject = readSubject(subjects[0] ?? null, "subject[0]", subjectFields);
  assertFields(predicate, "predicate", predicateFields);
  const serialization = parseSerialization(fieldOf(predicate, "serialization"));
  const { files, digests } = parseResources(predicate, serialization);
  nameSingleFile(files, subject);
  const digest = rootDigestOf(digests);
  if (digest !== `sha256:${subject.sha256}`) {
    throw malformed(
      `the signed list contradicts itself: its root digest is sha256:${subject.sha256}, its files make ${digest}`,
    );
  }
  const ignored = ignoredPaths(serialization.ignorePaths);
  assertNoneIgnored(files.keys(), ignored);
  return {
    digest,
    hash: serialization.hash,
    files,
    sharded: serialization.shardSize !== undefined,
    ignored,
    legacy: false,
  };
}

/**
 * Reads a statement of model-signing 0.2: one subject for each file, no serialization, no root digest; `annotations`
 * states how each digest was made.
 */
function readLegacy(subjects: readonly Json[]): OmsManifest {
  if (subjects.length === 0) throw malformed("the signature lists no files");
  const files = new Map<string, readonly ListedPiece[]>();
  for (const [at, value] of subjects.entries()) {
    const { name, sha256 } = readSubject(value, `subject[${at}]`, legacySubjectFields);
    const annotations = fieldOf(assertObject(value, `subject[${at}]`), "annotations") ?? {};
    const made = fieldOf(assertObject(annotations, `subject[${at}].annotations`), "actual_hash_algorithm");
    if (made !== undefined && made !== "file-sha256") {
      throw unsupported(`the digest of ${quoted(name)} was made by another algorithm than file-sha256`);
    }
    if (files.has(name)) throw malformed(`the name ${quoted(name)} is listed twice`);
    files.set(assertListedPath(name), [{ digest: sha256 }]);
  }
  const ignored = ignoredPaths([]);
  assertNoneIgnored(files.keys(), ignored);
  const digests = [...files.values()].flatMap((pieces) => pieces.map(({ digest }) => digest));
  return { digest: rootDigestOf(digests), hash: "sha256", files, sharded: false, ignored, legacy: true };
}

/**
 * Reads the in-toto statement of an OpenSSF Model Signing signature, versions 0.2 to 1.1. Types are checked first: a
 * statement about something else must never pass for one about files (CVE-2022-35930).
 * @throws SignatureError MANIFEST_MALFORMED or UNSUPPORTED_FORMAT
 */
export function parseStatement(payload: Uint8Array): OmsManifest {
  const statement = readObject(payload, "the signed statement");
  const type = textOf(statement, "_type", "the signed statement");
  if (type !== statementType)
    throw unsupported(`the statement's type is ${quoted(type)}, expected ${statementType}`);
  const claim = textOf(statement, "predicateType", "the signed statement");
  if (claim !== predicateType && claim !== legacyPredicateType) {
    throw unsupported(`the predicate type is ${quoted(claim)}, expected ${predicateType}`);
  }
  assertFields(statement, "the signed statement", statementFields);
  const subjects = listOf(statement, "subject", "the signed statement", maxFiles);
  const predicate = assertObject(fieldOf(statement, "predicate"), "predicate");
  return claim === predicateType ? readCurrent(subjects, predicate) : readLegacy(subjects);
}
