import type { CompiledSnapshot } from "../../../policy/compile/snapshot.ts";
import type { OwnKind } from "../../../policy/resource/kinds.ts";
import { policyPrefix, type TrustExpiry } from "../../../policy/trust/expiry.ts";
import { day, timeText } from "../../../text/time.ts";
import type { Said } from "./condition.ts";

/** Days before an expiry from which a resource warns of it; the same as in the alert. */
const warningDays: Readonly<Record<TrustExpiry["kind"], number>> = {
  authority: 30,
  key: 30,
  "verifiable-after": 30,
  unsigned: 30,
  crl: 3,
};

/** Kinds of which a past end is not repeated for ever: earlier signatures stay valid, or it is as the policy wants it. */
const isOverSilently = ({ kind }: TrustExpiry): boolean => kind === "verifiable-after" || kind === "unsigned";

/** Expiry of a trust root or policy, for the printer columns and the condition. */
export interface Expiry {
  /** RFC 3339, or `never`; never empty, which would shift the columns. */
  readonly expires: string;
  /** Name of the entry. */
  readonly expiring?: string;
  readonly condition: Said;
}

/** What to do about the ends that are told. */
function remedyOf(ends: readonly TrustExpiry[]): string {
  const [unsigned, trust] = [true, false].map((is) => ends.some(({ kind }) => (kind === "unsigned") === is));
  return [
    ...(trust ? ["add the successor beside it, and remove what has ended"] : []),
    ...(unsigned
      ? ["have the skills signed before unsigned.until, from which on unsigned ones are refused"]
      : []),
  ].join("; ");
}

function conditionOf(soon: readonly TrustExpiry[], prefix: string, now: number): Said {
  if (soon.length === 0) {
    const message = `nothing ends within ${warningDays.authority} days, no revocation list within ${warningDays.crl}`;
    return { status: "False", reason: "NothingSoon", message };
  }
  const told = soon.slice(0, 8).map((end) => {
    const word = end.notAfter < now ? "ended" : "ends";
    return `${end.name.slice(prefix.length)} ${word} at ${timeText(end.notAfter)}`;
  });
  const more = soon.length > told.length ? `, and ${soon.length - told.length} more` : "";
  const over = soon.some(({ notAfter }) => notAfter < now);
  const message = `${told.join(", ")}${more}; ${remedyOf(soon)}`;
  return { status: "True", reason: over ? "Ended" : "EndsSoon", message };
}

/**
 * What of a trust root, or of a policy itself, ends next.
 * @param now milliseconds since 1970
 */
export function expiryOf(
  kind: Exclude<OwnKind, "SkillRevocationList">,
  name: string,
  { expiries }: CompiledSnapshot,
  now: number,
): Expiry {
  const prefix = kind === "SkillTrustRoot" ? `${name}/` : policyPrefix(name);
  const ends = expiries
    .filter((end) => end.name.startsWith(prefix) && !(isOverSilently(end) && end.notAfter < now))
    .sort((one, other) => one.notAfter - other.notAfter);
  const soon = ends.filter((end) => end.notAfter < now + warningDays[end.kind] * day);
  const shown = ends.find(({ notAfter }) => notAfter >= now) ?? ends.at(-1);
  const columns =
    shown === undefined
      ? { expires: "never" }
      : { expires: timeText(shown.notAfter), expiring: shown.name.slice(prefix.length) };
  return { ...columns, condition: conditionOf(soon, prefix, now) };
}
