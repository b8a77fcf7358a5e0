import { generationOf, type KubernetesObject } from "../../kubernetes/object.ts";
import { defined } from "../../text/fields.ts";
import { PolicyError } from "../policy-error.ts";
import { nameOf } from "../resource/schema/name.ts";
import type { ReadResource } from "../resource/parse.ts";
import { problemOf, type Note } from "../resource/problem.ts";
import { joinLists, type ReadList, type RevocationLists } from "./revocations.ts";

/**
 * Reads all revocation lists together. An unreadable list is included with its fault: policies compiled with it
 * deny.
 * @param objects every SkillRevocationList, as received
 */
export function readRevocationLists(
  objects: readonly KubernetesObject[],
  read: ReadResource,
  note: Note,
): RevocationLists {
  const lists = new Map<string, ReadList>();
  for (const [index, object] of objects.entries()) {
    const name = nameOf(object) ?? `unnamed-${index}`;
    const generation = defined({ generation: generationOf(object) });
    try {
      if (lists.has(name)) {
        const fault = `another SkillRevocationList has the name ${name}; rename or remove one`;
        throw new PolicyError("Duplicate", fault);
      }
      lists.set(name, { name, spec: read("SkillRevocationList", object).spec, ...generation });
    } catch (error) {
      const problem = problemOf("SkillRevocationList", object, error);
      note(problem);
      lists.set(name, { name, fault: problem.message, written: object["spec"], ...generation });
    }
  }
  return joinLists([...lists.values()]);
}
