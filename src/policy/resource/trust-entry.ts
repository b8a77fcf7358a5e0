import { z } from "zod";
import { celRule } from "./schema/constraints.ts";
import { certificatePem, crlPem, entryName, publicKeyPem } from "./schema/scalars.ts";
import { moment } from "./schema/time.ts";

/**
 * Trust period: members of every entry.
 * @param besides bounds that the entry has of itself, as in " but that of …"
 */
export const periodWith = (besides = "") => ({
  notBefore: moment
    .exactOptional()
    .describe(
      "From when on its signatures count, RFC 3339: by the time that a log or timestamp authority proves, else that of the review. " +
        `Left out: no beginning${besides}.`,
    ),
  notAfter: moment.exactOptional().describe(`Until when they count, inclusive. Left out: no end${besides}.`),
});

interface Period {
  readonly notBefore?: string;
  readonly notAfter?: string;
}

/** Refuses a period that ends before it begins: the entry would silently never count. */
export const inOrder = <S extends z.ZodType<Period>>(entry: S): S =>
  celRule(entry, {
    rule: "!has(self.notBefore) || !has(self.notAfter) || self.notBefore < self.notAfter",
    message: "notAfter must be later than notBefore",
    check: ({ notBefore, notAfter }) =>
      notBefore === undefined || notAfter === undefined || Date.parse(notBefore) < Date.parse(notAfter),
  });

export const certificateEntry = inOrder(
  z.strictObject({
    name: entryName.describe("Name in messages."),
    pem: certificatePem.describe(
      "One or more self-signed CA certificates, PEM; intermediates may stand beside them.",
    ),
    ...periodWith(" but that of the certificates themselves"),
  }),
);

export const keyEntry = inOrder(
  z.strictObject({
    name: entryName.describe("Name in messages; publishers of policies may refer to the key by it."),
    pem: publicKeyPem.describe("One public key, PEM, on the curve P-256, P-384 or P-521, or Ed25519."),
    ...periodWith(),
  }),
);

export const crlEntry = z.strictObject({
  name: entryName.describe("Name in messages."),
  pem: crlPem.describe(
    "One complete certificate revocation list, PEM, of an authority among `certificates`. Once it is out of date (nextUpdate), nothing that this authority issued is trusted.",
  ),
});
