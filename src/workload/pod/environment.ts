import type { Fields } from "../../text/fields.ts";
import { fieldsAt, listAt, optionalFields, optionalText, textAt } from "../../kubernetes/read-fields.ts";
import { podLimits } from "./limits.ts";
import type { WalkedPod } from "./pod-subject.ts";

/** A container's variables; undefined: set to a value that only the node or the cluster knows. */
export type Environment = ReadonlyMap<string, string | undefined>;

/** No longer value names a path. The limit also stops variables that double each other. */
const maxLength = podLimits.pathLength;

/**
 * Replaces `$(NAME)` as the kubelet does (k8s.io/kubernetes/third_party/forked/golang/expansion): `$$` is a plain
 * `$`, and a `$` before anything else stays.
 *
 * @returns undefined if a name has no known value. The kubelet would leave `$(NAME)` as it is, but the name may come
 * from `envFrom` or from a Service, which only the node knows.
 */
export function expand(text: string, valueOf: (name: string) => string | undefined): string | undefined {
  let result = "";
  let at = 0;
  for (let dollar = text.indexOf("$"); dollar !== -1; dollar = text.indexOf("$", at)) {
    result += text.slice(at, dollar);
    const end = text[dollar + 1] === "(" ? text.indexOf(")", dollar + 2) : -1;
    if (end === -1) {
      result += text[dollar + 1] === "$" ? "$" : text.slice(dollar, dollar + 2);
      at = dollar + 2;
    } else {
      const value = valueOf(text.slice(dollar + 2, end));
      if (value === undefined) return undefined;
      result += value;
      at = end + 1;
    }
    if (result.length > maxLength) return undefined;
  }
  return result + text.slice(at);
}

/** The pod's own name or namespace; undefined unless the object determines it. */
function fieldValue(path: string, pod: WalkedPod): string | undefined {
  if (path === "metadata.namespace") return pod.namespace;
  if (path === "metadata.name" && pod.isPod && pod.name !== "" && !pod.name.endsWith("*")) return pod.name;
  return undefined;
}

function valueFrom(source: Fields, field: string, pod: WalkedPod): string | undefined {
  const fieldRef = optionalFields(source["fieldRef"], `${field}.fieldRef`);
  if (fieldRef === undefined) return undefined;
  return fieldValue(textAt(fieldRef["fieldPath"], `${field}.fieldRef.fieldPath`), pod);
}

/**
 * The variables of `env`, in order: a later one may use an earlier one, and the last of a name counts.
 * @throws SourceError SOURCE_MALFORMED naming the field
 */
export function environmentOf(container: Fields, field: string, pod: WalkedPod): Environment {
  const environment = new Map<string, string | undefined>();
  for (const [index, entry] of listAt(container["env"], `${field}.env`, podLimits.items).entries()) {
    const at = `${field}.env[${index}]`;
    const variable = fieldsAt(entry, at);
    const name = textAt(variable["name"], `${at}.name`);
    const source = optionalFields(variable["valueFrom"], `${at}.valueFrom`);
    const value =
      source === undefined
        ? expand(optionalText(variable["value"], `${at}.value`) ?? "", (other) => environment.get(other))
        : valueFrom(source, `${at}.valueFrom`, pod);
    environment.set(name, value);
  }
  return environment;
}
