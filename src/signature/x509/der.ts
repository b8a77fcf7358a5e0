/** A value in DER (X.690): tag byte, content, and the whole encoding. */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly encoded: Uint8Array;
}

/** Bytes that are not DER. */
export class DerError extends Error {
  override readonly name = "DerError";
}

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

const maxValues = 1_000;

function readLength(bytes: Uint8Array, at: number): { readonly length: number; readonly start: number } {
  const first = bytes[at];
  if (first === undefined) throw new DerError("ends in the middle of a value");
  if (first < 0x80) return { length: first, start: at + 1 };
  const size = first & 0x7f;
  if (size === 0 || size > 3) throw new DerError("has an indefinite or excessive length");
  let length = 0;
  for (let index = 1; index <= size; index += 1) length = length * 256 + (bytes[at + index] ?? 0);
  if (length < 0x80 || length < 2 ** (8 * (size - 1))) throw new DerError("has a length that is not minimal");
  return { length, start: at + 1 + size };
}

/**
 * Reads a sequence of DER values that fills these bytes.
 * @param most limit of values
 * @throws DerError
 */
export function readDer(bytes: Uint8Array, most: number = maxValues): readonly DerValue[] {
  const values: DerValue[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (values.length >= most) throw new DerError("has too many values");
    const tag = bytes[at] ?? 0;
    if ((tag & 0x1f) === 0x1f) throw new DerError("has a tag of several bytes");
    const { length, start } = readLength(bytes, at + 1);
    if (start + length > bytes.length) throw new DerError("ends in the middle of a value");
    values.push({
      tag,
      content: bytes.subarray(start, start + length),
      encoded: bytes.subarray(at, start + length),
    });
    at = start + length;
  }
  return values;
}

/** @throws DerError if the value is absent or has another tag */
export function assertDer(value: DerValue | undefined, tag: number): DerValue {
  if (value?.tag !== tag) throw new DerError("is not built as expected");
  return value;
}

/** Members of a SEQUENCE or SET. @throws DerError */
export const derMembers = (
  value: DerValue | undefined,
  tag: number = derTag.sequence,
  most: number = maxValues,
): readonly DerValue[] => readDer(assertDer(value, tag).content, most);

/** Dotted form of an OBJECT IDENTIFIER. @throws DerError */
export function objectIdentifier(value: DerValue | undefined): string {
  const { content } = assertDer(value, derTag.objectIdentifier);
  if (content.length === 0 || content.length > 64)
    throw new DerError("has an empty or excessive object identifier");
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 256) throw new DerError("has an excessive object identifier");
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  if ((content.at(-1) ?? 0) >= 0x80) throw new DerError("has an unfinished object identifier");
  const [head = 0, ...rest] = arcs;
  const root = Math.min(2, Math.floor(head / 40));
  return [root, head - root * 40, ...rest].join(".");
}

/** BOOLEAN. @throws DerError */
export function derBoolean(value: DerValue | undefined): boolean {
  const { content } = assertDer(value, derTag.boolean);
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff))
    throw new DerError("has a wrong boolean");
  return content[0] === 0xff;
}

/** A non-negative INTEGER of at most 4 bytes. @throws DerError */
export function derInteger(value: DerValue | undefined): number {
  const { content } = assertDer(value, derTag.integer);
  if (content.length === 0 || content.length > 4 || (content[0] ?? 0) >= 0x80)
    throw new DerError("has a wrong integer");
  return content.reduce((number, byte) => number * 256 + byte, 0);
}

/** A serial number as hex without leading zeros: it may exceed JavaScript's numbers. @throws DerError */
export const derSerial = (value: DerValue | undefined): string =>
  Buffer.from(assertDer(value, derTag.integer).content)
    .toString("hex")
    .replace(/^(?:00)+(?=.)/, "");

const utcTime = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const generalizedTime = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

function timeParts({ tag, content }: DerValue): readonly string[] {
  const text = Buffer.from(content.subarray(0, 20)).toString("latin1");
  if (tag === derTag.generalizedTime) return generalizedTime.exec(text)?.slice(1) ?? [];
  const [year = "", ...rest] = (tag === derTag.utcTime ? utcTime.exec(text)?.slice(1) : undefined) ?? [];
  return [`${Number(year) < 50 ? "20" : "19"}${year}`, ...rest];
}

/**
 * UTCTime or GeneralizedTime as RFC 5280 (4.1.2.5) permits, in milliseconds since 1970; up to the year 9999.
 * @throws DerError
 */
export function derTime(value: DerValue | undefined): number {
  const [year, month, day, hour, minute, second] = value === undefined ? [] : timeParts(value);
  const text = `${year ?? ""}-${month ?? ""}-${day ?? ""}T${hour ?? ""}:${minute ?? ""}:${second ?? ""}.000Z`;
  const time = Date.parse(text);
  // `Date.parse` rejects an impossible date or normalises it to another one.
  if (Number.isNaN(time) || new Date(time).toISOString() !== text) throw new DerError("has a wrong time");
  return time;
}
