import { defined } from "../../text/fields.ts";
import { shortDigest } from "../../skill/digest.ts";
import type { Difference } from "../../signature/compare.ts";
import type { Finding } from "../finding.ts";

/** Message and remedy in place of the usual ones for a difference. */
export type Explanation = Required<Pick<Finding, "message" | "remedy">>;

const usual = {
  modified: { code: "DIGEST_MISMATCH", message: "is not what was signed" },
  missing: { code: "FILE_MISSING", message: "was signed and is not there" },
  added: { code: "FILE_UNSIGNED", message: "is there and was not signed" },
} as const;

function differenceFinding({ path, change, signed, found }: Difference): Finding {
  const digests = { ...defined({ signed, found }) };
  const finding = { ...usual[change], path, ...digests, tolerated: false };
  return change === "modified" && signed !== undefined && found !== undefined
    ? { ...finding, message: `signed ${shortDigest(signed)}, found ${shortDigest(found)}` }
    : finding;
}

/** Findings for each path at which the tree differs from the signed one; at least one. */
export function differenceFindings(
  differences: readonly Difference[],
  explain: (difference: Difference) => Explanation | undefined = () => undefined,
): readonly Finding[] {
  // The tree differs, but no path is known.
  const unnamed: Finding = {
    code: "DIGEST_MISMATCH",
    message: "the files are not the signed ones",
    tolerated: false,
  };
  return differences.length === 0
    ? [unnamed]
    : differences.map((difference) => ({ ...differenceFinding(difference), ...explain(difference) }));
}
