/** A kind of objects that is called a list, and is none of other objects, whatever fields somebody gives it. */
const ownLists: ReadonlySet<string> = new Set(["SkillRevocationList"]);

/**
 * Is this, by Kubernetes' rule for names, the kind of a list of other objects: `List`, `ConfigMapList`. A revocation list that
 * was taken for one would be opened, found empty, and revoke nothing.
 */
export const isListKind = (kind: string): boolean => kind.endsWith("List") && !ownLists.has(kind);
