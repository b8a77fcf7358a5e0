import { withoutLists } from "../policy/always.ts";
import { SourceError } from "../skill/source-error.ts";
import type { AdmissionRequest } from "./admission-request.ts";
import { bypass } from "./decide.ts";
import { isBinding, type Decision } from "./decision.ts";
import { governing, type ModalContext } from "./governing.ts";
import { reviewBinding } from "./reviews/review-binding.ts";
import { reviewChange } from "./reviews/review-change.ts";
import { freedBy, reviewDeletion } from "./reviews/review-deletion.ts";
import { reviewPod } from "./reviews/review-pod.ts";
import { tooManyValues } from "./too-many-values.ts";

/**
 * Reviews one request. Each allow either follows from verdicts or names its bypass. Whatever fails before the policies
 * are known goes through where none governs, and elsewhere counts by their modes.
 * @throws SourceError if the cluster could not be read; the caller turns it into a denial
 */
export async function review(request: AdmissionRequest, context: ModalContext): Promise<Decision> {
  try {
    return await reviewed(request, context);
  } catch (error) {
    // Their review tells by itself which policies rule it: not all that govern the namespace.
    if (isBinding(request.subject)) throw error;
    const isOfPods = request.resource === "pods" || request.resource === "configmaps";
    const { namespace, operation } = request.subject;
    const concerned = operation === "DELETE" ? withoutLists : undefined;
    const { policies } = await governing(namespace, context, isOfPods, concerned);
    if (policies.length === 0) return bypass(request, "ungoverned");
    throw error;
  }
}

async function reviewed(request: AdmissionRequest, context: ModalContext): Promise<Decision> {
  const { subject, resource, object, tooLarge } = request;
  const { operation, kind, namespace, name } = subject;
  const freed = freedBy(request);
  if (freed !== undefined) return reviewDeletion(request, freed, context);
  if (operation !== "CREATE" && operation !== "UPDATE") return bypass(request, "operation");
  if (resource === "configmaps") return reviewChange(request, context);
  if (isBinding(subject)) return reviewBinding(request, context);
  if (tooLarge !== undefined) throw tooManyValues(`${kind} ${namespace}/${name}`);
  if (object === undefined) throw new SourceError("SOURCE_MALFORMED", "request.object is missing");
  return reviewPod(request, object, context);
}
