import type { Json } from "../../../text/json.ts";
import { sha256Hex } from "../../../skill/digest.ts";
import { parseCertificate } from "../../x509/certificate.ts";
import {
  assertFields,
  assertObject,
  decodeBase64,
  fieldOf,
  listOf,
  textOf,
  type JsonObject,
  readObject,
} from "../../json-fields.ts";
import { malformed, unsupported } from "../../signature-error.ts";
import { quoted } from "../../../text/printable.ts";
import type { SigstoreRoot } from "./sigstore-root.ts";
import { chainsOf } from "./issuers.ts";
import { sigstoreMessages, sigstoreVerify } from "../lazy-libraries.ts";
import { rememberedCertificate } from "./remembered-certificate.ts";
import { assertReachable, defaultThresholds, describeThresholds, type Thresholds } from "./thresholds.ts";

/** Limit of a trusted_root.json, characters. The public instance's has 7,000. */
export const maxTrustedRootLength = 131_072;

const maxAuthorities = 32;
const maxCertificates = 10;

const mediaTypes = new Set([
  "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
  "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
  "application/vnd.dev.sigstore.trustedroot.v0.2+json",
]);
const rootFields = new Set([
  "mediaType",
  "tlogs",
  "certificateAuthorities",
  "ctlogs",
  "timestampAuthorities",
]);
const logFields = new Set(["baseUrl", "hashAlgorithm", "publicKey", "logId", "checkpointKeyId", "operator"]);
const keyFields = new Set(["rawBytes", "keyDetails", "validFor"]);
const authorityFields = new Set(["subject", "uri", "certChain", "validFor", "operator"]);

/** Key kinds that `@sigstore/verify` checks with the right digest: it always uses Node's default, SHA-256. */
const keyKinds = new Set(["PKIX_ECDSA_P256_SHA_256", "PKIX_ED25519", "PKCS1_RSA_PKCS1V5"]);

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

function assertInstant(value: Json | undefined, where: string): void {
  if (typeof value !== "string" || !instant.test(value) || Number.isNaN(Date.parse(value)))
    throw malformed(`${where} is not a time such as 2025-01-31T12:00:00Z`);
}

/**
 * Asserts that a validity has a start. The libraries read a missing one as 1970 and would trust a key for times before
 * it existed; protobuf-specs says that it "MUST be set".
 */
function assertValidity(object: JsonObject, where: string): void {
  const span = assertObject(fieldOf(object, "validFor"), `${where}.validFor`);
  assertFields(span, `${where}.validFor`, new Set(["start", "end"]));
  assertInstant(fieldOf(span, "start"), `${where}.validFor.start`);
  const end = fieldOf(span, "end");
  if (end !== undefined) assertInstant(end, `${where}.validFor.end`);
}

function assertKeyId(object: JsonObject, field: string, where: string): void {
  const id = assertObject(fieldOf(object, field), `${where}.${field}`);
  assertFields(id, `${where}.${field}`, new Set(["keyId"]));
  decodeBase64(textOf(id, "keyId", `${where}.${field}`), `${where}.${field}.keyId`);
}

function assertLog(value: Json, where: string): void {
  const log = assertObject(value, where);
  assertFields(log, where, logFields);
  if (fieldOf(log, "hashAlgorithm") !== "SHA2_256")
    throw unsupported(`${where}.hashAlgorithm is not SHA2_256`);
  if (textOf(log, "baseUrl", where).length > 2_000) throw malformed(`${where}.baseUrl is too long`);
  const key = assertObject(fieldOf(log, "publicKey"), `${where}.publicKey`);
  assertFields(key, `${where}.publicKey`, keyFields);
  const kind = textOf(key, "keyDetails", `${where}.publicKey`);
  if (!keyKinds.has(kind)) {
    throw unsupported(
      `${where}.publicKey.keyDetails is ${quoted(kind)}, expected one of ${[...keyKinds].join(", ")}`,
    );
  }
  decodeBase64(textOf(key, "rawBytes", `${where}.publicKey`), `${where}.publicKey.rawBytes`);
  assertValidity(key, `${where}.publicKey`);
  assertKeyId(log, "logId", where);
  if (fieldOf(log, "checkpointKeyId") !== undefined) assertKeyId(log, "checkpointKeyId", where);
}

function assertAuthority(value: Json, where: string): void {
  const authority = assertObject(value, where);
  assertFields(authority, where, authorityFields);
  const chain = assertObject(fieldOf(authority, "certChain"), `${where}.certChain`);
  assertFields(chain, `${where}.certChain`, new Set(["certificates"]));
  const certificates = listOf(chain, "certificates", `${where}.certChain`, maxCertificates);
  if (certificates.length === 0) throw malformed(`${where}.certChain.certificates is empty`);
  for (const [index, item] of certificates.entries()) {
    const place = `${where}.certChain.certificates[${index}]`;
    const certificate = assertObject(item, place);
    assertFields(certificate, place, new Set(["rawBytes"]));
    parseCertificate(decodeBase64(textOf(certificate, "rawBytes", place), `${place}.rawBytes`), place);
  }
  assertValidity(authority, where);
}

function assertEach(
  root: JsonObject,
  field: string,
  fewest: number,
  check: (value: Json, where: string) => void,
): void {
  const list = entriesOf(root, field);
  if (list.length < fewest) throw malformed(`the trusted root has no ${field}`);
  for (const [index, item] of list.entries()) check(item, `${field}[${index}]`);
}

const entriesOf = (root: JsonObject, field: string): readonly Json[] =>
  fieldOf(root, field) === undefined ? [] : listOf(root, field, "the trusted root", maxAuthorities);

/**
 * Whether the instance has neither certificate authorities nor certificate logs: it then proves signatures by keys,
 * and no identities.
 */
const isLogAlone = (root: JsonObject): boolean =>
  entriesOf(root, "certificateAuthorities").length + entriesOf(root, "ctlogs").length === 0;

function parse(text: string): JsonObject {
  if (text.length > maxTrustedRootLength)
    throw malformed(`the trusted root is longer than ${maxTrustedRootLength} characters`);
  return readObject(text, "the trusted root");
}

function assertRoot(root: JsonObject, { tlog, ctlog }: Thresholds): void {
  const mediaType = textOf(root, "mediaType", "the trusted root");
  if (!mediaTypes.has(mediaType))
    throw unsupported(`the trusted root's media type ${quoted(mediaType)} is not known`);
  assertFields(root, "the trusted root", rootFields);
  const fewest = isLogAlone(root) ? 0 : 1;
  assertEach(root, "tlogs", Math.min(1, tlog), assertLog);
  assertEach(root, "ctlogs", Math.min(fewest, ctlog), assertLog);
  // Without required certificate logs, their absence does not mean a log alone: authorities are then required.
  assertEach(root, "certificateAuthorities", ctlog === 0 ? 1 : fewest, assertAuthority);
  assertEach(root, "timestampAuthorities", 0, assertAuthority);
}

type Authority = SigstoreRoot["authorities"]["certificateAuthorities"][number];

const remembered = ({ certChain, ...authority }: Authority): Authority => ({
  ...authority,
  certChain: certChain.map(rememberedCertificate),
});

function authoritiesOf(root: JsonObject): SigstoreRoot["authorities"] {
  try {
    const trust = sigstoreVerify().toTrustMaterial(sigstoreMessages().TrustedRoot.fromJSON(root));
    return {
      ...trust,
      certificateAuthorities: trust.certificateAuthorities.map(remembered),
      timestampAuthorities: trust.timestampAuthorities.map(remembered),
    };
  } catch (cause) {
    throw malformed("a key or certificate of the trusted root cannot be read", { cause });
  }
}

/**
 * Builds a Sigstore instance from its trusted root (sigstore_trustroot.proto), read strictly: certificate authorities,
 * certificate logs, transparency logs and timestamp authorities, each with its validity.
 * @param source text of the root, for the fingerprint; by default re-serialised
 * @throws SignatureError MANIFEST_MALFORMED or UNSUPPORTED_FORMAT, naming the field
 */
export function toSigstoreRoot(
  root: JsonObject,
  names: readonly string[],
  thresholds = defaultThresholds,
  source = JSON.stringify(root),
): SigstoreRoot {
  assertRoot(root, thresholds);
  const authorities = authoritiesOf(root);
  assertReachable(thresholds, authorities);
  // Thresholds enter the fingerprint: one root with different thresholds proves different things.
  const fingerprint = sha256Hex(source + describeThresholds(thresholds));
  return { names, fingerprint, authorities, chains: chainsOf(root), thresholds };
}

/**
 * Reads a Sigstore `trusted_root.json`.
 * @param names names for operators: `trust-root/entry`
 * @throws SignatureError MANIFEST_MALFORMED or UNSUPPORTED_FORMAT, naming the field
 */
export const readTrustedRoot = (
  text: string,
  names: readonly string[],
  thresholds?: Thresholds,
): SigstoreRoot => toSigstoreRoot(parse(text), names, thresholds, text);
