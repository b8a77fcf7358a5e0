import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { issuer } from "../../../../src/server/certificates/issuer.ts";
import { carryOut, plan, usable } from "../../../../src/server/certificates/rotation.ts";
import {
  bundleOf,
  fromFiles,
  toFiles,
  type CertificateState,
} from "../../../../src/server/certificates/state.ts";
import {
  issueAuthority,
  issueCertificate,
  servedAt,
  type CertificateOptions,
  type IssuedCertificate,
  type TestKeyType,
} from "../../../fixtures/certificates.ts";

const day = 86_400_000;
const names = ["127.0.0.1"];
const now = Date.now();
const step = (kind: "create" | "announce" | "promote", state?: CertificateState) =>
  carryOut(kind, state, issuer, { names, now });

/** Files of a store with certificates from another issuer. */
async function filesOf(
  leaf: CertificateOptions = {},
  authorityOptions: CertificateOptions = {},
): Promise<{ readonly authority: IssuedCertificate; readonly files: Readonly<Record<string, string>> }> {
  const authority = await issueAuthority({ keyType: "P-256", ...authorityOptions });
  const issued = await issueCertificate({
    keyType: "P-256",
    issuer: authority,
    extensions: [servedAt("127.0.0.1")],
    ...leaf,
  });
  const files = {
    "ca.crt": authority.pem,
    "ca.key": authority.keyPem,
    "tls.crt": issued.pem,
    "tls.key": issued.keyPem,
  };
  return { authority, files };
}

const unreadable = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

let full: CertificateState;
let files: Readonly<Record<string, string>>;
beforeAll(async () => {
  const announced = await step(
    "announce",
    await step("promote", await step("announce", await step("create"))),
  );
  full = announced;
  files = toFiles(announced);
});

describe("fromFiles", () => {
  it("reads all that a rotation stores, byte for byte", () => {
    expect(Object.keys(files).sort()).toEqual([
      "ca-next.crt",
      "ca-next.key",
      "ca-retired.crt",
      "ca.crt",
      "ca.key",
      "tls.crt",
      "tls.key",
    ]);
    expect(fromFiles(files)).toEqual(full);
    expect(usable(fromFiles(files), names, now)).toBe(true);
  });

  it.each([
    ["a certificate that cannot be read behind it", (pem: string) => pem + unreadable],
    ["a certificate that cannot be read before it", (pem: string) => unreadable + pem],
    ["itself again", (pem: string) => pem + pem],
    ["words before it", (pem: string) => `hello\n${pem}`],
    ["words behind it", (pem: string) => `${pem}hello\n`],
    ["a block that does not end", (pem: string) => `${pem}-----BEGIN CERTIFICATE-----\nAAAA`],
  ])("takes no file with %s", (_, change) => {
    for (const name of ["ca.crt", "tls.crt", "ca.key", "tls.key"])
      expect(fromFiles({ ...files, [name]: change(files[name] ?? "") }), name).toBeUndefined();
    for (const name of ["ca-next.crt", "ca-next.key", "ca-retired.crt"])
      expect(fromFiles({ ...files, [name]: change(files[name] ?? "") }), name).toEqual(
        name === "ca-retired.crt"
          ? { issuing: full.issuing, next: full.next, leaf: full.leaf }
          : { issuing: full.issuing, retired: full.retired, leaf: full.leaf },
      );
  });

  it("lets no second authority into the bundle", async () => {
    const { authority } = await filesOf();
    for (const name of ["ca.crt", "ca-next.crt", "ca-retired.crt"]) {
      const state = fromFiles({ ...files, [name]: `${files[name] ?? ""}${authority.pem}` });
      expect(state === undefined ? "" : bundleOf(state)).not.toContain(authority.pem.trim());
    }
  });

  it("hands on what it understood, whatever the line ends and spaces", () => {
    const loose = Object.fromEntries(
      Object.entries(files).map(([name, pem]) => [name, `${pem.replaceAll("\n", "\r\n")}\n  \n`]),
    );
    expect(fromFiles(loose)).toEqual(full);
  });

  it("takes keys of the kind that is made here, and no other", async () => {
    const { files: ours } = await filesOf();
    expect(usable(fromFiles(ours), names, now)).toBe(true);
    for (const keyType of ["RSA-1024", "RSA-2048", "P-384", "Ed25519"] satisfies TestKeyType[]) {
      expect(fromFiles((await filesOf({ keyType })).files), `leaf ${keyType}`).toBeUndefined();
      expect(fromFiles((await filesOf({}, { keyType })).files), `authority ${keyType}`).toBeUndefined();
    }
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
    const other = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    expect(fromFiles({ ...ours, "tls.key": other })).toBeUndefined();
  });

  it("never throws, and what it takes a server takes, whatever stands in the files", () => {
    const parts = fc.constantFrom(
      ...Object.values(files),
      unreadable,
      "\n",
      "x",
      files["tls.crt"]!.slice(0, 200),
    );
    const file = fc.oneof(
      fc.array(parts, { maxLength: 3 }).map((some) => some.join("")),
      fc.string(),
    );
    const some = fc.record(
      Object.fromEntries(Object.keys(files).map((name) => [name, fc.oneof(file, fc.constant(files[name]!))])),
    );
    fc.assert(
      fc.property(some, (changed) => {
        const state = fromFiles(changed);
        if (state === undefined) return;
        expect([state.issuing, state.leaf]).toEqual([
          expect.objectContaining({
            cert: expect.stringMatching(/^-----BEGIN CERTIFICATE-----\n/) as string,
          }),
          expect.objectContaining({ cert: expect.stringMatching(/-----END CERTIFICATE-----\n$/) as string }),
        ]);
        expect(bundleOf(state).match(/BEGIN/g)?.length).toBeLessThanOrEqual(3);
      }),
    );
  });
});

describe("plan, of certificates that somebody else put there", () => {
  const at = { names, now, published: true };
  const years = 365 * 100;

  it("replaces a leaf that lives longer than any authority of ours", async () => {
    const lasting = { notAfter: 400 };
    const { files: long } = await filesOf(lasting, lasting);
    const state = fromFiles(long);
    expect([plan(state, at).kind, usable(state, names, now)]).toEqual(["reissue", false]);
    const { files: short } = await filesOf({ notAfter: 300 }, lasting);
    const fine = fromFiles(short);
    expect([plan(fine, at).kind, usable(fine, names, now)]).toEqual(["keep", true]);
  });

  it("announces the successor of an authority of a hundred years when one of ours would have one", async () => {
    const state = fromFiles((await filesOf({}, { notAfter: years })).files);
    expect(plan(state, at).kind).toBe("keep");
    expect(plan(state, { ...at, now: now + 244 * day }).kind).toBe("announce");
  });
});
