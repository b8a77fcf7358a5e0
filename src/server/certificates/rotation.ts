import { leafFits, readCertificate, type CertificateState, type KeyedCertificate } from "./state.ts";

const hour = 3_600_000;
const day = 24 * hour;

/** Spans of time, milliseconds. */
export const lifetimes = {
  /** Long enough that its replacement never hurries, short enough that a lost key ends by itself. */
  authority: 365 * day,
  leaf: 30 * day,
  /** Certificates begin this much in the past, for clocks that lag. */
  backdate: hour,
  /** A new authority is in the bundle so long before its first leaf, for every API server to have read it. */
  announcement: day,
  /** The same where the present authority ends within a day. */
  shortAnnouncement: 60_000,
} as const;

/** Both kinds are replaced after this share of their life: a leaf has ten days left then, an authority four months. */
const renewAfter = 2 / 3;

/** No certificate of ours lives longer. */
const longest = lifetimes.authority + lifetimes.backdate;

/** What to do next about the shared certificates. */
export type Step =
  /** Nothing, until then (milliseconds since 1970). */
  | { readonly kind: "keep"; readonly until: number }
  /** Begin anew: nothing usable is stored, or its authority has expired. */
  | { readonly kind: "create" }
  /** Make the next authority and put it into the bundle. */
  | { readonly kind: "announce" }
  /** The next authority issues from now on; the present one stays in the bundle. */
  | { readonly kind: "promote" }
  /** A new leaf from the present authority. */
  | { readonly kind: "reissue" }
  /** Take an authority out of the bundle that no valid leaf comes from. */
  | { readonly kind: "retire" };

export interface PlanInput {
  /** DNS names and IP addresses that a leaf must be for. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /**
   * Is the bundle known to be where callers read it. While it is not, a successor is not put to use, unless the
   * present authority is about to end.
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
  // One that lives longer than any that we make, whoever made it, goes when ours would.
  notBefore + Math.floor(Math.min(notAfter - notBefore, longest) * renewAfter);

/** When an authority was put into the bundle: it is made and announced at once. */
const announcedAt = ({ notBefore }: Span): number => notBefore + lifetimes.backdate;

/**
 * The next step, from the stored state alone: every replica comes to the same, and which of them takes it the
 * store's concurrency decides. Carry it out, store it, ask again, until it says `keep`.
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
  // At the end of an authority's life a leaf cannot outlive it; its successor issues the next one.
  if (now >= renewalOf(span) && span.notAfter < authority.notAfter) return { kind: "reissue" };
  const ahead = [renewalOf(span), ...moments].filter((moment) => moment > now);
  return { kind: "keep", until: Math.min(span.notAfter, ...ahead) };
}

function mayPromote(issuing: Span, next: Span, { now, published }: PlanInput): boolean {
  const hurry = now >= issuing.notAfter - lifetimes.announcement;
  const announcement = hurry ? lifetimes.shortAnnouncement : lifetimes.announcement;
  // With what is left of the last hour there is nothing to lose by it.
  return now >= issuing.notAfter - hour || (published && now >= announcedAt(next) + announcement);
}

/** Can a server go on with what this state holds: a leaf that is valid, fits, and comes from a valid authority. */
export function usable(
  state: CertificateState | undefined,
  names: readonly string[],
  now: number,
): state is CertificateState {
  if (state === undefined || !covers(spanOf(state.issuing.cert), now)) return false;
  const leaf = spanOf(state.leaf.cert);
  return covers(leaf, now) && !isTooLong(leaf) && leafFits(state.leaf.cert, state.issuing.cert, names);
}

/** Makes certificates. The only part that is slow, and random. */
export interface Issuer {
  authority(span: Span): Promise<KeyedCertificate>;
  leaf(authority: KeyedCertificate, names: readonly string[], span: Span): Promise<KeyedCertificate>;
}

/** The state after a step. `state` may be undefined only for `create`, as `plan` sees to. */
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
      // Within its authority's span, or some verifiers refuse it.
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
      return { issuing, leaf, ...(next === undefined ? {} : { next }) };
  }
}
