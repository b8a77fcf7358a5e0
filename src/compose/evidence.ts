import type { ReviewDeps } from "../evaluation/evaluate.ts";
import { EvidenceCache } from "../evidence/evidence-cache.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** Evidence with its metrics, one cache for reviews and for what is stored. */
export const measuredEvidence = ({ metrics }: Telemetry): Pick<ReviewDeps, "evidence" | "measure"> => ({
  evidence: new EvidenceCache({ onResult: (result) => metrics.observeCache("evidence", result) }),
  measure: (_skill, work) => {
    const started = performance.now();
    const evidence = work();
    const { signature } = evidence;
    const format = signature.outcome === "unsigned" ? "none" : signature.format;
    metrics.observeVerification((performance.now() - started) / 1000, format, signature.outcome);
    return evidence;
  },
});
