import { always, type Validity } from "../../signature/validity.ts";

/** Trust periods by `trust-root/entry`. */
export type PeriodsByName = ReadonlyMap<string, Validity>;

interface Entry {
  readonly name: string;
  readonly notBefore?: string;
  readonly notAfter?: string;
}

/** Trust period of each entry of a list. */
export const periodsByName = (root: string, entries: readonly Entry[] = []): PeriodsByName =>
  new Map(
    entries.map(({ name, notBefore, notAfter }) => [
      `${root}/${name}`,
      {
        notBefore: notBefore === undefined ? always.notBefore : Date.parse(notBefore),
        notAfter: notAfter === undefined ? always.notAfter : Date.parse(notAfter),
      },
    ]),
  );

/** A trusted key, certificate or root, as read from an entry. */
export interface Trusted {
  readonly names: readonly string[];
  readonly fingerprint: string;
}

/** Trust period of the entry that it comes from. */
export const periodOf = ({ names: [name = ""] }: Trusted, periods: PeriodsByName): Validity =>
  periods.get(name) ?? always;

/**
 * Trust periods by fingerprint, one for each entry that holds the certificate or key: one period in force is
 * enough.
 */
export function periodsOfPins(
  trusted: readonly Trusted[],
  periods: PeriodsByName,
): ReadonlyMap<string, readonly Validity[]> {
  const pins = new Map<string, Validity[]>();
  for (const one of trusted) {
    const known = pins.get(one.fingerprint) ?? [];
    known.push(periodOf(one, periods));
    pins.set(one.fingerprint, known);
  }
  return pins;
}
