import type { DestinationStream } from "pino";

import { createLog, type Log, type LogLevel } from "./log.ts";
import { createMetrics, type BuildInfo, type Metrics } from "./metrics.ts";

export interface TelemetryOptions extends BuildInfo {
  readonly logLevel: LogLevel;
  /** Where log lines go; by default standard output. */
  readonly destination?: DestinationStream;
}

/** What is told of the program's work: lines and numbers. Made once, by whoever starts it, and handed in. */
export interface Telemetry {
  readonly metrics: Metrics;
  readonly log: Log;
}

export const createTelemetry = (options: TelemetryOptions): Telemetry => ({
  metrics: createMetrics(options),
  log: createLog(options.logLevel, options.destination),
});
