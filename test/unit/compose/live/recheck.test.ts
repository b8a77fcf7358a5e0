import { afterEach, describe, expect, it, vi } from "vitest";
import { startRecheck } from "../../../../src/compose/live/recheck.ts";
import type { Leadership } from "../../../../src/cluster/live/leader/leadership.ts";
import type { Standing } from "../../../../src/recheck/ports.ts";
import { createTelemetry } from "../../../../src/telemetry/telemetry.ts";
import { World } from "../../admission/world.ts";
import { chunksOf, scriptedClient } from "../../cluster/live/live-fakes.ts";

/** The lead, won and lost at will. */
class Lead implements Leadership {
  readonly listeners: (() => void)[] = [];
  leading: AbortController | undefined;

  leadingSignal(): AbortSignal | undefined {
    return this.leading?.signal;
  }

  win(): void {
    this.leading = new AbortController();
    for (const listener of this.listeners) listener();
  }

  lose(): void {
    this.leading?.abort();
    this.leading = undefined;
    for (const listener of this.listeners) listener();
  }

  ledBefore(): string {
    return "2026-11-30T08:00:00.000000Z";
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  campaign(): void {
    throw new Error("not its business");
  }

  confirm(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  clearUnregistered(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const patient = { timeout: 20_000, interval: 5 };
let close: (() => Promise<void>) | undefined;
afterEach(async () => close?.());

describe("startRecheck", () => {
  it("looks while this process leads, and at nothing else", async () => {
    const lead = new Lead();
    const lines: string[] = [];
    const written: (readonly Standing[] | undefined)[] = [];
    const client = scriptedClient(
      () => ({ metadata: { resourceVersion: "10" }, items: [] }),
      ({ signal }) => chunksOf([], signal),
    );
    const telemetry = createTelemetry({
      version: "1",
      revision: "x",
      logLevel: "info",
      destination: { write: (line) => void lines.push(line) },
    });
    const gauges = async () =>
      (await telemetry.metrics.read()).body.match(/^skill_admission_noncompliant_workloads\{.*$/gm) ?? [];
    const status = { setStandings: (standings?: readonly Standing[]) => void written.push(standings) };
    const parts = { client, leadership: lead, status, exempt: new Set<string>() };
    const running = startRecheck(parts, new World().deps, telemetry);
    close = () => running.close();
    running.policiesChanged();
    expect(client.asked).toEqual([]);

    lead.win();
    await vi.waitFor(() => expect(written).toHaveLength(1), patient);
    expect(written[0]).toMatchObject([{ policy: "payments", workloads: 0, first: [] }]);
    expect(await gauges()).toHaveLength(1);
    await vi.waitFor(() => expect(lines.join("")).toContain('"since":"2026-11-30T08:00:00.000Z"'), patient);

    lead.lose();
    await vi.waitFor(() => expect(written.at(-1)).toBeUndefined(), patient);
    expect(await gauges()).toEqual([]);
    const asked = client.asked.length;

    lead.win();
    await vi.waitFor(() => expect(written.at(-1)).toBeDefined(), patient);
    expect(client.asked.length).toBeGreaterThan(asked);
    await running.close();
    expect(await gauges()).toEqual([]);
  });
});
