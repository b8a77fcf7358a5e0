import type { Finding, Verdict } from "./finding.ts";

/** Faults of a file that claims to be a signature: nothing proves that it is one. */
const unproved: ReadonlySet<Finding["code"]> = new Set(["MANIFEST_MALFORMED", "UNSUPPORTED_FORMAT"]);

/** A JSON string, as messages quote content. */
const quotation = /"(?:[^"\\]|\\.)*"/g;

/**
 * Blanks quotations from files that are no proved signatures. A forged review can name any key of any ConfigMap as
 * one: its answer, log line and Event say what is wrong and where, and show nothing of the bytes.
 */
export const withoutContent = (verdict: Verdict): Verdict =>
  verdict.skills.some(({ findings }) => findings.some(({ code }) => unproved.has(code)))
    ? {
        ...verdict,
        skills: verdict.skills.map((skill) => ({
          ...skill,
          findings: skill.findings.map((finding) =>
            unproved.has(finding.code)
              ? { ...finding, message: finding.message.replace(quotation, '"…"') }
              : finding,
          ),
        })),
      }
    : verdict;
