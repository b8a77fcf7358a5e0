import type { SkillReference, SourceUse } from "../../skill/reference.ts";
import type { Finding } from "../finding.ts";
import type { Policy } from "../policy.ts";

/** Skills whose bytes could not be had: by nature of their source, or for now. */
export function sourceFindings(policy: Policy, { content }: SkillReference): readonly Finding[] {
  switch (content.state) {
    case "resolved":
      return [];
    case "unavailable":
      return [{ code: content.code, message: content.detail, tolerated: false }];
    case "unverifiable": {
      const response = policy.unverifiable(content.kind);
      if (response === "Allow") return [];
      return [{ code: "SOURCE_UNVERIFIABLE", message: content.detail, tolerated: response === "Warn" }];
    }
  }
}

const named = ({ kind, name }: SourceUse): string => `${kind} ${name.slice(0, 253)}`;

/**
 * Can its content change after admission: a ConfigMap or Secret, also in a projected volume, that does not say
 * `immutable: true`.
 */
const isMutable = ({ kind, immutable }: SourceUse): boolean =>
  immutable === false || (kind === "ConfigMap" && immutable !== true);

/** What could change after admission, where the policy demands that it cannot. */
export function immutabilityFindings(policy: Policy, { sources }: SkillReference): readonly Finding[] {
  const { configMap, readOnlyMount } = policy.immutability;
  const mutable = configMap ? new Set(sources.filter(isMutable).map(named)) : [];
  const writable = readOnlyMount ? new Set(sources.filter((source) => source.writable).map(named)) : [];
  return [
    ...[...mutable].map((source): Finding => ({
      code: "NOT_IMMUTABLE",
      message: `${source} is not immutable`,
      tolerated: false,
    })),
    ...[...writable].map((source): Finding => ({
      code: "WRITABLE_MOUNT",
      message: `${source} is mounted writable`,
      tolerated: false,
    })),
  ];
}
