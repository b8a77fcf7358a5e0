import type { DestinationStream } from "pino";

import { createLog, type Log, type LogLevel } from "./log.ts";
import { createMetrics, type MetricsOptions, type Metrics } from "./metrics.ts";

export interface TelemetryOptions extends MetricsOptions {
  readonly logLevel: LogLevel;
  /** Stream for log lines; by default standard output. */
  readonly destination?: DestinationStream;
}

/** Log and metrics of a process, created once and passed on. */
export interface Telemetry {
  readonly metrics: Metrics;
  readonly log: Log;
}

export const createTelemetry = (options: TelemetryOptions): Telemetry => ({
  metrics: createMetrics(options),
  log: createLog(options.logLevel, options.destination),
});
