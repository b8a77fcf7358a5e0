import { httpsClient } from "../../test/fixtures/https-client.ts";
import { podReview } from "../../test/fixtures/review.ts";
import type { Decision, DemoPod } from "./cases.ts";

/** A running webhook. */
export interface Served {
  readonly port: number;
  /** URL of its metrics. */
  readonly metrics: string;
  /** PEM of the CA of its certificate. */
  readonly ca: string;
}

interface Reviewed {
  readonly response: {
    readonly allowed: boolean;
    readonly status?: { readonly message: string; readonly reason: string };
    readonly warnings?: readonly string[];
  };
}

/** Seconds spent on verification so far, all outcomes together. */
async function verificationSeconds(metrics: string): Promise<number> {
  const text = await (await fetch(metrics)).text();
  const sums = text.matchAll(/^skill_admission_verification_duration_seconds_sum\{[^}]*\} (\S+)$/gm);
  return [...sums].reduce((total, [, value]) => total + Number(value), 0);
}

/** A decision as kubectl prints it. */
function asKubectl({ response }: Reviewed, name: string): string {
  const warnings = (response.warnings ?? []).map((warning) => `Warning: ${warning}\n`).join("");
  if (response.allowed) return `${warnings}pod/${name} created`;
  const { reason = "", message = "" } = response.status ?? {};
  return `${warnings}Error from server (${reason}): admission webhook "pods.skill-admission.dev" denied the request: ${message}`;
}

function decisionOf({ response: { allowed, warnings = [] } }: Reviewed): Decision {
  if (!allowed) return "denied";
  return warnings.length > 0 ? "warned" : "admitted";
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/**
 * Sends the reviews and prints the decisions.
 * @returns titles of the reviews with another decision than expected
 */
export async function tellReviews(
  { port, metrics, ca }: Served,
  pods: readonly DemoPod[],
): Promise<readonly string[]> {
  const { agent, call } = httpsClient(port, ca);
  const rows = [["CASE", "DECISION", "VERIFICATION", "REVIEW OVER TLS"]];
  const wrong: string[] = [];
  for (const { title, name, namespace, pod, expected } of pods) {
    const before = await verificationSeconds(metrics);
    const started = performance.now();
    const { body } = await call({ path: "/validate?timeout=5s", body: JSON.stringify(podReview(pod)) });
    const review = performance.now() - started;
    const verification = ((await verificationSeconds(metrics)) - before) * 1000;
    const reviewed = JSON.parse(body) as Reviewed;
    const decision = decisionOf(reviewed);
    console.log(
      `\n# ${title}\n$ kubectl apply -n ${namespace} -f ${name}.yaml\n${asKubectl(reviewed, name)}`,
    );
    rows.push([
      title,
      decision,
      verification > 0 ? `${verification.toFixed(2)} ms` : "-",
      `${review.toFixed(2)} ms`,
    ]);
    if (decision !== expected) wrong.push(title);
  }
  agent.destroy();
  console.log(`\n${table(rows)}`);
  return wrong;
}
