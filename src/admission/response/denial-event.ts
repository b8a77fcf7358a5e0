import { sha256 } from "../../skill/digest.ts";
import { isFields } from "../../text/fields.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { resourceOf } from "../../policy/always.ts";
import { apiVersion } from "../../policy/resource/kinds.ts";
import { isBinding, type Decision, type ReviewSubject } from "../decision.ts";
import { causesOf } from "../decide.ts";
import { denialText } from "./denial.ts";
import { failedReviewText } from "./failed-review.ts";
import { makerOf, referenceOf, type ObjectReference } from "../../workload/carriers/owner.ts";

/** Event about a denial, on the object that would try again, or on its own owner: operators look there. */
export interface DenialEvent {
  readonly reason: "SkillDenied" | "SkillReviewFailed";
  readonly namespace: string;
  /** The controller that made the object; otherwise the denied object itself. */
  readonly regarding: ObjectReference;
  /** The first policy that denied. */
  readonly related?: ObjectReference;
  /** Equal for repetitions of the same denial, whatever object they are about. */
  readonly cause: string;
  /** The user who asked. */
  readonly requester?: string;
  /** At most 1,024 bytes of UTF-8; built on demand. */
  readonly note: () => string;
}

/** Limit of a note in events.k8s.io/v1, bytes. */
const maxNote = 1024;

/** Whether the user is a ServiceAccount or a component of Kubernetes, of which nobody reads the answers. */
const isProgram = ({ user }: ReviewSubject): boolean => user.startsWith("system:");

/** Undefined where there is nothing to tell it on. */
function regardingOf(
  subject: ReviewSubject,
  object: KubernetesObject | undefined,
): ObjectReference | undefined {
  const { kind, name, namespace, operation } = subject;
  const metadata = object?.metadata;
  // A Binding is not stored: whoever waits for the pod looks at that.
  if (isBinding(subject))
    return referenceOf(
      { apiVersion: "v1", kind: "Pod", name, uid: isFields(metadata) ? metadata["uid"] : undefined },
      namespace,
    );
  const maker = makerOf(metadata, namespace);
  if (maker !== undefined) return maker;
  // Whoever was refused has read why, and on what was never made nobody looks for it: such Events would take the room
  // of others.
  if (operation === "CREATE" && !isProgram(subject)) return undefined;
  // An object denied at creation never existed, and each attempt has another uid.
  const uid = isFields(metadata) && operation !== "CREATE" ? metadata["uid"] : undefined;
  // Without the `*` of a generated name.
  return referenceOf(
    { apiVersion: object?.["apiVersion"], kind, name: name.replace(/\*$/, ""), uid },
    namespace,
  );
}

const hashOf = (parts: readonly unknown[]): string => sha256(Buffer.from(JSON.stringify(parts)));

/** Whether the object is not let in. */
export const denies = (decision: Decision): boolean =>
  decision.outcome === "deny" || (decision.outcome === "error" && decision.letInBy === undefined);

/**
 * Builds the Event for a denial or a failed review; undefined for any other decision, for dry runs, and for what a person
 * tried to create: the answer says it.
 * @param object the denied object
 */
export function denialEvent(
  decision: Decision,
  object: KubernetesObject | undefined,
): DenialEvent | undefined {
  const { subject, id } = decision;
  if (subject.dryRun || !denies(decision)) return undefined;
  const { namespace } = subject;
  const regarding = regardingOf(subject, object);
  if (namespace === "" || regarding === undefined) return undefined;
  const base = { namespace, regarding, requester: subject.user };
  if (decision.outcome === "error") {
    const { code } = decision;
    return {
      ...base,
      reason: "SkillReviewFailed",
      cause: hashOf([code]),
      note: () => failedReviewText(decision, 300),
    };
  }
  if ("bypass" in decision) return undefined;
  const denying = decision.verdicts.filter(({ outcome }) => outcome === "deny");
  const [first] = denying;
  return {
    ...base,
    reason: "SkillDenied",
    ...(first === undefined
      ? {}
      : {
          related: { apiVersion, ...resourceOf(first.policy) },
        }),
    cause: hashOf(causesOf(denying)),
    note: () => denialText(denying, subject, id, maxNote),
  };
}
