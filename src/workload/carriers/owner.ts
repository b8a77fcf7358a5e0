import { defined, isFields } from "../../text/fields.ts";
import { carrierOf } from "./carriers.ts";

/** Reference to an object, as an Event holds it. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
}

const textOf = (value: unknown, limit: number): string | undefined =>
  typeof value === "string" && value !== "" && value.length <= limit ? value : undefined;

/** Builds a reference from untrusted fields; undefined if they are incomplete or too long. */
export function referenceOf(fields: unknown, namespace: string): ObjectReference | undefined {
  if (!isFields(fields)) return undefined;
  const apiVersion = textOf(fields["apiVersion"], 253);
  const kind = textOf(fields["kind"], 63);
  const name = textOf(fields["name"], 253);
  const uid = textOf(fields["uid"], 64);
  if (apiVersion === undefined || kind === undefined || name === undefined) return undefined;
  return { apiVersion, kind, name, namespace, ...defined({ uid }) };
}

const isController = (owner: unknown): boolean => isFields(owner) && owner["controller"] === true;

function ownerReferences(metadata: unknown): readonly unknown[] {
  const owners = isFields(metadata) ? metadata["ownerReferences"] : undefined;
  return Array.isArray(owners) ? owners : [];
}

/** The owner with `controller: true`, of which there is at most one. */
const controllerOf = (metadata: unknown, namespace: string): ObjectReference | undefined =>
  referenceOf(ownerReferences(metadata).find(isController), namespace);

/** Owners that are read: more are no chain that any controller makes. */
const maxOwners = 20;

/** All owners that an object names, its controller first. Nothing proves them: an object may name any. */
export function ownersOf(metadata: unknown, namespace: string): readonly ObjectReference[] {
  const owners = ownerReferences(metadata);
  const ordered = [...owners.filter(isController), ...owners.filter((owner) => !isController(owner))];
  return ordered.slice(0, maxOwners).flatMap((owner) => referenceOf(owner, namespace) ?? []);
}

/**
 * The controller of an object, if its kind owns pods. Any other kind is ignored: an object may name anything as its
 * controller.
 */
export function ownerOf(metadata: unknown, namespace: string): ObjectReference | undefined {
  const owner = controllerOf(metadata, namespace);
  return owner !== undefined && carrierOf(owner.apiVersion, owner.kind)?.ownsPods === true
    ? owner
    : undefined;
}

/** Whether a group and version are of a custom resource: groups of Kubernetes itself have no dot, or end with `.k8s.io`. */
const isCustom = (apiVersion: string): boolean =>
  /^[a-z0-9-]+(?:[.][a-z0-9-]+)+[/][a-z0-9]+$/.test(apiVersion) && !/[.]k8s[.]io[/]/.test(apiVersion);

/**
 * The controller that makes pods as the object says: of Kubernetes' own kinds those that own pods, and any custom
 * resource, such as a TaskRun, a Workflow or a Sandbox. Not a Node, on which an Event would mislead.
 */
export const makerOf = (metadata: unknown, namespace: string): ObjectReference | undefined => {
  const owner = ownerOf(metadata, namespace);
  if (owner !== undefined) return owner;
  const controller = controllerOf(metadata, namespace);
  return controller !== undefined && isCustom(controller.apiVersion) ? controller : undefined;
};
