import { z } from "zod";
import { defined } from "../text/fields.ts";
import { JsonError, parseStrictJson, type Json } from "../text/json.ts";
import type { Skill } from "../skill/skill.ts";
import { vettFileNames } from "../signature/vett/manifest.ts";
import {
  severities,
  type Risk,
  type ScanFinding,
  type ScanReading,
  type ScanReport,
  type ScanVerdict,
  type Severity,
} from "./scan-report.ts";

const path = vettFileNames.analysis;

/** Bytes of one analysis; real ones have some thousand. */
const maxBytes = 256 * 1024;

const entry = z.string().min(1).max(2_048);
const entries = z.array(entry).max(1_000);

/** `AnalysisResult` of `@vett/core`, version 1. `type` is any text: a newer registry may add kinds of flags. */
const analysisSchema = z.strictObject({
  v: z.literal(1),
  risk: z.enum(["none", ...severities]),
  permissions: z.strictObject({ filesystem: entries, network: entries, env: entries }),
  flags: z
    .array(
      z.strictObject({
        type: z.string().min(1).max(64),
        evidence: z.string().max(16_384),
        severity: z.enum(severities),
        confidence: z.enum(["confirmed", "inferred", "speculative"]).exactOptional(),
      }),
    )
    .max(1_000),
  summary: z.string().max(16_384),
});

type Analysis = z.output<typeof analysisSchema>;

/**
 * The verdicts of Vett's client (`getVerdict`). One difference: the client shows "verified" for a skill without a
 * scan, here it has no report.
 */
const verdicts: Readonly<Record<Risk, ScanVerdict>> = {
  none: "verified",
  low: "verified",
  medium: "review",
  high: "caution",
  critical: "blocked",
};

const gravest = (findings: readonly ScanFinding[]): Severity | undefined =>
  severities.findLast((severity) => findings.some((finding) => finding.severity === severity));

function reportOf({ risk, permissions, flags, summary }: Analysis): ScanReport {
  const findings = flags.map(({ type: rule, evidence: text, ...flag }) => ({ rule, text, ...flag }));
  const maxFinding = gravest(findings);
  return {
    tool: "vett",
    path,
    risk,
    verdict: verdicts[risk],
    ...defined({ maxFinding }),
    permissions: (["filesystem", "network", "env"] as const).flatMap((kind) =>
      permissions[kind].map((what) => `${kind}:${what}`),
    ),
    findings,
    summary,
  };
}

const malformed = (detail: string): ScanReading => ({ outcome: "malformed", path, detail });

function readAnalysis(value: Json): ScanReading {
  const result = analysisSchema.safeParse(value);
  if (result.success) return { outcome: "read", report: reportOf(result.data) };
  const [issue] = result.error.issues;
  const field = (issue?.path ?? []).map(String).join(".").slice(0, 200);
  return malformed(
    `${field === "" ? "" : `${field}: `}${(issue?.message ?? "").slice(0, 200)}`.toWellFormed(),
  );
}

/**
 * Reads `vett.analysis.json` at a skill's root, the member `analysis` of a Vett registry's answer. It carries no
 * signature of its own: anybody on the way may have written it. Never throws.
 * @returns undefined if the skill has none
 */
export function readVettAnalysis({ files }: Skill): ScanReading | undefined {
  const file = files.get(path);
  if (file === undefined) return undefined;
  if (file.size > maxBytes) return malformed(`longer than ${maxBytes} bytes`);
  try {
    return readAnalysis(parseStrictJson(file.bytes));
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    return malformed(cause.message);
  }
}
