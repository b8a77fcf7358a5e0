import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { statusOf, type Status } from "../../src/cluster/live/status/conditions.ts";
import type { KubernetesObject } from "../../src/kubernetes/object.ts";
import { textsOf } from "../../src/cluster/live/status/registered.ts";
import { everything } from "../../src/kubernetes/selection.ts";
import { governedBy } from "../../src/policy/coverage.ts";
import { compileSnapshot } from "../../src/policy/compile/snapshot.ts";
import { forEachKind, ownKinds, type OwnKind } from "../../src/policy/resource/kinds.ts";
import { marksOfPublisher, publisherMark } from "../../src/policy/trust/usage.ts";
import { publicGoodRoot } from "../../src/signature/sigstore/root/public-good-root.ts";
import { root } from "./files.ts";

/** A whole resource, as its reference page shows it. */
export interface Example {
  /** One line. */
  readonly title: string;
  /** YAML. */
  readonly text: string;
  readonly object: KubernetesObject;
}

/** An example with the status that the controller writes about it. */
export interface JudgedExample extends Example {
  readonly status: Status;
}

export type Examples = Readonly<Record<OwnKind, readonly Example[]>>;

/** The examples have to be mended by hand. The message names file or field, and ends with the remedy. */
export class ExampleError extends Error {}

/** Path in the repository of a kind's examples: YAML documents, each below a comment of one line, its title. */
export const examplesPath = (kind: OwnKind): string => `examples/reference/${kind.toLowerCase()}.yaml`;

/** Moment at which the statuses are written: another one would change the pages. */
const now = Date.parse("2026-12-01T00:00:00Z");

/**
 * Reads a file of examples.
 * @throws ExampleError if one has no title
 */
export const readExamples = (source: string): readonly Example[] =>
  source.split(/^---\n/m).map((document) => {
    const [, title, text] = /^# (.+)\n([^#][^]*)$/.exec(document) ?? [];
    if (title === undefined || text === undefined)
      throw new ExampleError(
        `an example begins with ${JSON.stringify(document.slice(0, 40))}; give it a title: "# …"`,
      );
    const object = parse(text) as KubernetesObject;
    return {
      title,
      text,
      object: { ...object, metadata: { ...(object["metadata"] as object), generation: 1 } },
    };
  });

/**
 * Text of a kind's examples.
 * @throws ExampleError that says what belongs into the file, where there is none
 */
export async function examplesText(kind: OwnKind, folder = root): Promise<string> {
  const path = examplesPath(kind);
  try {
    return await readFile(join(folder, path), "utf8");
  } catch (cause) {
    throw new ExampleError(
      `${path} cannot be read; write whole examples of a ${kind} there, each below a comment of one line`,
      { cause },
    );
  }
}

/** The examples of all kinds. */
export async function allExamples(): Promise<Examples> {
  const read = async (kind: OwnKind) => [kind, readExamples(await examplesText(kind))] as const;
  return Object.fromEntries(await Promise.all(ownKinds.map(read))) as Examples;
}

/**
 * Adds the statuses that the controller writes where all examples are in one cluster, and what they refer to is there.
 * @throws ExampleError if one would not be ready
 */
export function judgeExamples(examples: Examples): Readonly<Record<OwnKind, readonly JudgedExample[]>> {
  const objects = forEachKind((kind) => examples[kind].map(({ object }) => object));
  const compiled = compileSnapshot(objects, { resolve: () => ({ text: publicGoodRoot }) });
  const standing = { workloads: 1, first: ["Deployment payments/triage"] };
  const standings = new Map(compiled.policies.map(({ name }) => [name, standing]));
  const registration = {
    governed: textsOf(governedBy(compiled.policies)),
    scope: everything,
    failurePolicy: "Fail",
  } as const;
  // As if something ran that each publisher signed.
  const seen = new Set(
    compiled.policies.flatMap(({ name, publishers }) =>
      publishers.flatMap((one) => [publisherMark(name, one.name), ...marksOfPublisher(one)]),
    ),
  );
  const problems = compiled.problems.map(({ kind, name, message }) => `${kind} ${name}: ${message}`);
  if (problems.length > 0)
    throw new ExampleError(`examples that would not be ready: ${problems.join("; ")}; correct them`);
  return forEachKind((kind) =>
    examples[kind].map((example) => ({
      ...example,
      status: statusOf(kind, example.object, { ...compiled, standings, registration, seen }, now),
    })),
  );
}
