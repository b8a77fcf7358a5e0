/**
 * A namespace with this label, whatever its value, is not asked about, also while no replica answers: the one way to let
 * something start that must start now. The value is for people, such as the number of an incident. Whoever may label
 * namespaces may do it; the API server's audit log says who did.
 */
export const breakGlassLabel = "skill-admission.dev/break-glass";
