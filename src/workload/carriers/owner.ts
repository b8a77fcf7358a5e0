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

/**
 * The owner with `controller: true`, of which there is at most one, if its kind owns pods. Any other kind is ignored:
 * an object may name anything as its controller, also a Node, on which the Event would then mislead.
 */
export function ownerOf(metadata: unknown, namespace: string): ObjectReference | undefined {
  const owners = isFields(metadata) ? metadata["ownerReferences"] : undefined;
  if (!Array.isArray(owners)) return undefined;
  const controller: unknown = owners.find((owner) => isFields(owner) && owner["controller"] === true);
  const owner = referenceOf(controller, namespace);
  return owner !== undefined && carrierOf(owner.apiVersion, owner.kind)?.ownsPods === true
    ? owner
    : undefined;
}
