import type { KubernetesObject } from "../../kubernetes/object.ts";
import { PolicyError, type PolicyErrorCode } from "../policy-error.ts";
import type { OwnKind } from "./kinds.ts";
import { nameOf } from "./schema/name.ts";

/** Reason why one resource cannot be used; written to its status as the condition `Ready: False`. */
export interface ResourceProblem {
  readonly kind: OwnKind;
  /** `metadata.name`; empty if it is missing or invalid. */
  readonly name: string;
  /** One word in camel case, as conditions require. */
  readonly reason: PolicyErrorCode;
  readonly message: string;
}

/** Records a problem. */
export type Note = (problem: ResourceProblem) => void;

/** Turns a PolicyError into a problem of its resource; rethrows any other error. */
export function problemOf(kind: OwnKind, object: KubernetesObject, error: unknown): ResourceProblem {
  if (!(error instanceof PolicyError)) throw error;
  return { kind, name: nameOf(object) ?? "", reason: error.code, message: error.message };
}
