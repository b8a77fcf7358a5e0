/**
 * Exempts a namespace from review, whatever its value: the way to start something while no replica answers. The
 * value is for people, such as an incident number. Everyone who may label namespaces may set it; the API server's
 * audit log shows who did.
 */
export const breakGlassLabel = "skill-admission.dev/break-glass";
