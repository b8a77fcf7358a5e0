import type * as Curves from "@noble/curves/nist.js";
import type * as Messages from "@sigstore/protobuf-specs";
import type * as Verify from "@sigstore/verify";
import { createRequire } from "node:module";
import type * as Patterns from "re2js";

/**
 * Sigstore's libraries and the pattern matcher take a tenth of a second to load, as long as verifying a hundred
 * skills, and only keyless signers need them. So they load on first use: with the first trusted root or pattern, the
 * curves with the first digest without its artifact. By `require`, since pure code here is synchronous. Only this file
 * of the pure rooms may use `node:module`; it loads these four packages and nothing else.
 */
const require = createRequire(import.meta.url);

/** Loads a library once: `require` looks up the file on each call, which takes longer than a hash. */
function once<T>(load: () => T): () => T {
  let loaded: T | undefined;
  return () => (loaded ??= load());
}

/** `@sigstore/verify`: chains, signed certificate timestamps, log inclusion, RFC 3161 timestamps. */
export const sigstoreVerify = once(() => require("@sigstore/verify") as typeof Verify);

/** `@sigstore/protobuf-specs`: the messages of Sigstore's JSON files. */
export const sigstoreMessages = once(() => require("@sigstore/protobuf-specs") as typeof Messages);

/** RE2 in JavaScript: matches in time linear in the text, whatever the pattern. */
export const linearPatterns = once(() => require("re2js") as typeof Patterns);

/** NIST's curves in JavaScript, to verify signatures over given digests. */
export const nistCurves = once(() => require("@noble/curves/nist.js") as typeof Curves);
