import { z } from "zod";
import { celRule } from "./constraints.ts";

/** Name of an object: RFC 1123 subdomain. */
export const objectName = z
  .string()
  .min(1)
  .max(253)
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    "not the name of an object: lower-case letters, digits, dashes and dots",
  );

/** Name of an entry in a list: it appears in messages, metrics and grades. */
export const entryName = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "use lower-case letters, digits and inner dashes only");

/** Maximum characters of a PEM text: about thirty certificates. */
const pemLength = 65_536;

/** PEM of public material; a private key is refused before anything else. */
const pem = (label: string, longest = pemLength): z.ZodString =>
  celRule(z.string().max(longest), {
    rule: `self.contains('-----BEGIN ${label}-----') && !self.contains('PRIVATE KEY-----')`,
    message: `give PEM with "-----BEGIN ${label}-----", and never a private key: one that stood here is disclosed, replace it`,
    check: (text) => text.includes(`-----BEGIN ${label}-----`) && !text.includes("PRIVATE KEY-----"),
  });

export const certificatePem = pem("CERTIFICATE");
export const publicKeyPem = pem("PUBLIC KEY");
/**
 * Shorter maximum for long lists of keys, which must stay within the API server's CEL cost limit. A key has some
 * 200 characters.
 */
export const shortPublicKeyPem = pem("PUBLIC KEY", 4_096);
/** About ten thousand revoked certificates; eight longer lists would exceed the API server's CEL cost limit. */
export const crlPem = pem("X509 CRL", 524_288);

/** Reference to a SkillTrustRoot. */
export const trustRootName = objectName.describe("Name of a SkillTrustRoot.");
