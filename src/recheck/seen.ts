import type { Evaluation } from "../evaluation/evaluate.ts";
import type { Policy } from "../policy/policy.ts";
import { publishersBehind } from "../policy/rules/publishers.ts";
import { marksOfTrust, publisherMark, type Mark } from "../policy/trust/usage.ts";
import type { Evidence } from "../evidence/evidence.ts";

/** Marks that are kept of one shape: a pod may mount thousands of skills, each with signers of its own. */
const maxMarks = 1_000;

const signaturesOf = ({ signature, others = [] }: Evidence) => [signature, ...others];

function marksOfPublishers(policy: Policy, evidence: Evidence): readonly Mark[] {
  return signaturesOf(evidence).flatMap((signature) =>
    signature.outcome === "signed" || signature.outcome === "tampered"
      ? publishersBehind(policy, signature.signer).map(({ name }) => publisherMark(policy.name, name))
      : [],
  );
}

/**
 * What was met of trust, publishers and revocations in the skills of a pod.
 * @param policies those of the verdicts, in their order
 */
export function seenIn({ skills, verdicts }: Evaluation, policies: readonly Policy[]): readonly Mark[] {
  const marks = new Set<Mark>();
  for (const { evidence } of skills)
    if (evidence !== undefined)
      for (const one of signaturesOf(evidence).flatMap(marksOfTrust)) marks.add(one);
  for (const [at, verdict] of verdicts.entries()) {
    const policy = policies[at];
    for (const { evidence, findings } of verdict.skills) {
      if (policy !== undefined && evidence !== undefined)
        for (const one of marksOfPublishers(policy, evidence)) marks.add(one);
      for (const { entries = [] } of findings) for (const one of entries) marks.add(one);
    }
  }
  return [...marks].slice(0, maxMarks);
}

/** A shape, with what it met. */
interface SeeingPods {
  readonly pods: { readonly size: number };
  readonly seen: readonly Mark[];
}

/** What all shapes with pods have met. */
export class Seen {
  #all: ReadonlySet<Mark> = new Set();

  /** The same set as before, if nothing has changed. */
  of(shapes: readonly SeeingPods[]): ReadonlySet<Mark> {
    const all = new Set(shapes.flatMap(({ pods, seen }) => (pods.size === 0 ? [] : seen)));
    const isSame = all.size === this.#all.size && [...all].every((mark) => this.#all.has(mark));
    if (!isSame) this.#all = all;
    return this.#all;
  }
}
