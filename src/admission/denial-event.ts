import { sha256 } from "../skill/digest.ts";
import { isFields } from "../text/fields.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { apiVersion } from "../policy/resource/kinds.ts";
import type { Decision, ReviewSubject } from "./decision.ts";
import { blocks, denialText, subjectText } from "./denial.ts";
import { printable } from "../text/printable.ts";
import { carrierOf } from "../workload/carriers/carriers.ts";

/** An object as an Event names it. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
}

/** What is to be told where an operator looks: on the object that would try again. */
export interface DenialEvent {
  readonly reason: "SkillDenied" | "SkillReviewFailed";
  readonly namespace: string;
  /** The controller that made the denied object; the object itself where none of Kubernetes' own did. */
  readonly regarding: ObjectReference;
  /** The first policy that denied. */
  readonly related?: ObjectReference;
  /** The same for what is the same denial again. */
  readonly key: string;
  /** At most 1 KiB of UTF-8; made on demand. */
  readonly note: () => string;
}

/** What events.k8s.io/v1 takes as a note, bytes. */
const maxNote = 1024;
/** Findings that tell one denial from another; those behind them come and go with these. */
const maxTold = 100;

const textOf = (value: unknown, limit: number): string | undefined =>
  typeof value === "string" && value !== "" && value.length <= limit ? value : undefined;

/** A reference from fields that anybody may have written; undefined where it is none. */
function referenceOf(fields: unknown, namespace: string): ObjectReference | undefined {
  if (!isFields(fields)) return undefined;
  const apiVersion = textOf(fields["apiVersion"], 253);
  const kind = textOf(fields["kind"], 63);
  const name = textOf(fields["name"], 253);
  const uid = textOf(fields["uid"], 64);
  if (apiVersion === undefined || kind === undefined || name === undefined) return undefined;
  return { apiVersion, kind, name, namespace, ...(uid === undefined ? {} : { uid }) };
}

/**
 * The controller among an object's owners (`controller: true`, of which there is one at most), if it owns pods. Whatever else an
 * object calls its controller may be anything, also a Node, which would then seem to have something to do with the denial.
 */
function ownerOf(metadata: unknown, namespace: string): ObjectReference | undefined {
  const owners = isFields(metadata) ? metadata["ownerReferences"] : undefined;
  if (!Array.isArray(owners)) return undefined;
  const controller: unknown = owners.find((owner) => isFields(owner) && owner["controller"] === true);
  const owner = referenceOf(controller, namespace);
  return owner !== undefined && carrierOf(owner.apiVersion, owner.kind)?.ownsPods === true
    ? owner
    : undefined;
}

function regardingOf(
  { kind, name, namespace, operation }: ReviewSubject,
  object: KubernetesObject | undefined,
): ObjectReference | undefined {
  const metadata = object?.metadata;
  const owner = ownerOf(metadata, namespace);
  if (owner !== undefined) return owner;
  // What is denied at its creation never existed, and comes with another uid at each attempt.
  const uid = isFields(metadata) && operation === "UPDATE" ? metadata["uid"] : undefined;
  // A name that the API server has still to choose is shown as its beginning.
  return referenceOf(
    { apiVersion: object?.["apiVersion"], kind, name: name.replace(/\*$/, ""), uid },
    namespace,
  );
}

const hashOf = (parts: readonly unknown[]): string => sha256(Buffer.from(JSON.stringify(parts)));

/**
 * The Event that a decision calls for: for denials and reviews that failed, and never for a dry run.
 * @param object the denied object
 */
export function denialEvent(
  decision: Decision,
  object: KubernetesObject | undefined,
): DenialEvent | undefined {
  const { subject, id } = decision;
  if (subject.dryRun || (decision.outcome !== "deny" && decision.outcome !== "error")) return undefined;
  const { namespace } = subject;
  const regarding = regardingOf(subject, object);
  if (namespace === "" || regarding === undefined) return undefined;
  const base = { namespace, regarding };
  if (decision.outcome === "error") {
    const { code, message } = decision;
    return {
      ...base,
      reason: "SkillReviewFailed",
      key: hashOf([regarding, code]),
      note: () =>
        `skill-admission could not review ${subjectText(subject)}: ${code} ${printable(message, 300)}\ndecision ${id}`,
    };
  }
  if ("bypass" in decision) return undefined;
  const denying = decision.verdicts.filter(({ outcome }) => outcome === "deny");
  const told = denying.flatMap(({ policy, skills }) =>
    skills.flatMap(({ reference, findings }) =>
      findings.filter(blocks).map(({ code, path }) => [policy, reference.name, reference.path, code, path]),
    ),
  );
  const [first] = denying;
  return {
    ...base,
    reason: "SkillDenied",
    ...(first === undefined
      ? {}
      : {
          related: {
            apiVersion,
            kind: "ClusterSkillPolicy",
            name: first.policy,
          },
        }),
    key: hashOf([regarding, told.slice(0, maxTold)]),
    note: () => denialText(denying, subject, id, maxNote),
  };
}
