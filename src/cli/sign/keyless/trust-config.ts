import type { SigningConfig } from "@sigstore/protobuf-specs";

import type { Json } from "../../../text/json.ts";
import {
  assertFields,
  assertObject,
  fieldOf,
  listOf,
  readObject,
  textOf,
  type JsonObject,
} from "../../../signature/json-fields.ts";
import { malformed, unsupported } from "../../../signature/signature-error.ts";
import { quoted } from "../../../text/printable.ts";
import { sigstoreMessages } from "../../../signature/sigstore/lazy-libraries.ts";
import { readTrustedRoot } from "../../../signature/sigstore/root/trusted-root.ts";
import type { SigstoreRoot } from "../../../signature/sigstore/root/sigstore-root.ts";
import { serviceUrl } from "./service-url.ts";

const trustConfigType = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json";
const signingConfigType = "application/vnd.dev.sigstore.signingconfig.v0.2+json";
const maxServices = 32;

const configFields = new Set(["mediaType", "trustedRoot", "signingConfig"]);
const signingFields = new Set([
  "mediaType",
  "caUrls",
  "oidcUrls",
  "rekorTlogUrls",
  "rekorTlogConfig",
  "tsaUrls",
  "tsaConfig",
]);
const serviceFields = new Set(["url", "majorApiVersion", "validFor", "operator"]);

function assertType(object: JsonObject, where: string, wanted: string): void {
  const type = textOf(object, "mediaType", where);
  if (type !== wanted) throw unsupported(`${where}'s media type is ${quoted(type)}, expected ${wanted}`);
}

/**
 * True if a service's validity covers this moment. The library checks only the end, and prefers the latest start.
 */
function isNow(service: JsonObject, where: string, now: number): boolean {
  const span = assertObject(fieldOf(service, "validFor") ?? {}, `${where}.validFor`);
  assertFields(span, `${where}.validFor`, new Set(["start", "end"]));
  const timeOf = (field: string, otherwise: number): number => {
    if (fieldOf(span, field) === undefined) return otherwise;
    const time = Date.parse(textOf(span, field, `${where}.validFor`));
    if (Number.isNaN(time)) throw malformed(`${where}.validFor.${field} is not a time`);
    return time;
  };
  return timeOf("start", -Infinity) <= now && now <= timeOf("end", Infinity);
}

/** Valid services of one kind, with URLs that may receive a token. */
function usable(config: JsonObject, field: string, now: number): readonly Json[] {
  if (fieldOf(config, field) === undefined) return [];
  return listOf(config, field, "signingConfig", maxServices).flatMap((value, at) => {
    const where = `signingConfig.${field}[${at}]`;
    const service = assertObject(value, where);
    assertFields(service, where, serviceFields);
    const url = serviceUrl(textOf(service, "url", where), `${where}.url`);
    return isNow(service, where, now) ? [{ ...service, url }] : [];
  });
}

function signingConfigOf(config: JsonObject, now: number): SigningConfig {
  assertType(config, "signingConfig", signingConfigType);
  assertFields(config, "signingConfig", signingFields);
  const services = {
    caUrls: usable(config, "caUrls", now),
    rekorTlogUrls: usable(config, "rekorTlogUrls", now),
    tsaUrls: usable(config, "tsaUrls", now),
  };
  for (const field of ["caUrls", "rekorTlogUrls"] as const)
    if (services[field].length === 0) throw malformed(`signingConfig.${field} names no service for today`);
  if (fieldOf(config, "rekorTlogConfig") === undefined)
    throw malformed("signingConfig.rekorTlogConfig is missing: a signature that is in no log proves nothing");
  return sigstoreMessages().SigningConfig.fromJSON({ ...config, ...services });
}

/**
 * Reads a ClientTrustConfig (sigstore_trustroot.proto): the signing services, and the root that proves their
 * signatures.
 * @param now milliseconds since 1970
 * @throws SignatureError MANIFEST_MALFORMED or UNSUPPORTED_FORMAT, naming the field
 * @throws UsageError for a URL that must not receive a token
 */
export function readTrustConfig(
  text: string,
  now: number,
): { readonly config: SigningConfig; readonly root: SigstoreRoot } {
  const config = readObject(text, "the trust configuration");
  assertType(config, "the trust configuration", trustConfigType);
  assertFields(config, "the trust configuration", configFields);
  const trustedRoot = assertObject(fieldOf(config, "trustedRoot"), "trustedRoot");
  const signingConfig = assertObject(fieldOf(config, "signingConfig"), "signingConfig");
  try {
    return {
      config: signingConfigOf(signingConfig, now),
      root: readTrustedRoot(JSON.stringify(trustedRoot), []),
    };
  } catch (cause) {
    // The messages' own readers throw plain errors for values of other types.
    if (cause instanceof TypeError || (cause as Error).constructor === Error)
      throw malformed(`the trust configuration cannot be read: ${(cause as Error).message.slice(0, 120)}`, {
        cause,
      });
    throw cause;
  }
}
