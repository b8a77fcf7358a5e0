/** Payload type of in-toto statements; the only one that is understood. */
export const inTotoPayloadType = "application/vnd.in-toto+json";

/** What a DSSE signature is over: type and payload, with their lengths in bytes (DSSE protocol v1.0.2, PAE). */
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

/** Bytes as Python writes them: `b'…'`, or `b"…"` where they hold an apostrophe and no quotation mark. */
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
 * The encoding that model-signing 0.2 signed by mistake: another prefix, and the payload as Python prints bytes.
 * As unambiguous as the right one, for the length stands before the payload and its escapes can be undone.
 */
export function legacyPreAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const head = `DSSEV1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.byteLength} `;
  return Buffer.from(head + pythonLiteral(payload));
}
