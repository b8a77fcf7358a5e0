import { both, selectionOf, type Selection } from "../../../kubernetes/selection.ts";
import { textOf, type Governed } from "../../../policy/coverage.ts";
import type { Policy } from "../../../policy/policy.ts";

/** What the API server asks about, or why it does not ask as it should. */
export type RegistrationStanding =
  | { readonly problem: string }
  | {
      /** Registered for these namespaces at least, as far as they are in `scope`; by `textOf`. */
      readonly governed: Readonly<Record<keyof Governed, ReadonlySet<string>>>;
      /** Where the installation reviews at all; undefined: nowhere. */
      readonly scope: Selection | undefined;
      readonly failurePolicy: "Fail" | "Ignore";
      /** Why the API server gets no answer of the webhook; absent: it does, as far as is known. */
      readonly unanswered?: string;
    };

/** Condition `Registered` of a policy, without its times. */
export interface Registered {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

const no = (reason: string, message: string): Registered => ({ status: "False", reason, message });

const pending = no(
  "Pending",
  "the API server does not ask about its namespaces yet; where this lasts, look at the log of the leader",
);

/** The namespaces of a registration, for `RegistrationStanding`. */
export const textsOf = ({
  enforced,
  observed,
}: Governed): { [Kind in keyof Governed]: ReadonlySet<string> } => ({
  enforced: new Set(enforced.map(textOf)),
  observed: new Set(observed.map(textOf)),
});

function asked({ mode }: Policy, failurePolicy: "Fail" | "Ignore"): string {
  if (mode !== "Enforce")
    return "the API server asks about its namespaces; it waits a second at most, unless another policy enforces there";
  return failurePolicy === "Fail"
    ? "the API server asks about its namespaces, and refuses while no replica answers"
    : "the API server asks about its namespaces; while no replica answers, everything goes through: failurePolicy is Ignore";
}

/** Whether the API server asks about the namespaces of a policy. */
export function registeredOf(policy: Policy, standing: RegistrationStanding): Registered {
  if ("problem" in standing) return no("NotRegistered", standing.problem);
  const { governed, scope, failurePolicy, unanswered } = standing;
  const selection = selectionOf(policy.namespaceSelector);
  if (selection === undefined)
    return no(
      "SelectsNothing",
      "spec.namespaceSelector contradicts itself, or has a key that no label can have: no namespace can match it",
    );
  if (scope === undefined || both(selection, scope) === undefined)
    return no(
      "OutOfScope",
      "no namespace that it selects is reviewed: they are exempt, or webhook.namespaceSelector of the installation leaves them out",
    );
  const { enforced, observed } = governed;
  if (unanswered !== undefined)
    return no(
      "Unanswered",
      `the API server gets no answer of the webhook, and ${
        policy.mode === "Enforce" && failurePolicy === "Fail" ? "refuses" : "lets in"
      } what it would ask about: ${unanswered}`,
    );
  const text = textOf(selection);
  return enforced.has(text) || (policy.mode !== "Enforce" && observed.has(text))
    ? { status: "True", reason: "Registered", message: asked(policy, failurePolicy) }
    : pending;
}

/** The same while it is not known how the webhook is registered: what a leader before said of the same policy. */
export const registeredBefore = (
  before: { readonly status: string; readonly reason: string; readonly message: string } | undefined,
): Registered =>
  before?.status === "True" ? { status: "True", reason: before.reason, message: before.message } : pending;
