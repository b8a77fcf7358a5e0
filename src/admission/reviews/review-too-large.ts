import type { AdmissionRequest } from "../admission-request.ts";
import { bypass } from "../decide.ts";
import type { Decision } from "../decision.ts";
import { governing, type ModalContext } from "../governing.ts";
import { tooManyValues } from "../too-many-values.ts";

/**
 * Reviews an object that makes pods and has too many values to be read: it goes through where no policy governs.
 * @throws SourceError LIMIT_EXCEEDED everywhere else
 */
export async function reviewTooLarge(request: AdmissionRequest, context: ModalContext): Promise<Decision> {
  const { kind, namespace, name } = request.subject;
  const effective = await governing(namespace, context, request.resource === "pods");
  if (effective.policies.length === 0) return bypass(request, "ungoverned");
  throw tooManyValues(`${kind} ${namespace}/${name}`);
}
