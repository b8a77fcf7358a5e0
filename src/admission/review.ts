import { SourceError } from "../skill/source-error.ts";
import type { AdmissionRequest } from "./admission-request.ts";
import { bypass } from "./decide.ts";
import { isBinding, type Decision } from "./decision.ts";
import type { ModalContext } from "./governing.ts";
import { reviewBinding } from "./reviews/review-binding.ts";
import { reviewChange } from "./reviews/review-change.ts";
import { freedBy, reviewDeletion } from "./reviews/review-deletion.ts";
import { reviewTooLarge } from "./reviews/review-too-large.ts";
import { reviewPod } from "./reviews/review-pod.ts";

/**
 * Reviews one request. Each allow either follows from verdicts or names its bypass.
 * @throws SourceError if the cluster could not be read; the caller turns it into a denial
 */
export async function review(request: AdmissionRequest, context: ModalContext): Promise<Decision> {
  const { operation } = request.subject;
  const freed = freedBy(request);
  if (freed !== undefined) return reviewDeletion(request, freed, context);
  if (operation !== "CREATE" && operation !== "UPDATE") return bypass(request, "operation");
  if (request.resource === "configmaps") return reviewChange(request, context);
  if (isBinding(request.subject)) return reviewBinding(request, context);
  if (request.tooLarge !== undefined) return reviewTooLarge(request, context);
  if (request.object === undefined) throw new SourceError("SOURCE_MALFORMED", "request.object is missing");
  return reviewPod(request, request.object, context);
}
