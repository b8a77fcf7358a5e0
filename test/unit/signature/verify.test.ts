import { createPublicKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyHint } from "../../../src/signature/key.ts";
import { always } from "../../../src/signature/validity.ts";
import { verifySignature } from "../../../src/signature/verify.ts";
import { issueChain, trustOf } from "../../fixtures/certificates.ts";
import {
  bundleOf,
  signedSkill,
  signPayload,
  skillOf,
  statementOf,
  withFiles,
} from "../../fixtures/signed-skill.ts";

const now = Date.now();

type Node = Record<string, unknown> | unknown[];
type Mutation = readonly [where: string, mutated: unknown];

/** An ECDSA signature's two numbers one after the other, as IEEE P1363 has them, of the DER that OpenSSL writes. */
function rawOfDer(der: Buffer): Buffer {
  const first = der.subarray(4, 4 + der[3]!);
  const second = der.subarray(6 + der[3]!);
  const length = 32;
  return Buffer.concat(
    [first, second].map((part) => {
      const number = part.subarray(Math.max(0, part.length - length));
      return Buffer.concat([Buffer.alloc(length - number.length), number]);
    }),
  );
}

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;

/** Replacements of the same and of other types. */
function othersOf(value: unknown): readonly unknown[] {
  const common = [null, 7, {}, [], "x"];
  if (typeof value === "string") return [...common, `${value}x`, value.slice(1), value.toUpperCase(), ""];
  if (typeof value === "boolean") return [null, 7, {}, []];
  if (Array.isArray(value)) return [null, 7, {}, "x", [...(value as unknown[]), ...(value as unknown[])], []];
  return common;
}

/** The value with each field, at any depth, replaced, removed, or joined by an unknown one. */
function* mutationsOf(value: unknown, where = "$"): Generator<Mutation> {
  if (!isNode(value)) return;
  if (!Array.isArray(value)) yield [`${where} + unknown field`, { ...value, unknown: 1 }];
  for (const [key, child] of Object.entries(value)) {
    const path = `${where}.${key}`;
    const put = (other: unknown): unknown =>
      Array.isArray(value) ? value.with(Number(key), other) : { ...value, [key]: other };
    for (const other of othersOf(child)) {
      if (JSON.stringify(other) !== JSON.stringify(child))
        yield [`${path} = ${JSON.stringify(other).slice(0, 40)}`, put(other)];
    }
    yield [
      `${path} removed`,
      Array.isArray(value)
        ? value.toSpliced(Number(key), 1)
        : Object.fromEntries(Object.entries(value).filter(([name]) => name !== key)),
    ];
    for (const [inner, mutated] of mutationsOf(child, path)) yield [inner, put(mutated)];
  }
}

/**
 * Fields that must not change the result: `keyid` is neither signed nor used (DSSE), an absent log equals an empty
 * one, and without a hint every trusted key is tried.
 */
const harmless =
  /^\$\.dsseEnvelope\.signatures\.0\.keyid( = (null|"x+")| removed)|^\$\.verificationMaterial\.(tlogEntries|publicKey\.hint)( = null| removed)|publicKey\.hint = ""|publicKey = \{\}/;

describe("verifySignature under mutation", () => {
  it("refuses every single change of a bundle by key", () => {
    const { skill, signature, trust } = signedSkill();
    const survivors: string[] = [];
    let count = 0;
    for (const [where, mutated] of mutationsOf(bundleOf(signature))) {
      count += 1;
      const changed = withFiles(skill, { "skill.oms.sig": JSON.stringify(mutated) });
      if (verifySignature(changed, trust, now).outcome === "signed") survivors.push(where);
    }
    expect(count).toBeGreaterThan(60);
    expect(survivors.filter((where) => !harmless.test(where))).toEqual([]);
    expect(survivors).not.toEqual([]);
  });

  it("refuses every single change of a bundle by certificate", async () => {
    const { root, leaf, certificates } = await issueChain();
    const { skill, signature } = signedSkill({ key: leaf.key, certificates });
    const trust = trustOf({ anchors: [root.certificate] });
    const survivors: string[] = [];
    for (const [where, mutated] of mutationsOf(bundleOf(signature))) {
      const changed = withFiles(skill, { "skill.oms.sig": JSON.stringify(mutated) });
      if (verifySignature(changed, trust, now).outcome === "signed") survivors.push(where);
    }
    expect(survivors.filter((where) => !harmless.test(where))).toEqual([]);
  });

  it("refuses every single change of the statement under the old signature", () => {
    const { skill, signature, trust } = signedSkill();
    const bundle = bundleOf(signature) as { dsseEnvelope: object };
    let count = 0;
    for (const [where, mutated] of mutationsOf(statementOf(signature))) {
      count += 1;
      const payload = Buffer.from(JSON.stringify(mutated, null, 2)).toString("base64");
      const text = JSON.stringify({ ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload } });
      const evidence = verifySignature(withFiles(skill, { "skill.oms.sig": text }), trust, now);
      expect(evidence.outcome, where).toBe("untrusted");
    }
    expect(count).toBeGreaterThan(200);
  });

  it("refuses a signature that is cut short or in another encoding, and a statement that is written anew", () => {
    const { skill, signature, trust } = signedSkill();
    const bundle = bundleOf(signature) as {
      dsseEnvelope: { payload: string; signatures: readonly { readonly sig: string }[] };
    };
    const { payload, signatures } = bundle.dsseEnvelope;
    const outcomeOf = (envelope: object): string => {
      const text = JSON.stringify({ ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, ...envelope } });
      return verifySignature(withFiles(skill, { "skill.oms.sig": text }), trust, now).outcome;
    };
    const der = Buffer.from(signatures[0]!.sig, "base64");
    const raw = rawOfDer(der);
    const signedBy = (sig: Buffer) => ({ signatures: [{ ...signatures[0], sig: sig.toString("base64") }] });
    expect(outcomeOf(signedBy(der))).toBe("signed");
    for (const sig of [raw, der.subarray(0, -1), Buffer.concat([der, Buffer.of(0)]), Buffer.alloc(0)])
      expect(outcomeOf(signedBy(sig))).toBe("untrusted");
    const statement = JSON.parse(Buffer.from(payload, "base64").toString()) as object;
    for (const space of [0, 1, 2]) {
      const text = JSON.stringify(statement, null, space);
      const written = Buffer.from(text).toString("base64");
      if (written !== payload) expect(outcomeOf({ payload: written })).toBe("untrusted");
    }
  });

  it("refuses every single flipped bit of the payload", () => {
    const { skill, signature, trust } = signedSkill();
    const bundle = bundleOf(signature) as { dsseEnvelope: { payload: string } };
    const payload = Buffer.from(bundle.dsseEnvelope.payload, "base64");
    fc.assert(
      fc.property(fc.nat(payload.length - 1), fc.nat(7), (at, bit) => {
        const flipped = Buffer.from(payload);
        flipped[at]! ^= 1 << bit;
        const dsseEnvelope = { ...bundle.dsseEnvelope, payload: flipped.toString("base64") };
        const text = JSON.stringify({ ...bundle, dsseEnvelope });
        expect(verifySignature(withFiles(skill, { "skill.oms.sig": text }), trust, now).outcome).toBe(
          "untrusted",
        );
      }),
    );
  });
});

describe("verifySignature on hostile bytes", () => {
  const { skill, trust } = signedSkill();
  const outcomeOf = (bytes: Uint8Array | string): string =>
    verifySignature(withFiles(skill, { "skill.oms.sig": bytes }), trust, now).outcome;

  it("never throws and never says signed, on any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => outcomeOf(bytes) === "untrusted"));
  });

  it("never throws and never says signed, on any JSON", () => {
    fc.assert(fc.property(fc.json(), (text) => outcomeOf(text) === "untrusted"));
  });

  it("never throws and never says signed, on JSON in the shape of a bundle", () => {
    const rawBytes = fc.oneof(
      fc.base64String(),
      fc
        .uint8Array({ maxLength: 300 })
        .map((bytes) => Buffer.from([0x30, 0x82, 0x01, 0x00, ...bytes]).toString("base64")),
    );
    const material = fc.oneof(
      fc.record({ publicKey: fc.record({ hint: fc.string() }) }),
      fc.record({ x509CertificateChain: fc.record({ certificates: fc.array(fc.record({ rawBytes })) }) }),
      fc.record({ certificate: fc.record({ rawBytes }) }),
    );
    const statement = fc.record({
      _type: fc.constant("https://in-toto.io/Statement/v1"),
      subject: fc.array(fc.record({ name: fc.string(), digest: fc.record({ sha256: fc.string() }) }), {
        maxLength: 2,
      }),
      predicateType: fc.constantFrom(
        "https://model_signing/signature/v1.0",
        "https://model_signing/Digests/v0.1",
      ),
      predicate: fc.record({ serialization: fc.object(), resources: fc.array(fc.object()) }),
    });
    const bundle = fc.record({
      mediaType: fc.constant("application/vnd.dev.sigstore.bundle.v0.3+json"),
      verificationMaterial: material,
      dsseEnvelope: fc.record({
        payload: statement.map((value) => Buffer.from(JSON.stringify(value)).toString("base64")),
        payloadType: fc.constant("application/vnd.in-toto+json"),
        signatures: fc.array(fc.record({ sig: rawBytes }), { minLength: 1, maxLength: 1 }),
      }),
    });
    fc.assert(fc.property(bundle, (value) => outcomeOf(JSON.stringify(value)) === "untrusted"));
  });

  it.each([
    ["an empty file", "", "is empty"],
    ["a byte order mark", "\ufeff{}", "not JSON"],
    ["a lone surrogate", '{"mediaType":"\\ud800"}', "surrogate"],
    ["the same key twice", '{"mediaType":"a","mediaType":"b"}', "same key twice"],
    ["the key __proto__", '{"__proto__":{}}', "__proto__"],
    ["a list", "[]", "not an object"],
    ["deep nesting", `${"[".repeat(5_000)}${"]".repeat(5_000)}`, "nested deeper"],
  ])("says what is wrong with %s", (_name, text, detail) => {
    const evidence = verifySignature(withFiles(skill, { "skill.oms.sig": text }), trust, now);
    expect(evidence).toMatchObject({
      outcome: "untrusted",
      fault: "MANIFEST_MALFORMED",
      selfConsistent: false,
      validity: always,
      detail: expect.stringContaining(detail) as string,
    });
  });

  it("does not carry control characters or direction marks of a bundle into its messages", () => {
    const text = JSON.stringify({ mediaType: "a\u0007\u202eb\u200b" });
    const evidence = verifySignature(withFiles(skill, { "skill.oms.sig": text }), trust, now);
    expect(evidence).toHaveProperty("detail", expect.stringMatching(/^[\x20-\x7e]*$/));
  });
});

describe("verifySignature by key", () => {
  it("accepts a trusted key, and names it", () => {
    const { skill, trust } = signedSkill();
    expect(verifySignature(skill, trust, now)).toEqual({
      outcome: "signed",
      format: "oms",
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      signer: { kind: "key", publicKey: trust.keys[0]!.fingerprint, names: ["test-root/key-0"] },
      unlisted: [],
      validity: always,
    });
  });

  it("tells an unknown key from a wrong signature", () => {
    const { skill, trust, signature } = signedSkill();
    expect(verifySignature(skill, trustOf({}), now)).toMatchObject({
      fault: "UNTRUSTED_SIGNER",
      selfConsistent: false,
      digest: expect.stringContaining("sha256:") as string,
    });
    const bundle = bundleOf(signature) as { dsseEnvelope: { signatures: unknown } };
    bundle.dsseEnvelope.signatures = (
      bundleOf(signedSkill().signature) as typeof bundle
    ).dsseEnvelope.signatures;
    const changed = withFiles(skill, { "skill.oms.sig": JSON.stringify(bundle) });
    expect(verifySignature(changed, trust, now)).toMatchObject({
      fault: "BAD_SIGNATURE",
      selfConsistent: false,
    });
  });

  it("tries the trusted keys where the bundle names none, and no more than 32", () => {
    const { skill, signature, key } = signedSkill();
    const bundle = { ...bundleOf(signature), verificationMaterial: { publicKey: {} } };
    const nameless = withFiles(skill, { "skill.oms.sig": JSON.stringify(bundle) });
    const other = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey;
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
    const right = createPublicKey(key);
    const outcomeOf = (keys: readonly (typeof other)[]): string =>
      verifySignature(nameless, trustOf({ keys }), now).outcome;
    expect(outcomeOf([rsa, other, right])).toBe("signed");
    expect(outcomeOf([rsa, other])).toBe("untrusted");
    expect(outcomeOf([...Array.from({ length: 32 }, () => other), right])).toBe("untrusted");
  });

  it("tries fewer keys where the payload is huge", () => {
    const { skill, signature, key } = signedSkill();
    const payload = Buffer.concat([
      Buffer.from(JSON.stringify(statementOf(signature))),
      Buffer.alloc(5 * 1024 * 1024, " "),
    ]);
    const padded = withFiles(skill, {
      "skill.oms.sig": signPayload(payload, key, { material: { publicKey: {} } }),
    });
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
    const right = createPublicKey(key);
    expect(verifySignature(padded, trustOf({ keys: [right] }), now).outcome).toBe("signed");
    expect(verifySignature(padded, trustOf({ keys: [other, right] }), now).outcome).toBe("untrusted");
  });

  it("refuses a trusted key of an unsupported curve", () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
    const { skill, signature } = signedSkill();
    const trust = trustOf({ keys: [publicKey] });
    const verificationMaterial = { publicKey: { hint: keyHint(publicKey) } };
    const text = JSON.stringify({ ...bundleOf(signature), verificationMaterial });
    expect(verifySignature(withFiles(skill, { "skill.oms.sig": text }), trust, now)).toMatchObject({
      fault: "UNSUPPORTED_FORMAT",
    });
  });
});

describe("verifySignature of trees", () => {
  const { skill, trust } = signedSkill();
  const differencesOf = (changes: Parameters<typeof withFiles>[1]): unknown => {
    const evidence = verifySignature(withFiles(skill, changes), trust, now);
    return evidence.outcome === "tampered" ? evidence.differences : evidence;
  };

  it("tells a changed, a missing and an added file", () => {
    expect(differencesOf({ "SKILL.md": "other", "scripts/run.sh": undefined, "extra.py": "x" })).toEqual([
      {
        path: "SKILL.md",
        change: "modified",
        signed: `sha256:${skill.files.get("SKILL.md")!.sha256}`,
        found: expect.stringMatching(/^sha256:/) as string,
      },
      {
        path: "scripts/run.sh",
        change: "missing",
        signed: `sha256:${skill.files.get("scripts/run.sh")!.sha256}`,
      },
      { path: "extra.py", change: "added", found: expect.stringMatching(/^sha256:2d711642/) as string },
    ]);
  });

  it("tells a renamed file as missing and added", () => {
    const moved = { "scripts/run.sh": undefined, "scripts/go.sh": skill.files.get("scripts/run.sh")!.bytes };
    expect(differencesOf(moved)).toMatchObject([
      { path: "scripts/run.sh", change: "missing" },
      { path: "scripts/go.sh", change: "added" },
    ]);
  });

  it("counts a second signature file and files of git below the root as added", () => {
    expect(differencesOf({ "other.sig": "x", "references/.git/config": "x" })).toMatchObject([
      { path: "other.sig", change: "added" },
      { path: "references/.git/config", change: "added" },
    ]);
  });

  it("names what the signature leaves out, at the root only", () => {
    const changes = { ".gitignore": "x", ".github/x.sh": "x", ".git/config": "x", ".gitattributes": "" };
    expect(verifySignature(withFiles(skill, changes), trust, now)).toMatchObject({
      outcome: "signed",
      unlisted: [".git/config", ".gitattributes", ".github/x.sh", ".gitignore"],
    });
    expect(differencesOf({ ".gitignored": "x" })).toMatchObject([{ path: ".gitignored", change: "added" }]);
  });

  it("refuses the signature of another skill", () => {
    const other = signedSkill({ name: "other", key: signedSkill().key });
    const changed = withFiles(skill, { "skill.oms.sig": other.signature });
    expect(verifySignature(changed, other.trust, now)).toMatchObject({ outcome: "tampered" });
  });

  it("says unsigned where no signature file stands at the root, with the digest that a signature would have", () => {
    const unsigned = skillOf("data-designer");
    const evidence = verifySignature(unsigned, trust, now);
    const signed = verifySignature(skill, trust, now);
    expect(evidence).toEqual({
      outcome: "unsigned",
      digest: "digest" in signed ? signed.digest : "",
      validity: always,
    });
    const below = withFiles(unsigned, { "scripts/skill.oms.sig": "x" });
    expect(verifySignature(below, trust, now).outcome).toBe("unsigned");
  });

  it("takes the signature from where it is told", () => {
    const { signature } = signedSkill();
    const moved = withFiles(skillOf("data-designer"), { "model.sig": signature });
    expect(verifySignature(moved, trust, now).outcome).toBe("unsigned");
    expect(verifySignature(moved, trust, now, { signaturePath: "model.sig" }).outcome).toBe("untrusted");
  });
});
