import { shortDigest } from "../../skill/digest.ts";
import type { Difference } from "../../signature/compare.ts";
import type { Finding } from "../finding.ts";

/** What is said of a difference instead of the usual. */
export type Explanation = Required<Pick<Finding, "message" | "remedy">>;

const usual = {
  modified: { code: "DIGEST_MISMATCH", message: "is not what was signed" },
  missing: { code: "FILE_MISSING", message: "was signed and is not there" },
  added: { code: "FILE_UNSIGNED", message: "is there and was not signed" },
} as const;

function differenceFinding({ path, change, signed, found }: Difference): Finding {
  const digests = { ...(signed === undefined ? {} : { signed }), ...(found === undefined ? {} : { found }) };
  const finding = { ...usual[change], path, ...digests, tolerated: false };
  return change === "modified" && signed !== undefined && found !== undefined
    ? { ...finding, message: `signed ${shortDigest(signed)}, found ${shortDigest(found)}` }
    : finding;
}

/** A finding for each path at which the tree is not the signed one; at least one. */
export function differenceFindings(
  differences: readonly Difference[],
  explain: (difference: Difference) => Explanation | undefined = () => undefined,
): readonly Finding[] {
  // Nothing to point at, but not the signed tree either.
  const unnamed: Finding = {
    code: "DIGEST_MISMATCH",
    message: "the files are not the signed ones",
    tolerated: false,
  };
  return differences.length === 0
    ? [unnamed]
    : differences.map((difference) => ({ ...differenceFinding(difference), ...explain(difference) }));
}
