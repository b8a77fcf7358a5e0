/**
 * Exempts a namespace from review, whatever its value: the way to start something while no replica answers. The
 * value is for people, such as an incident number. Everyone who may label namespaces may set it; the API server's
 * audit log shows who did.
 */
export const breakGlassLabel = "skill-admission.dev/break-glass";

/** Says that a namespace stepped out of review, or is back. @param value of the label; undefined: it is gone */
export const breakGlassText = (name: string, value: string | undefined): string =>
  value === undefined
    ? `the Namespace ${name} is checked again: its label ${breakGlassLabel} is gone`
    : `nothing in the Namespace ${name} is checked: it carries the label ${breakGlassLabel}=${value}; take it away as soon as you can`;
