import type { SkillReference, SourceUse } from "../../skill/reference.ts";
import type { Finding } from "../finding.ts";
import type { Policy } from "../policy.ts";

/** Findings about content that could not be read: unverifiable by kind, or unavailable now. */
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
 * True for a ConfigMap or Secret, projected ones included, whose content can change after admission: without
 * `immutable: true`.
 */
const isMutable = ({ kind, immutable }: SourceUse): boolean =>
  immutable === false || (kind === "ConfigMap" && immutable !== true);

/** Reports sources that can change after admission, if the policy forbids that. */
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
