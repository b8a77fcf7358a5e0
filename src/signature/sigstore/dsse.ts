/** Payload type of in-toto statements, the only supported one. */
export const inTotoPayloadType = "application/vnd.in-toto+json";

/**
 * DSSE's pre-authentication encoding, the bytes that are signed: type and payload with their lengths in bytes (DSSE
 * protocol v1.0.2, PAE).
 */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.byteLength} `),
    type,
    Buffer.from(` ${payload.byteLength} `),
    payload,
  ]);
}

const backslash = 0x5c;
const apostrophe = 0x27;
const quotation = 0x22;
const shortEscapes: Readonly<Record<number, string>> = {
  0x09: "\\t",
  0x0a: "\\n",
  0x0d: "\\r",
  [backslash]: "\\\\",
};

/** Formats bytes as Python does: `b'…'`, or `b"…"` if they hold an apostrophe and no quotation mark. */
function pythonLiteral(bytes: Uint8Array): string {
  const quote = bytes.includes(apostrophe) && !bytes.includes(quotation) ? quotation : apostrophe;
  const pieces: string[] = [];
  for (const byte of bytes) {
    const escape = byte === quote ? `\\${String.fromCharCode(quote)}` : shortEscapes[byte];
    if (escape !== undefined) pieces.push(escape);
    else if (byte < 0x20 || byte >= 0x7f) pieces.push(`\\x${byte.toString(16).padStart(2, "0")}`);
    else pieces.push(String.fromCharCode(byte));
  }
  const mark = String.fromCharCode(quote);
  return `b${mark}${pieces.join("")}${mark}`;
}

/**
 * The encoding that model-signing 0.2 signed by mistake: another prefix, and the payload as Python prints bytes. It is
 * as unambiguous as the right one, for the length precedes the payload and the escapes are reversible.
 */
export function legacyPreAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const head = `DSSEV1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.byteLength} `;
  return Buffer.from(head + pythonLiteral(payload));
}
