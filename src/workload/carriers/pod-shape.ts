import { isFields, type Fields } from "../../text/fields.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";

/** Lists of containers: those of pods, and what Tekton and Argo Workflows call theirs. */
const containerLists = ["containers", "initContainers", "ephemeralContainers", "steps", "sidecars"] as const;

/** Single containers: those of Argo Workflows, and what Tekton's steps have in common. */
const singleContainers = ["container", "script", "stepTemplate"] as const;

/**
 * Groups whose objects describe pods and make none: schemas with examples and defaults, and patterns that others are held
 * against.
 */
const describing: ReadonlySet<string> = new Set([
  "apiextensions.k8s.io",
  "admissionregistration.k8s.io",
  "constraints.gatekeeper.sh",
  "mutations.gatekeeper.sh",
  "templates.gatekeeper.sh",
]);

/** Fields of Kyverno's policies in which others are described: what `generate` has is made. */
const patterns: ReadonlySet<string> = new Set(["validate", "mutate"]);

const none: ReadonlySet<string> = new Set();

const patternsOf = (group: string): ReadonlySet<string> =>
  /(?:^|\.)kyverno\.io$/.test(group) ? patterns : none;

const isText = (value: unknown): boolean => typeof value === "string" && value !== "";

/** A container says what it runs, or where it mounts files. */
const isContainer = (value: unknown): boolean =>
  isFields(value) && (isText(value["image"]) || mountsFiles(value));

function mountsFiles({ volumeMounts }: Fields): boolean {
  return (
    Array.isArray(volumeMounts) &&
    volumeMounts.some((mount: unknown) => isFields(mount) && isText(mount["mountPath"]))
  );
}

/** Name of the field that makes these the fields of a pod or of a part of one. */
function telltale(fields: Fields): string | undefined {
  const list = containerLists.find((name) => {
    const value = fields[name];
    return Array.isArray(value) && value.some(isContainer);
  });
  if (list !== undefined) return list;
  const single = singleContainers.find((name) => isContainer(fields[name]));
  return single ?? (mountsFiles(fields) ? "volumeMounts" : undefined);
}

interface Seen {
  readonly value: object;
  readonly path: string;
}

const isBranch = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Objects and lists in one, with their paths, but for some fields. */
function inside({ value, path }: Seen, passedOver: ReadonlySet<string>): readonly Seen[] {
  const seen: Seen[] = [];
  const isList = Array.isArray(value);
  for (const [name, inner] of Object.entries(value) as readonly [string, unknown][])
    if (isBranch(inner) && !passedOver.has(name))
      seen.push({ value: inner, path: isList ? `${path}[${name}]` : path === "" ? name : `${path}.${name}` });
  return seen;
}

const groupOf = (apiVersion: unknown): string =>
  typeof apiVersion === "string" ? apiVersion.split("/").slice(0, -1).join("/") : "";

/**
 * Path of the first field in an object of any kind that looks like containers of a pod: `spec.template.spec.containers`.
 * Undefined where there is none, and for kinds that only describe pods. The time is in proportion to the object's size.
 */
export function podShapeIn(object: KubernetesObject): string | undefined {
  const group = groupOf(object.apiVersion);
  if (describing.has(group)) return undefined;
  const passedOver = patternsOf(group);
  const own = Object.entries(object).filter(([name]) => name !== "metadata" && name !== "status");
  let level: readonly Seen[] = [{ value: Object.fromEntries(own), path: "" }];
  // Level by level: what stands nearest to the top is what its author knows.
  while (level.length > 0) {
    for (const { value, path } of level) {
      const field = isFields(value) ? telltale(value) : undefined;
      if (field !== undefined) return path === "" ? field : `${path}.${field}`;
    }
    level = level.flatMap((seen) => inside(seen, passedOver));
  }
  return undefined;
}
