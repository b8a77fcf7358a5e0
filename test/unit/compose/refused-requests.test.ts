import { describe, expect, it } from "vitest";

import { refusedRequests } from "../../../src/compose/refused-requests.ts";
import { createTelemetry } from "../../../src/telemetry/telemetry.ts";

describe("refusedRequests", () => {
  it("counts each, and logs of each status how many, whose and why, once a minute", async () => {
    const lines: Record<string, unknown>[] = [];
    const destination = {
      write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
    };
    const telemetry = createTelemetry({ version: "1", revision: "1", logLevel: "info", destination });
    let time = 5_000_000;
    const told = refusedRequests(telemetry, () => time);
    const refuse = (status: number, client: string): void =>
      told({ status, message: `why ${status}`, client });
    refuse(503, "10.0.0.1");
    for (let i = 0; i < 1000; i += 1) refuse(503, "10.0.0.2");
    refuse(401, "10.0.0.3");
    time += 59_999;
    refuse(503, "10.0.0.4");
    expect(lines.map(({ status, client, count }) => [status, client, count])).toEqual([
      [503, "10.0.0.1", 1],
      [401, "10.0.0.3", 1],
    ]);
    time += 1;
    refuse(503, "10.0.0.5");
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatchObject({
      level: "warn",
      msg: "requests were answered without a review",
      status: 503,
      message: "why 503",
      client: "10.0.0.5",
      count: 1002,
    });
    const { body } = await telemetry.metrics.read();
    expect(body).toMatch(/^skill_admission_http_refusals_total\{status="503"\} 1003$/m);
    expect(body).toMatch(/^skill_admission_http_refusals_total\{status="401"\} 1$/m);
    expect(body).not.toContain("10.0.0.");
  });
});
