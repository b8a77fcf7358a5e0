import { pino, type DestinationStream } from "pino";

import { defined } from "../text/fields.ts";
import { printable } from "../text/printable.ts";
import type { Decision } from "../admission/decision.ts";
import type { Finding, SkillResult, Verdict } from "../policy/finding.ts";

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

/** Milliseconds from which a review is slow: whoever causes such ones can hold up everybody's, so each is logged. */
const slowFrom = 1000;

/**
 * Bounds of a line, in characters and list entries: users choose its contents, and must not fill disks. Skills and
 * findings count over the whole line.
 */
const limits = {
  text: 300,
  stack: 4000,
  policies: 20,
  skills: 40,
  findings: 50,
  sources: 8,
  depth: 3,
  entries: 30,
} as const;

/**
 * Credentials in the text of an error: tokens, passwords in URLs, private keys. A last defence: no log line should
 * hold any.
 */
const secrets: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,8000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g,
    "[private key]",
  ],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, "$1 [credential]"],
  [/\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*/g, "[token]"],
  [/(\/\/[^\s/:@]{1,200}):[^\s/@]{1,200}@/g, "$1:[password]@"],
];

/** Characters that are searched for credentials: far more than are logged. */
const maxScanned = 20_000;

function bounded(text: string, limit: number): string {
  let clean = text.length > maxScanned ? text.slice(0, maxScanned) : text;
  for (const [pattern, replacement] of secrets) clean = clean.replace(pattern, replacement);
  return printable(clean, limit);
}

const short = (text: string): string => bounded(text, limits.text);

function errorFields(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return value(error, depth + 1);
  const { name, message, stack, cause } = error;
  const code: unknown = Reflect.get(error, "code");
  return {
    name: short(name),
    message: short(message),
    ...(typeof code === "string" ? { code: short(code) } : {}),
    // Only the outermost error logs its stack; its lines stay a JSON list.
    ...(depth === 0 && stack !== undefined
      ? { stack: stack.slice(0, limits.stack).split("\n").slice(1, 12).map(short) }
      : {}),
    ...(cause === undefined || depth >= limits.depth ? {} : { cause: errorFields(cause, depth + 1) }),
  };
}

/** A value of any type, bounded in length, depth and number of entries. Never throws. */
function value(input: unknown, depth = 0): unknown {
  if (typeof input === "string") return short(input);
  if (typeof input === "number" || typeof input === "boolean" || input === null) return input;
  if (input instanceof Error) return errorFields(input, depth);
  if (typeof input === "bigint") return String(input);
  if (typeof input !== "object") return undefined;
  if (ArrayBuffer.isView(input)) return `${input.byteLength} bytes`;
  if (depth >= limits.depth) return "…";
  if (Array.isArray(input)) return input.slice(0, limits.entries).map((each) => value(each, depth + 1));
  return Object.fromEntries(
    Object.entries(input)
      .slice(0, limits.entries)
      .map(([key, each]) => [printable(key, 64), value(each, depth + 1)]),
  );
}

const findingFields = ({ code, message, path, tolerated }: Finding): LogFields => ({
  code,
  message: short(message),
  ...(path === undefined ? {} : { path: short(path) }),
  ...(tolerated ? { tolerated } : {}),
});

/** Entries that the line still has room for. */
interface Room {
  skills: number;
  findings: number;
}

/** Takes the first entries, as far as there is room. */
function taken<T>(entries: readonly T[], room: Room, kind: keyof Room): readonly T[] {
  const first = entries.slice(0, room[kind]);
  room[kind] -= first.length;
  return first;
}

function skillFields({ reference, evidence, findings }: SkillResult, room: Room): LogFields {
  const digest = evidence?.signature.digest;
  const told = taken(findings, room, "findings");
  return {
    name: short(reference.name),
    path: short(reference.path),
    sources: reference.sources.slice(0, limits.sources).map(({ kind, name }) => `${kind} ${short(name)}`),
    ...defined({ digest }),
    ...(evidence === undefined ? {} : { signature: evidence.signature.outcome }),
    ...(evidence?.others === undefined
      ? {}
      : { otherSignatures: evidence.others.map(({ outcome }) => outcome) }),
    ...(reference.mountedBy === undefined ? {} : { mountedBy: short(reference.mountedBy) }),
    findings: told.map(findingFields),
    ...(findings.length > told.length ? { findingsTotal: findings.length } : {}),
  };
}

/** True where the policy admits only because its mode, or the object's kind, does not deny. */
const wouldDeny = ({ outcome, skills }: Verdict): boolean =>
  outcome !== "deny" && skills.some(({ findings }) => findings.some(({ tolerated }) => !tolerated));

function verdictFields(verdict: Verdict, room: Room): LogFields {
  const { policy, tenant, mode, outcome, skills } = verdict;
  const told = taken(skills, room, "skills");
  return {
    policy: short(policy),
    tenant: short(tenant),
    mode,
    outcome,
    ...(wouldDeny(verdict) ? { wouldDeny: true } : {}),
    skills: told.map((skill) => skillFields(skill, room)),
    ...(skills.length > told.length ? { skillsTotal: skills.length } : {}),
  };
}

function decisionFields(decision: Decision, milliseconds: number, client: string): LogFields {
  const { id, outcome, subject } = decision;
  const base = {
    decision: outcome,
    id: short(id),
    uid: short(subject.uid),
    kind: short(subject.kind),
    resource: short(subject.resource),
    operation: subject.operation,
    namespace: short(subject.namespace),
    name: short(subject.name),
    user: short(subject.user),
    client: short(client),
    dryRun: subject.dryRun,
    durationMs: Math.round(milliseconds * 1000) / 1000,
    ...(milliseconds >= slowFrom ? { slow: true } : {}),
  };
  if ("bypass" in decision) return { ...base, bypass: decision.bypass };
  if (decision.outcome === "error") {
    const { code, message, cause, letInBy } = decision;
    return {
      ...base,
      ...defined({ letInBy }),
      code,
      message: short(message),
      ...(cause === undefined ? {} : { error: errorFields(cause) }),
    };
  }
  const { verdicts } = decision;
  const room: Room = { skills: limits.skills, findings: limits.findings };
  return {
    ...base,
    verdicts: verdicts.slice(0, limits.policies).map((verdict) => verdictFields(verdict, room)),
    ...(verdicts.length > limits.policies ? { verdictsTotal: verdicts.length } : {}),
  };
}

/**
 * Verdicts are logged at info and failed reviews at error. A review with nothing to check is logged at debug, since
 * most are, unless it was slow.
 */
function levelOf(decision: Decision, milliseconds: number): LogLevel {
  if ("bypass" in decision) return milliseconds >= slowFrom ? "info" : "debug";
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
