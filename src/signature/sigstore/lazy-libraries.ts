import type * as Curves from "@noble/curves/nist.js";
import type * as Messages from "@sigstore/protobuf-specs";
import type * as Verify from "@sigstore/verify";
import { createRequire } from "node:module";
import type * as Patterns from "re2js";

/**
 * Sigstore's libraries and the pattern matcher take a tenth of a second to load, longer than a hundred skills to
 * verify, and whoever trusts no keyless signer needs none of them. They are loaded when the first trusted root or
 * pattern is read, the curves when the first digest without its artifact is asked about: by `require`, for what is pure
 * here is synchronous too. This is the one file of the pure rooms that may use `node:module`; it loads these four packages
 * and nothing else.
 */
const require = createRequire(import.meta.url);

/** Loads once. `require` by itself looks for the file again on each call, which takes longer than a hash. */
function once<T>(load: () => T): () => T {
  let loaded: T | undefined;
  return () => (loaded ??= load());
}

/** `@sigstore/verify`: chains, signed certificate timestamps, log inclusion, RFC 3161 timestamps. */
export const sigstoreVerify = once(() => require("@sigstore/verify") as typeof Verify);

/** `@sigstore/protobuf-specs`: the messages that Sigstore's JSON files are. */
export const sigstoreMessages = once(() => require("@sigstore/protobuf-specs") as typeof Messages);

/** RE2 in JavaScript: matches in time linear in the text, whatever the pattern. */
export const linearPatterns = once(() => require("re2js") as typeof Patterns);

/** NIST's curves in JavaScript, for signatures over digests that were made elsewhere. */
export const nistCurves = once(() => require("@noble/curves/nist.js") as typeof Curves);
