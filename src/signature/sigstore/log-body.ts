import type { Fields } from "../../skill/fields.ts";
import { JsonError, parseStrictJson, type Json } from "../../skill/json.ts";
import { malformed, quoted, SignatureError, unsupported } from "../signature-error.ts";
import type { LogEntry } from "./log-entry.ts";

/** Largest body of a log entry. Real ones have 3 to 6 KB: a signature, a certificate and digests. */
const maxBody = 65_536;

/** Kinds of entries in which clients log DSSE envelopes: `dsse` in Rekor 1, both in Rekor 2. */
const kinds = new Set(["dsse 0.0.1", "dsse 0.0.2", "hashedrekord 0.0.2"]);

/** The member at the end of this way, or undefined. */
const at = (value: Json | undefined, way: readonly (string | number)[]): Json | undefined =>
  way.reduce<Json | undefined>((part, step) => {
    if (part === null || typeof part !== "object" || !Object.hasOwn(part, step)) return undefined;
    return (part as Fields<Json>)[String(step)];
  }, value);

/** Where the certificate stands in each kind of body, in base64; that of Rekor 1 is PEM once more. */
const certificateAt: Readonly<Record<string, readonly (string | number)[]>> = {
  "dsse 0.0.1": ["spec", "signatures", 0, "verifier"],
  "dsse 0.0.2": ["spec", "dsseV002", "signatures", 0, "verifier", "x509Certificate", "rawBytes"],
  "hashedrekord 0.0.2": ["spec", "hashedRekordV002", "signature", "verifier", "x509Certificate", "rawBytes"],
};

const pem = /^-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----\s*$/;

function certificateIn(body: Json, kind: string): Buffer | undefined {
  const text = at(body, certificateAt[kind] ?? []);
  if (typeof text !== "string") return undefined;
  const bytes = Buffer.from(text, "base64");
  if (kind !== "dsse 0.0.1") return bytes;
  const [, inner] = pem.exec(bytes.toString("latin1")) ?? [];
  return inner === undefined ? undefined : Buffer.from(inner, "base64");
}

function bodyOf({ canonicalizedBody }: LogEntry): Json {
  if (canonicalizedBody.byteLength > maxBody) throw malformed("the log entry's body is too large");
  try {
    return parseStrictJson(canonicalizedBody);
  } catch (cause) {
    if (cause instanceof JsonError) throw malformed(`the log entry's body is ${cause.message}`, { cause });
    throw cause;
  }
}

/** What the digest in an entry is over: the payload itself, or what was signed, with the payload's type before it. */
export const digestsPayload = ({ kindVersion: { kind } }: LogEntry): boolean => kind !== "hashedrekord";

/**
 * Is the entry of a kind that logs DSSE envelopes, and for this very certificate. `@sigstore/verify` compares signature
 * and digest; the certificate it leaves out, and duplicate keys it reads as JavaScript does.
 * @throws SignatureError
 */
export function assertLogBody(entry: LogEntry, certificate: Uint8Array): void {
  const kind = `${entry.kindVersion.kind} ${entry.kindVersion.version}`;
  if (!kinds.has(kind)) throw unsupported(`the log entry is of the kind ${quoted(kind)}`);
  const logged = certificateIn(bodyOf(entry), kind);
  if (logged?.equals(certificate) !== true) {
    throw new SignatureError("BAD_SIGNATURE", "the log entry is about another certificate than the bundle's");
  }
}
