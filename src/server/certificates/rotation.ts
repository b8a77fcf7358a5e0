import { defined } from "../../text/fields.ts";
import { leafFits, readCertificate, type CertificateState, type KeyedCertificate } from "./state.ts";

const hour = 3_600_000;
const day = 24 * hour;

/** Periods, milliseconds. */
export const lifetimes = {
  /** Long enough for an unhurried replacement, short enough that a lost key ends by itself. */
  authority: 365 * day,
  leaf: 30 * day,
  /** Start of validity before the present, for clocks that lag. */
  backdate: hour,
  /** Time of a new authority in the bundle before its first leaf: every API server has read it by then. */
  announcement: day,
  /** The same, where the present authority ends within a day. */
  shortAnnouncement: 60_000,
} as const;

/** Share of its life after which a certificate is replaced: a leaf has ten days left then, an authority four months. */
const renewAfter = 2 / 3;

/** Longest life of a certificate issued here. */
const longest = lifetimes.authority + lifetimes.backdate;

/** Next step for the shared certificates. */
export type Step =
  /** Nothing until then (milliseconds since 1970). */
  | { readonly kind: "keep"; readonly until: number }
  /** Begin anew: nothing usable is stored, or the authority has expired. */
  | { readonly kind: "create" }
  /** Create the next authority and add it to the bundle. */
  | { readonly kind: "announce" }
  /** The next authority issues from now on; the present one stays in the bundle. */
  | { readonly kind: "promote" }
  /** Issue a new leaf from the present authority. */
  | { readonly kind: "reissue" }
  /** Remove an authority without valid leaves from the bundle. */
  | { readonly kind: "retire" };

export interface PlanInput {
  /** DNS names and IP addresses that the leaf must cover. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /**
   * True if callers have the present bundle. Otherwise a successor does not issue yet, unless the present authority
   * is about to end.
   */
  readonly published: boolean;
}

interface Span {
  readonly notBefore: number;
  readonly notAfter: number;
}

function spanOf(pem: string): Span | undefined {
  const certificate = readCertificate(pem);
  if (certificate === undefined) return undefined;
  return { notBefore: certificate.validFromDate.getTime(), notAfter: certificate.validToDate.getTime() };
}

const isTooLong = ({ notBefore, notAfter }: Span): boolean => notAfter - notBefore > longest;

const covers = (span: Span | undefined, now: number): span is Span =>
  span !== undefined && span.notBefore <= now && now < span.notAfter;

const renewalOf = ({ notBefore, notAfter }: Span): number =>
  // A certificate that lives longer, whoever issued it, is replaced when one of ours would be.
  notBefore + Math.floor(Math.min(notAfter - notBefore, longest) * renewAfter);

/** Time at which an authority entered the bundle: it is announced as soon as it is created. */
const announcedAt = ({ notBefore }: Span): number => notBefore + lifetimes.backdate;

/**
 * The next step, from the stored state alone: every replica computes the same, and the store's optimistic concurrency
 * decides which one takes it. Repeat (carry out, store) until it is `keep`.
 */
export function plan(state: CertificateState | undefined, input: PlanInput): Step {
  if (state === undefined) return { kind: "create" };
  const { now } = input;
  const issuing = spanOf(state.issuing.cert);
  const next = state.next === undefined ? undefined : spanOf(state.next.cert);
  if (!covers(issuing, now)) return { kind: covers(next, now) ? "promote" : "create" };
  const retired = state.retired === undefined ? undefined : spanOf(state.retired);
  if (state.retired !== undefined && !covers(retired, now)) return { kind: "retire" };
  const moments = [renewalOf(issuing)];
  if (retired !== undefined) moments.push(retired.notAfter);
  if (now >= renewalOf(issuing)) {
    if (!covers(next, now)) return { kind: "announce" };
    if (mayPromote(issuing, next, input)) return { kind: "promote" };
    moments.push(announcedAt(next) + lifetimes.announcement);
  }
  return planLeaf(state, issuing, input, moments);
}

function planLeaf(
  { issuing, leaf }: CertificateState,
  authority: Span,
  { now, names }: PlanInput,
  moments: readonly number[],
): Step {
  const span = spanOf(leaf.cert);
  if (!covers(span, now) || isTooLong(span) || !leafFits(leaf.cert, issuing.cert, names))
    return { kind: "reissue" };
  // A leaf cannot outlive its authority: near the authority's end, the successor issues the next leaf.
  if (now >= renewalOf(span) && span.notAfter < authority.notAfter) return { kind: "reissue" };
  const ahead = [renewalOf(span), ...moments].filter((moment) => moment > now);
  return { kind: "keep", until: Math.min(span.notAfter, ...ahead) };
}

function mayPromote(issuing: Span, next: Span, { now, published }: PlanInput): boolean {
  const hurry = now >= issuing.notAfter - lifetimes.announcement;
  const announcement = hurry ? lifetimes.shortAnnouncement : lifetimes.announcement;
  // In its last hour the present authority is of no more use: waiting would gain nothing.
  return now >= issuing.notAfter - hour || (published && now >= announcedAt(next) + announcement);
}

/** True if a server can run on this state: the leaf is valid, covers the names, and comes from a valid authority. */
export function usable(
  state: CertificateState | undefined,
  names: readonly string[],
  now: number,
): state is CertificateState {
  if (state === undefined || !covers(spanOf(state.issuing.cert), now)) return false;
  const leaf = spanOf(state.leaf.cert);
  return covers(leaf, now) && !isTooLong(leaf) && leafFits(state.leaf.cert, state.issuing.cert, names);
}

/** Issues certificates: the only slow and random part. */
export interface Issuer {
  authority(span: Span): Promise<KeyedCertificate>;
  leaf(authority: KeyedCertificate, names: readonly string[], span: Span): Promise<KeyedCertificate>;
}

/** State after a step. `plan` answers `create` where `state` is undefined. */
export async function carryOut(
  step: Exclude<Step["kind"], "keep">,
  state: CertificateState | undefined,
  issuer: Issuer,
  { names, now }: Pick<PlanInput, "names" | "now">,
): Promise<CertificateState> {
  const authority = (): Promise<KeyedCertificate> =>
    issuer.authority({ notBefore: now - lifetimes.backdate, notAfter: now + lifetimes.authority });
  const leafFrom = (from: KeyedCertificate): Promise<KeyedCertificate> =>
    issuer.leaf(from, names, {
      // The leaf's validity stays within its authority's: some verifiers refuse it otherwise.
      notBefore: Math.max(now - lifetimes.backdate, spanOf(from.cert)?.notBefore ?? 0),
      notAfter: Math.min(now + lifetimes.leaf, spanOf(from.cert)?.notAfter ?? 0),
    });
  if (step === "create" || state === undefined) {
    const issuing = await authority();
    return { issuing, leaf: await leafFrom(issuing) };
  }
  const { issuing, next, leaf } = state;
  switch (step) {
    case "announce":
      return { ...state, next: await authority() };
    case "promote": {
      if (next === undefined) throw new Error("no successor to promote");
      return { issuing: next, retired: issuing.cert, leaf: await leafFrom(next) };
    }
    case "reissue":
      return { ...state, leaf: await leafFrom(issuing) };
    case "retire":
      return { issuing, leaf, ...defined({ next }) };
  }
}
