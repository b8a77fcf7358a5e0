import type { KubernetesObject } from "../../kubernetes/object.ts";
import { PolicyError, type PolicyErrorCode } from "../policy-error.ts";
import type { OwnKind } from "./kinds.ts";
import { nameOf } from "./schema/name.ts";

/** Why one resource cannot be used; written to its status as the condition `Ready: False`. */
export interface ResourceProblem {
  readonly kind: OwnKind;
  /** `metadata.name`; empty where there is none. */
  readonly name: string;
  /** One word in camel case, as conditions have it. */
  readonly reason: PolicyErrorCode;
  readonly message: string;
}

/** Takes down what is wrong with a resource. */
export type Note = (problem: ResourceProblem) => void;

/** What is wrong with a resource, in the words of the error; any other error goes on. */
export function problemOf(kind: OwnKind, object: KubernetesObject, error: unknown): ResourceProblem {
  if (!(error instanceof PolicyError)) throw error;
  return { kind, name: nameOf(object) ?? "", reason: error.code, message: error.message };
}
