import type { Json } from "../../../text/json.ts";
import { assertFields, assertObject, fieldOf, textOf, readJson } from "../../json-fields.ts";
import { malformed, unsupported } from "../../signature-error.ts";
import { quoted } from "../../../text/printable.ts";
import type { SigstoreRoot } from "./sigstore-root.ts";
import type { Thresholds } from "./thresholds.ts";
import { maxTrustedRootLength, toSigstoreRoot } from "./trusted-root.ts";

/** Limit of a ClientTrustConfig, characters: a trusted root, and a page of addresses. */
export const maxTrustConfigLength = maxTrustedRootLength;

const mediaType = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json";
const fields = new Set(["mediaType", "trustedRoot", "signingConfig"]);

function parse(text: string): Json {
  if (text.length > maxTrustConfigLength)
    throw malformed(`the client trust config is longer than ${maxTrustConfigLength} characters`);
  return readJson(text, "the client trust config");
}

/**
 * Reads the trusted root in a Sigstore `ClientTrustConfig` (sigstore_trustroot.proto), which instances publish as one
 * file for signing and verifying. The signing part is ignored.
 * @param names names for operators: `trust-root/entry`
 * @throws SignatureError MANIFEST_MALFORMED or UNSUPPORTED_FORMAT, naming the field
 */
export function readClientTrustConfig(
  text: string,
  names: readonly string[],
  thresholds?: Thresholds,
): SigstoreRoot {
  const where = "the client trust config";
  const config = assertObject(parse(text), where);
  const type = textOf(config, "mediaType", where);
  if (type !== mediaType)
    throw unsupported(`${where}'s media type is ${quoted(type)}, expected ${mediaType}`);
  assertFields(config, where, fields);
  return toSigstoreRoot(assertObject(fieldOf(config, "trustedRoot"), "trustedRoot"), names, thresholds);
}
