import { assertFields, assertObject, fieldOf, readObject, textOf } from "../json-fields.ts";
import { SignatureError, unsupported } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";

/** `critical.type` of cosign's payloads (cosign, SIGNATURE_SPEC.md). */
const cosignType = "cosign container image signature";

const payloadFields = new Set(["critical", "optional"]);
const criticalFields = new Set(["identity", "image", "type"]);

/**
 * Asserts that a payload in the simple signing format is about this image. The type is checked first: the format is
 * Red Hat's, with other uses. Unknown fields of `critical` are refused, as the format demands; `optional` and the
 * image's name prove nothing.
 * @param image digest of its manifest, `sha256:…`
 * @throws SignatureError MANIFEST_MALFORMED, UNSUPPORTED_FORMAT, or BAD_SIGNATURE if the payload is about another
 *   image
 */
export function assertSimpleSigning(payload: Uint8Array, image: string): void {
  const object = readObject(payload, "the signed payload");
  assertFields(object, "the signed payload", payloadFields);
  const critical = assertObject(fieldOf(object, "critical"), "critical");
  const type = textOf(critical, "type", "critical");
  if (type !== cosignType)
    throw unsupported(`the signed payload is of the type ${quoted(type)}, expected ${quoted(cosignType)}`);
  assertFields(critical, "critical", criticalFields);
  const identity = assertObject(fieldOf(critical, "identity"), "critical.identity");
  assertFields(identity, "critical.identity", new Set(["docker-reference"]));
  textOf(identity, "docker-reference", "critical.identity");
  const described = assertObject(fieldOf(critical, "image"), "critical.image");
  assertFields(described, "critical.image", new Set(["docker-manifest-digest"]));
  const signed = textOf(described, "docker-manifest-digest", "critical.image");
  if (signed !== image)
    throw new SignatureError(
      "BAD_SIGNATURE",
      `the signature is of the image ${quoted(signed)}, not of ${image}`,
    );
}
