import { pino, type DestinationStream } from "pino";

import type { Decision } from "../admission/decision.ts";
import { short, value } from "./bounded.ts";
import { decisionFields, isSlow } from "./decision-record.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Facts of an event: names, numbers, an error under `error`. Never whole objects of the cluster. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Port: keeps the logging library out of other rooms. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /**
   * Logs one decision.
   * @param milliseconds from the review's arrival
   * @param client address that the review came from
   */
  decision(decision: Decision, milliseconds: number, client: string): void;
}

/**
 * Verdicts are logged at info and failed reviews at error. A review with nothing to check is logged at debug, since
 * most are, unless it was slow.
 */
function levelOf(decision: Decision, milliseconds: number): LogLevel {
  if ("bypass" in decision) return isSlow(milliseconds) ? "info" : "debug";
  switch (decision.outcome) {
    case "allow":
    case "warn":
    case "deny":
      return "info";
    case "error":
      return "error";
  }
}

/** Log of structured JSON, one line per event, on the given stream; by default standard output. */
export function createLog(level: LogLevel, destination?: DestinationStream): Log {
  const options = {
    level,
    base: {},
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = destination === undefined ? pino(options) : pino(options, destination);
  const write =
    (severity: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (logger.isLevelEnabled(severity)) logger[severity](value(fields), short(message));
    };
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    decision(decision, milliseconds, client) {
      const severity = levelOf(decision, milliseconds);
      if (logger.isLevelEnabled(severity))
        logger[severity](decisionFields(decision, milliseconds, client), "review");
    },
  };
}
