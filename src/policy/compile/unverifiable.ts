import type { SourceKind } from "../../skill/reference.ts";
import type { Policy, Response } from "../policy.ts";
import type { ClusterSkillPolicySpec } from "../resource/cluster-skill-policy.ts";

/** Deny becomes Warn. */
const warnAtMost = (response: Response): Response => (response === "Deny" ? "Warn" : response);

/** Compiles the section `unverifiable` of a policy. */
export function unverifiableBy(spec: ClusterSkillPolicySpec["unverifiable"]): Policy["unverifiable"] {
  const { above, unknownHome, hostRuntime } = spec;
  const byKind = (kind: SourceKind): Response =>
    kind === "Directory" ? spec.default : (spec[kind] ?? spec.default);
  const byAbove = (kind: SourceKind): Response | undefined =>
    kind === "Directory" ? above?.default : (above?.[kind] ?? above?.default);
  return (kind, rule) => {
    switch (rule) {
      case "root":
        return byKind(kind);
      case "above":
        return byAbove(kind) ?? byKind(kind);
      case "agentPrefix":
        return byAbove(kind) ?? warnAtMost(byKind(kind));
      case "unknownHome":
        return unknownHome ?? warnAtMost(byKind(kind));
      case "hostRuntime":
        return hostRuntime ?? byKind(kind);
      case "hostRuntimeReadOnly":
        return hostRuntime ?? warnAtMost(byKind(kind));
    }
  };
}
