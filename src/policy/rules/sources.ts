import type { SkillContent, SkillReference, SourceUse } from "../../skill/reference.ts";
import type { Finding } from "../finding.ts";
import type { Policy } from "../policy.ts";
import { podFaultFindings } from "./pod-faults.ts";
import { reasonTexts } from "../remedy.ts";

type Unverifiable = Extract<SkillContent, { readonly state: "unverifiable" }>;

/** The field of a policy that would let in just this. */
function fieldOf({ kind, place }: Unverifiable): string {
  switch (place?.rule) {
    case "above":
    case "agentPrefix":
      return `unverifiable.above.${kind}`;
    case "unknownHome":
      return "unverifiable.unknownHome";
    case "hostRuntime":
    case "hostRuntimeReadOnly":
      return "unverifiable.hostRuntime";
    case "root":
    case undefined:
      return `unverifiable.${kind}`;
  }
}

/** The remedy for whoever writes the pod. To mount a host path read-only is one only where the policy lets that in. */
function remedyOf(policy: Policy, { kind, place, remedy: own }: Unverifiable): string {
  const remedy = own ?? place?.remedy ?? reasonTexts.SOURCE_UNVERIFIABLE.remedy;
  const mayRead =
    place?.rule === "hostRuntime" && policy.unverifiable(kind, "hostRuntimeReadOnly") !== "Deny";
  return mayRead ? `${remedy}, or set readOnly: true` : remedy;
}

function unverifiableFindings(policy: Policy, content: Unverifiable, path: string): readonly Finding[] {
  const { kind, detail, place } = content;
  const response = policy.unverifiable(kind, place?.rule ?? "root");
  if (response === "Allow") return [];
  return [
    {
      code: "SOURCE_UNVERIFIABLE",
      message: place === undefined ? detail : `${detail} (${path} counts: ${place.why})`,
      remedy: `${remedyOf(policy, content)}, or let the policy say ${fieldOf(content)}: Allow${place?.rule === "hostRuntimeReadOnly" ? " (writable host paths too)" : ""}`,
      tolerated: response === "Warn",
    },
  ];
}

/** Findings about content that could not be read: unverifiable by kind and place, or unavailable now. */
export function sourceFindings(policy: Policy, { content, path }: SkillReference): readonly Finding[] {
  switch (content.state) {
    case "resolved":
      return [];
    case "unavailable":
      return [{ code: content.code, message: content.detail, tolerated: false }];
    case "unverifiable":
      return unverifiableFindings(policy, content, path);
    case "fault":
      return podFaultFindings(policy, content);
  }
}

/**
 * Whether a reference is no skill, but a place that could hold one: what policies demand of a skill's name, source
 * and mount does not apply to it.
 */
export const isPlaceOnly = ({ content }: SkillReference): boolean =>
  content.state === "fault" ||
  (content.state === "unverifiable" && content.place !== undefined && content.place.rule !== "root");

const named = ({ kind, name }: SourceUse): string => `${kind} ${name.slice(0, 253)}`;

/** A ConfigMap in a projected volume counts as projected. */
const objectNamed = (source: SourceUse): string =>
  source.kind === "Projected"
    ? `${named({ ...source, kind: "ConfigMap" })} (in a projected volume)`
    : named(source);

/**
 * True for a ConfigMap or Secret, projected ones included, whose content can change after admission: without
 * `immutable: true`.
 */
const isMutable = ({ kind, immutable }: SourceUse): boolean =>
  immutable === false || (kind === "ConfigMap" && immutable !== true);

/** Reports sources that can change after admission, if the policy forbids that. */
export function immutabilityFindings(policy: Policy, { sources }: SkillReference): readonly Finding[] {
  const { configMap, readOnlyMount } = policy.immutability;
  const mutable = configMap ? new Set(sources.filter(isMutable).map(objectNamed)) : [];
  const writable = readOnlyMount ? new Set(sources.filter((source) => source.writable).map(named)) : [];
  return [
    ...[...mutable].map((source): Finding => ({
      code: "NOT_IMMUTABLE",
      message: `${source} has no immutable: true`,
      tolerated: false,
    })),
    ...[...writable].map((source): Finding => ({
      code: "WRITABLE_MOUNT",
      message: `${source} is mounted without readOnly: true`,
      tolerated: false,
    })),
  ];
}
