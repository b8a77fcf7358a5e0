import type { ClusterHooks } from "../../cluster/cluster.ts";
import type { ApiClient } from "../../cluster/live/api/client.ts";
import type { Leadership } from "../../cluster/live/leader/leadership.ts";
import type { CheckedRegistration } from "../../cluster/live/registration/reconciler.ts";
import { scopeOf } from "../../cluster/live/registration/scope.ts";
import { askItself, SelfCheck } from "../../cluster/live/registration/self-check.ts";
import type {
  WebhookAddress,
  WebhookOptions,
} from "../../cluster/live/registration/webhook-configuration.ts";
import { textsOf } from "../../cluster/live/status/registered.ts";
import type { StatusWriter } from "../../cluster/live/status/writer.ts";
import type { Config } from "../../config.ts";
import { defined } from "../../text/fields.ts";

interface Parts {
  readonly client: ApiClient;
  readonly hooks: ClusterHooks;
  readonly leadership: Leadership;
  readonly status: Pick<StatusWriter, "setRegistration">;
}

/** Follows how the webhook is registered. */
export interface StandingFollower {
  readonly onStanding: (standing: CheckedRegistration) => void;
  close(): Promise<void>;
}

const where = (address: WebhookAddress): string =>
  "url" in address
    ? `${address.url} leads to this process`
    : `the Service ${address.service.namespace}/${address.service.name} leads to its pods`;

const asksAnything = ({ governed }: WebhookOptions): boolean =>
  governed.enforced.length + governed.observed.length > 0;

/** Tells in the statuses of policies how the webhook is registered, and whether that leads anywhere. */
export function followStanding(
  config: Pick<Config, "namespace" | "failurePolicy">,
  { client, hooks, leadership, status }: Parts,
): StandingFollower {
  let registered: WebhookOptions | undefined;
  let unanswered: string | undefined;
  const tell = (): void => {
    if (registered === undefined) return;
    status.setRegistration({
      governed: textsOf(registered.governed),
      scope: scopeOf(registered),
      failurePolicy: config.failurePolicy,
      ...defined({ unanswered }),
    });
  };
  const check = new SelfCheck({
    ask: (signal) => askItself(client, selfCheckIn(config), signal),
    due: () =>
      leadership.leadingSignal() !== undefined && registered !== undefined && asksAnything(registered),
    onAnswer: (problem) => {
      if (problem !== undefined && problem !== unanswered && registered !== undefined)
        hooks.onProblem(
          `the API server gets no answer of the webhook: ${problem}; see that ${where(registered.address)}, and that the network lets the API server through`,
        );
      hooks.onAnswered?.(problem === undefined);
      unanswered = problem;
      tell();
    },
  });
  // A new leader must not take for answered what the one before saw unanswered, for as long as a round takes.
  leadership.onChange(() => check.start());
  return {
    onStanding: (standing) => {
      const before = registered !== undefined && asksAnything(registered);
      registered = "problem" in standing ? undefined : standing.options;
      if ("problem" in standing) status.setRegistration(standing);
      else tell();
      if (!before && registered !== undefined && asksAnything(registered)) check.start();
    },
    close: () => check.close(),
  };
}

/** Where the controller makes a Lease, in a dry run, to see that it is asked. */
export const selfCheckIn = ({ namespace = "default" }: Pick<Config, "namespace">): string => namespace;
