import { reasons } from "../../src/policy/reason.ts";
import { reasonTexts } from "../../src/policy/remedy.ts";

/** The page of reason codes, as Markdown. */
export const reasonsPage = (): string =>
  [
    "<!-- Generated from src/policy/remedy.ts by `npm run generate`; changes here are lost. -->",
    "",
    "# Reason codes",
    "",
    "A finding is one demand of a policy that a skill does not meet. Its code is stable: dashboards, scripts and auditors may depend on it. Codes appear",
    "in denials, in `status.details.causes`, in audit annotations, in the log line of a decision, in the metric `skill_admission_violations_total`, and in",
    "the output of `skill-admission verify` and `apply`. A finding that the policy only wants to be told of (`unsigned`, `unverifiable` or `noMatch` set to",
    "`Warn`) is a warning and denies nothing.",
    "",
    ...reasons.flatMap((code) => {
      const { meaning, remedy } = reasonTexts[code];
      return [`## ${code}`, "", meaning, "", `**Fix:** ${remedy}.`, ""];
    }),
  ].join("\n");
