import type { Json } from "../../../text/json.ts";
import { assertObject, fieldOf, listOf, readObject, textOf } from "../../json-fields.ts";
import { malformed, SignatureError, unsupported } from "../../signature-error.ts";
import { quoted } from "../../../text/printable.ts";

/** An in-toto statement (in-toto attestation framework, v1): a claim about artifacts. */
export interface Statement {
  readonly predicateType: string;
  /** SHA-256 of its subjects, as it writes them. */
  readonly subjects: readonly string[];
}

const types: ReadonlySet<string> = new Set([
  "https://in-toto.io/Statement/v1",
  "https://in-toto.io/Statement/v0.1",
]);

/** Limit of subjects. A release of an npm package has one, of a compiler dozens. */
const maxSubjects = 1_024;

/** Reads a subject's SHA-256; none if it has other digests only, for artifacts are identified by SHA-256. */
function digestOf(value: Json, where: string): readonly string[] {
  const digests = assertObject(fieldOf(assertObject(value, where), "digest"), `${where}.digest`);
  const sha256 = fieldOf(digests, "sha256");
  if (sha256 === undefined) return [];
  if (typeof sha256 !== "string") throw malformed(`${where}.digest.sha256 is not text`);
  return [sha256];
}

/**
 * Reads an envelope's payload, without the predicate.
 * @throws SignatureError MANIFEST_MALFORMED; UNSUPPORTED_FORMAT for another type than a supported statement
 */
export function readStatement(payload: Uint8Array): Statement {
  const statement = readObject(payload, "the statement");
  const type = textOf(statement, "_type", "the statement");
  if (!types.has(type)) throw unsupported(`the statement is of the type ${quoted(type)}`);
  const subjects = listOf(statement, "subject", "the statement", maxSubjects);
  return {
    predicateType: textOf(statement, "predicateType", "the statement"),
    subjects: subjects.flatMap((subject, at) => digestOf(subject, `subject[${at}]`)),
  };
}

/**
 * Asserts that a statement is about the artifact: a valid signature over another one proves nothing.
 * @param sha256 of the artifact, 64 lower-case hex digits
 * @throws SignatureError BAD_SIGNATURE
 */
export function assertSubject({ subjects }: Statement, sha256: string): void {
  if (subjects.includes(sha256)) return;
  throw new SignatureError(
    "BAD_SIGNATURE",
    `the statement is about ${subjects.length === 0 ? "nothing" : "other artifacts"}, not about sha256:${sha256}`,
  );
}
