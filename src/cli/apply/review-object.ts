import { effectivePolicies, evaluate, skillsOf, type ReviewContext } from "../../evaluation/evaluate.ts";
import { presetNode } from "../../evaluation/preset-node.ts";
import { nameOf, namespaceOf, type KubernetesObject } from "../../kubernetes/object.ts";
import { SourceError } from "../../skill/source-error.ts";
import type { SkillSource } from "../../skill/source.ts";
import { defined } from "../../text/fields.ts";
import { carrierOf } from "../../workload/carriers/carriers.ts";
import { podOf } from "../../workload/carriers/pod-of.ts";
import { podShapeIn } from "../../workload/carriers/pod-shape.ts";
import type { AppliedObject, AppliedSubject } from "../report/object-item.ts";
import type { PoliciesInForce } from "../trust/cluster-policies.ts";
import type { Workload } from "./workloads.ts";

const deadlineMs = 30_000;

/** What objects are reviewed with. */
export interface ReviewOptions {
  readonly context: Omit<ReviewContext, "signal">;
  readonly unreadable: PoliciesInForce["unreadable"];
  /** Namespace of objects that name none. */
  readonly namespace: string;
}

/** Notes whether a read failed: what then is not there may be there for the webhook. */
function noting(source: SkillSource): { readonly source: SkillSource; readonly failed: () => boolean } {
  let failed = false;
  return {
    failed: () => failed,
    source: {
      read: (request, signal) =>
        source.read(request, signal).catch((error: unknown) => {
          failed ||= !(error instanceof SourceError) || error.code !== "SOURCE_MALFORMED";
          throw error;
        }),
    },
  };
}

/** An object that nothing here reads, if it looks as if pods were made of it. */
function ofUnknownKind(object: KubernetesObject, subject: AppliedSubject): AppliedObject | undefined {
  if (carrierOf(object.apiVersion, object.kind) !== undefined) return undefined;
  const field = podShapeIn(object);
  if (field === undefined) return undefined;
  return { ...subject, state: "unknown", apiVersion: String(object.apiVersion), field };
}

/**
 * Review of one object, as the webhook's; undefined where it makes no pod and so brings in no skill. A pod that runs
 * where no policy governs is not read.
 */
export async function reviewObject(
  { object, file, line, isStored }: Workload,
  { context, unreadable, namespace }: ReviewOptions,
): Promise<AppliedObject | undefined> {
  const place = namespaceOf(object, namespace);
  const subject = {
    kind: String(object.kind),
    namespace: place,
    name: nameOf(object),
    file,
    ...defined({ line }),
  };
  try {
    const pod = podOf(object, place);
    if (pod === undefined) return ofUnknownKind(object, subject);
    const { source, failed } = noting(context.deps.source);
    const signal = AbortSignal.timeout(deadlineMs);
    const full: ReviewContext = { ...context, deps: { ...context.deps, source }, signal };
    const effective = await effectivePolicies(place, full);
    const isPassedOver = isStored && effective.policies.length === 0;
    const references = isPassedOver
      ? []
      : [
          ...(await skillsOf(pod, effective.policies, full)),
          // A stored pod has been bound.
          ...(isStored ? [] : presetNode(pod, effective.policies)),
        ];
    const why = references.length === 0 ? undefined : unreadable(effective.policies);
    if (why !== undefined) throw new SourceError("SOURCE_UNAVAILABLE", why);
    const evaluation = await evaluate(references, effective, pod, full);
    const isPartlyUnknown = isStored || failed();
    return { ...subject, name: pod.name, state: "reviewed", isPartlyUnknown, ...evaluation };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { ...subject, state: "failed", code: error.code, message: error.message };
  }
}
