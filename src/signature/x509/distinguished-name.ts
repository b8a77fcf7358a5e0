import { assertDer, DerError, derMembers, derTag, objectIdentifier, type DerValue } from "./der.ts";

/** Attribute short names, of RFC 4514 (3) and common use. Other attributes keep their dotted identifier. */
const shortNames: ReadonlyMap<string, string> = new Map([
  ["2.5.4.3", "CN"],
  ["2.5.4.4", "SN"],
  ["2.5.4.5", "serialNumber"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.9", "STREET"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["2.5.4.12", "title"],
  ["2.5.4.42", "GN"],
  ["2.5.4.97", "organizationIdentifier"],
  ["0.9.2342.19200300.100.1.1", "UID"],
  ["0.9.2342.19200300.100.1.25", "DC"],
  ["1.2.840.113549.1.9.1", "emailAddress"],
]);

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf16 = new TextDecoder("utf-16be", { fatal: true, ignoreBOM: true });

/**
 * Decodes PrintableString, IA5String, TeletexString, BMPString and UTF8String: all string types of RFC 5280 but
 * UniversalString.
 */
function textOfValue(value: DerValue | undefined): string {
  const content = value?.content ?? new Uint8Array();
  try {
    switch (value?.tag ?? 0) {
      case derTag.utf8String:
        return utf8.decode(content);
      case 0x12:
      case 0x13:
      case 0x16:
        if (content.every((byte) => byte < 0x80)) return utf8.decode(content);
        break;
      case 0x14:
        return Buffer.from(content).toString("latin1");
      case 0x1e:
        return utf16.decode(content);
    }
  } catch {
    // Reported below, like every value that is not text.
  }
  throw new DerError("has a name that is not text");
}

/** Escapes as RFC 4514 (2.4) requires, and control characters as hex. */
const escaped = (text: string): string =>
  text
    .replace(/[\\"+,;<>]/g, "\\$&")
    .replace(/^[ #]/, "\\$&")
    .replace(/ $/, "\\ ")
    .replace(
      /[\u0000-\u001f\u007f]/g,
      (control) => `\\${control.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );

/** A name as text for people, and by attribute for policies. */
export interface DistinguishedName {
  /** `CN=…, O=…, C=…`, most specific part first, escaped as in RFC 4514. */
  readonly text: string;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

/** Reads a Name (RFC 5280, 4.1.2.4). @throws DerError */
export function readName(name: DerValue): DistinguishedName {
  const attributes = new Map<string, string[]>();
  const parts = derMembers(name).map((set) =>
    derMembers(set, derTag.set)
      .map((pair) => {
        const [type, value] = derMembers(assertDer(pair, derTag.sequence));
        const identifier = objectIdentifier(type);
        const key = shortNames.get(identifier) ?? identifier;
        const text = textOfValue(value);
        attributes.set(key, [...(attributes.get(key) ?? []), text]);
        return `${key}=${escaped(text)}`;
      })
      .join("+"),
  );
  return { text: parts.reverse().join(", "), attributes: Object.fromEntries(attributes) };
}
