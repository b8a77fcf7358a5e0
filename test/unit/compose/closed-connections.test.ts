import { describe, expect, it } from "vitest";

import { closedConnections } from "../../../src/compose/closed-connections.ts";
import { createTelemetry } from "../../../src/telemetry/telemetry.ts";

describe("closedConnections", () => {
  it("counts each, and logs how many and whose once a minute", async () => {
    const lines: Record<string, unknown>[] = [];
    const destination = {
      write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
    };
    const telemetry = createTelemetry({ version: "1", revision: "1", logLevel: "info", destination });
    let time = 5_000_000;
    const told = closedConnections(telemetry, "webhook", () => time);
    const close = (client: string): void => told({ limit: "client", closed: "oldest", client });
    close("10.0.0.1");
    for (let i = 0; i < 1000; i += 1) close("10.0.0.2");
    time += 59_999;
    close("10.0.0.3");
    expect(lines.map(({ client, count }) => [client, count])).toEqual([["10.0.0.1", 1]]);
    time += 1;
    close("10.0.0.4");
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatchObject({
      level: "warn",
      msg: "connections were closed because there were too many",
      port: "webhook",
      limit: "client",
      closed: "oldest",
      client: "10.0.0.4",
      count: 1002,
    });
    const { body } = await telemetry.metrics.read();
    const counted = (labels: string): string | undefined =>
      body.split("\n").find((line) => line.startsWith(`skill_admission_connections_closed_total{${labels}}`));
    expect(counted('port="webhook",limit="client",closed="oldest"')).toMatch(/ 1003$/);
    expect(counted('port="metrics",limit="total",closed="newest"')).toMatch(/ 0$/);
    expect(body).not.toContain("10.0.0.");
  });
});
