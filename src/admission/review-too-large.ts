import { effectivePolicies, rootsOf, type ReviewContext } from "../evaluation/evaluate.ts";
import { yieldToEventLoop } from "../evaluation/yield-to-event-loop.ts";
import { SourceError } from "../skill/source-error.ts";
import { objectsToRead } from "../workload/objects-to-read.ts";
import { readPodSpec } from "../workload/pod/pod-spec.ts";
import { maxValues, type AdmissionRequest } from "./admission-request.ts";
import { bypass } from "./decide.ts";
import type { Decision } from "./decision.ts";

/**
 * Reviews an object that has too many values to be read. What cannot bring in a skill goes through all the same: objects
 * that no policy governs, and ConfigMaps that no running pod reads a skill from.
 * @throws SourceError LIMIT_EXCEEDED for every other
 */
export async function reviewTooLarge(request: AdmissionRequest, context: ReviewContext): Promise<Decision> {
  const { kind, namespace, name } = request.subject;
  const { policies } = await effectivePolicies(namespace, context);
  if (policies.length === 0) return bypass(request, "ungoverned");
  if (request.resource === "configmaps") {
    const pods = context.deps.cluster.podsUsing({ kind: "ConfigMap", namespace, name });
    if (pods.length === 0) return bypass(request, "unused");
    let isRead = false;
    for (const pod of pods) {
      const asked = objectsToRead(readPodSpec(pod), rootsOf(policies));
      isRead ||= asked.some((one) => one.kind === "ConfigMap" && one.name === name);
      if (isRead) break;
      await yieldToEventLoop(context.signal);
    }
    if (!isRead) return bypass(request, "no-skills");
  }
  throw new SourceError(
    "LIMIT_EXCEEDED",
    `${kind} ${namespace}/${name} is made of more than ${maxValues} values, and of a ConfigMap both versions count; split it`,
  );
}
