import { expect, it, vi } from "vitest";
import { ApiError, type ApiClient } from "../../../../src/cluster/live/api/client.ts";
import { soleLeader, type Leadership } from "../../../../src/cluster/live/leader/leadership.ts";
import type { RegistrationStanding } from "../../../../src/cluster/live/status/registered.ts";
import { followStanding } from "../../../../src/compose/live/standing.ts";
import { everywhere, nowhere } from "../../../fixtures/governed.ts";

const said =
  'Internal error occurred: failed calling webhook "self.skill-admission.dev": failed to call webhook: connection refused';

/** A replica of many. */
class Lead implements Leadership {
  leads = false;
  readonly #lead = soleLeader();
  readonly #listeners: (() => void)[] = [];
  campaign = () => undefined;
  leadingSignal = () => (this.leads ? this.#lead.leadingSignal() : undefined);
  confirm = (signal: AbortSignal) => this.#lead.confirm(signal);
  clearUnregistered = (signal: AbortSignal) => this.#lead.clearUnregistered(signal);
  onChange = (listener: () => void) => void this.#listeners.push(listener);
  close = () => Promise.resolve();

  turn(leads: boolean): void {
    this.leads = leads;
    for (const listener of this.#listeners) listener();
  }
}

it("asks as soon as it leads, and holds nothing against the webhook once it leads no more", async () => {
  const refusing: ApiClient = {
    call: () => Promise.reject(new ApiError(500, said)),
    stream: () => Promise.reject(new Error("not asked")),
    close: () => undefined,
  };
  const leadership = new Lead();
  const [told, answered, problems]: [RegistrationStanding[], boolean[], unknown[]] = [[], [], []];
  const follower = followStanding(
    { namespace: "own", failurePolicy: "Fail" },
    {
      client: refusing,
      leadership,
      hooks: { onProblem: (problem) => problems.push(problem), onAnswered: (ok) => answered.push(ok) },
      status: { setRegistration: (standing) => told.push(standing) },
    },
  );
  const address = { url: "https://h:1" };
  follower.onStanding({ options: { address, caBundle: "", governed: everywhere, bindings: nowhere } });
  await vi.waitFor(() => expect(answered).toEqual([true]));
  expect(problems).toEqual([]);
  leadership.turn(true);
  await vi.waitFor(() => expect(answered).toEqual([true, false]));
  expect(told.at(-1)).toMatchObject({ unanswered: "failed to call webhook: connection refused" });
  expect(problems).toEqual([expect.stringContaining("https://h:1 leads to this process")]);
  leadership.turn(false);
  await vi.waitFor(() => expect(answered).toEqual([true, false, true]));
  await follower.close();
});
