import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, Parser, type Document, type Pair } from "yaml";
import type { Json } from "./json.ts";

/** Text that is not YAML, or that two readers could understand differently. `line` counts from 1. */
export class YamlError extends Error {
  override readonly name = "YamlError";
  readonly line: number;

  constructor(message: string, line: number, options?: ErrorOptions) {
    super(`line ${line}: ${message}`, options);
    this.line = line;
  }
}

export interface YamlOptions {
  /**
   * `failsafe`: every scalar is a string, so a version `1.10` stays `1.10`. `core`: numbers, booleans and null of
   * YAML 1.2.
   */
  readonly schema: "failsafe" | "core";
  /** Bytes in UTF-8. */
  readonly maxBytes: number;
  /**
   * Lexical tokens; default 5,000. They bound the time: a token takes some 3 µs. Real cards and frontmatter have 350
   * at most.
   */
  readonly maxTokens?: number;
}

const defaultTokens = 5_000;
const maxDepth = 64;
const maxDocuments = 1_000;

interface Reading {
  readonly text: string;
  readonly document: Document;
  readonly aliases: boolean;
  /** Values that may still be made; an alias costs as much as its target. */
  budget: number;
}

/** Lines of places that are asked for in their order: from the last one on, since a stream may have thousands. */
function lineCounter(text: string): (offset: number) => number {
  let line = 1;
  let at = text.indexOf("\n");
  return (offset) => {
    for (; at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line += 1;
    return line;
  };
}

const lineAt = (text: string, offset: number): number => lineCounter(text)(offset);

/** Index of a node's first character. */
const startOf = (node: unknown): number =>
  (node as { readonly range?: readonly number[] | null } | null)?.range?.[0] ?? 0;

function refuse(reading: Reading, node: unknown, message: string): never {
  throw new YamlError(message, lineAt(reading.text, startOf(node)));
}

function compose(text: string, options: YamlOptions): readonly Document[] {
  if (Buffer.byteLength(text) > options.maxBytes) {
    throw new YamlError(`longer than ${options.maxBytes} bytes`, 1);
  }
  const maxTokens = options.maxTokens ?? defaultTokens;
  const parser = new Parser();
  const tokens = [];
  let count = 0;
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    count += 1;
    if (count > maxTokens) throw new YamlError(`more than ${maxTokens} tokens`, lineAt(text, offset));
    offset += lexeme.length;
    tokens.push(...parser.next(lexeme));
  }
  tokens.push(...parser.end());
  // The library compares every key with every other, in quadratic time: `mapping` does it instead.
  const composer = new Composer({ schema: options.schema, version: "1.2", merge: false, uniqueKeys: false });
  try {
    return [...composer.compose(tokens)];
  } catch (cause) {
    throw new YamlError("nested too deeply", 1, { cause });
  }
}

function read(text: string, document: Document, aliases: boolean, budget: number): Json {
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) {
    throw new YamlError(problem.message.slice(0, 120), lineAt(text, problem.pos[0]), { cause: problem });
  }
  const reading: Reading = { text, document, aliases, budget };
  const directives = document.directives;
  if (directives?.yaml.explicit === true || Object.keys(directives?.tags ?? {}).length > 1) {
    refuse(reading, document, "a % directive changes how the text is read; remove it");
  }
  return toJson(reading, document.contents, 0);
}

function toJson(reading: Reading, node: unknown, depth: number): Json {
  reading.budget -= 1;
  if (reading.budget < 0) refuse(reading, node, "aliases make the document too large");
  if (depth > maxDepth) refuse(reading, node, `nested deeper than ${maxDepth} levels`);
  if (node === null) return null;
  if (isAlias(node)) {
    if (!reading.aliases) refuse(reading, node, `the alias *${node.source} is refused; write the value out`);
    const target = node.resolve(reading.document);
    if (target === undefined) refuse(reading, node, `the alias *${node.source} names no anchor before it`);
    return toJson(reading, target, depth + 1);
  }
  const { anchor, tag } = node as { readonly anchor?: string; readonly tag?: string };
  if (anchor !== undefined && !reading.aliases) {
    refuse(reading, node, `the anchor &${anchor} is refused; write the value out`);
  }
  if (tag !== undefined) refuse(reading, node, `the tag ${tag} is refused; remove it`);
  if (isScalar(node)) return scalar(reading, node, node.value);
  if (isSeq(node)) return node.items.map((item) => toJson(reading, item, depth + 1));
  if (isMap(node)) return mapping(reading, node.items, depth);
  return refuse(reading, node, "not a value");
}

function scalar(reading: Reading, node: unknown, value: unknown): Json {
  if (typeof value === "string") {
    if (!value.isWellFormed()) refuse(reading, node, "a string holds half of a surrogate pair");
    return value;
  }
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return refuse(reading, node, "a number that is not finite");
}

/** Writes a key as text, as Kubernetes and JSON do: `1: a` is `{"1": "a"}`. */
const toName = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

function mapping(reading: Reading, pairs: readonly Pair[], depth: number): Json {
  const members = new Map<string, Json>();
  for (const { key, value } of pairs) {
    if (!isScalar(key) || key.value === null) refuse(reading, key, "a key that is not a plain word");
    if (key.anchor !== undefined || key.tag !== undefined) {
      refuse(reading, key, "a key with an anchor or a tag is refused");
    }
    const name = toName(scalar(reading, key, key.value));
    if (name === "__proto__") refuse(reading, key, 'the key "__proto__" is refused');
    // YAML 1.1 readers merge here, YAML 1.2 readers do not.
    if (name === "<<") refuse(reading, key, 'the merge key "<<" is refused; write the members out');
    if (members.has(name)) refuse(reading, key, `the key ${JSON.stringify(name.slice(0, 64))} stands twice`);
    members.set(name, toJson(reading, value, depth + 1));
  }
  return Object.fromEntries(members);
}

/**
 * Parses one YAML 1.2 document of unknown origin strictly: no anchors, aliases, merge keys, tags or directives, no
 * duplicate keys, no `__proto__`, at most 64 levels. An empty text is null.
 * @throws YamlError with the line
 */
export function parseStrictYaml(text: string, options: YamlOptions): Json {
  const documents = compose(text, options);
  const [first, second] = documents;
  if (second !== undefined) {
    throw new YamlError("a second document begins; one is expected", lineAt(text, second.range?.[0] ?? 0));
  }
  if (first === undefined) return null;
  return read(text, first, false, options.maxTokens ?? defaultTokens);
}

/** One document of a stream, with the line of its first value. */
export interface YamlDocument {
  readonly value: Json;
  readonly line: number;
  /** Lines of the values in the list `items`, where it is a mapping that has one. */
  readonly itemLines: readonly number[];
}

function itemsOf({ contents }: Document): readonly unknown[] {
  const items: unknown = isMap(contents) ? contents.get("items", true) : undefined;
  return isSeq(items) ? items.items : [];
}

/**
 * Parses a stream of manifests; empty documents are left out. As `parseStrictYaml`, but with anchors and aliases:
 * written out, all documents together may have at most `maxTokens` values.
 * @throws YamlError with the line
 */
export function parseStrictYamlDocuments(text: string, options: YamlOptions): readonly YamlDocument[] {
  const documents = compose(text, options);
  if (documents.length > maxDocuments) throw new YamlError(`more than ${maxDocuments} documents`, 1);
  const result: YamlDocument[] = [];
  const lineOf = lineCounter(text);
  let budget = options.maxTokens ?? defaultTokens;
  for (const document of documents) {
    const value = read(text, document, true, budget);
    budget -= countValues(value);
    if (value === null) continue;
    const line = lineOf(startOf(document.contents));
    result.push({ value, line, itemLines: itemsOf(document).map((item) => lineOf(startOf(item))) });
  }
  return result;
}

function countValues(value: Json): number {
  if (value === null || typeof value !== "object") return 1;
  return Object.values(value).reduce<number>((sum, item) => sum + countValues(item), 1);
}
