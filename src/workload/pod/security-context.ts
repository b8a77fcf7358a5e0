import { fieldsAt, flagAt, listAt, optionalFields, optionalText } from "../../kubernetes/read-fields.ts";
import type { Fields } from "../../text/fields.ts";
import { podLimits } from "./limits.ts";
import type { WalkedPod } from "./pod-subject.ts";

/** A container's reach beyond its own mounts. */
export interface ContainerSecurity {
  /** Whether it has the node's devices, and so every volume of the pod. */
  readonly privileged: boolean;
  /** Whether it may mount a volume anew, writable, that its own mount shows read-only. */
  readonly remounts: boolean;
  readonly readOnlyRootFilesystem: boolean;
  /** The container whose processes it sees; undefined: its own only, unless the pod shares them. */
  readonly target: string | undefined;
}

const mountCapabilities: ReadonlySet<unknown> = new Set(["ALL", "SYS_ADMIN", "CAP_SYS_ADMIN"]);

/** @throws SourceError SOURCE_MALFORMED naming the field */
export function containerSecurity(container: Fields, field: string, pod: WalkedPod): ContainerSecurity {
  const at = `${field}.securityContext`;
  const context = optionalFields(container["securityContext"], at) ?? {};
  const capabilities = optionalFields(context["capabilities"], `${at}.capabilities`) ?? {};
  const add = listAt(capabilities["add"], `${at}.capabilities.add`, podLimits.items);
  return {
    privileged: flagAt(context["privileged"], `${at}.privileged`) || isHostProcess(context, at, pod),
    remounts: add.some((name) => mountCapabilities.has(name)),
    readOnlyRootFilesystem: flagAt(context["readOnlyRootFilesystem"], `${at}.readOnlyRootFilesystem`),
    target: optionalText(container["targetContainerName"], `${field}.targetContainerName`),
  };
}

/** Whether a Windows container runs as a process of the node: its own setting, or else the pod's. */
function isHostProcess(context: Fields, at: string, pod: WalkedPod): boolean {
  const own = context["windowsOptions"];
  const setting = isSet(own) ? { of: fieldsAt(own, `${at}.windowsOptions`), at } : podSetting(pod);
  return flagAt(setting.of["hostProcess"], `${setting.at}.windowsOptions.hostProcess`);
}

const isSet = (options: unknown): boolean =>
  options !== null && typeof options === "object" && Object.hasOwn(options, "hostProcess");

function podSetting({ spec, field }: WalkedPod): { readonly of: Fields; readonly at: string } {
  const at = `${field}.securityContext`;
  const context = optionalFields(spec["securityContext"], at) ?? {};
  return { of: optionalFields(context["windowsOptions"], `${at}.windowsOptions`) ?? {}, at };
}

/** The field by which every container of a pod sees the processes of the others. */
export type SharedProcesses = "shareProcessNamespace" | "hostPID";

/** @throws SourceError SOURCE_MALFORMED naming the field */
export const sharedProcesses = ({ spec, field }: WalkedPod): SharedProcesses | undefined =>
  (["hostPID", "shareProcessNamespace"] as const).find((name) => flagAt(spec[name], `${field}.${name}`));
