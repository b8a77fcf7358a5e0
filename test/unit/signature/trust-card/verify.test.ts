import { generateKeyPairSync, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradeIntegrity } from "../../../../src/evidence/integrity.ts";
import type { SignatureEvidence } from "../../../../src/signature/signature-evidence.ts";
import { always } from "../../../../src/signature/validity.ts";
import { verifySignature, verifySignatures } from "../../../../src/signature/verify.ts";
import { sha256 } from "../../../../src/skill/digest.ts";
import type { Skill } from "../../../../src/skill/skill.ts";
import { trustOf } from "../../../fixtures/certificates.ts";
import { guideSkill } from "../../../fixtures/guide-skill.ts";
import { runs } from "../../../fixtures/property-runs.ts";
import { signedSkill, withFiles } from "../../../fixtures/signed-skill.ts";
import {
  cardText,
  ed25519Signing,
  listingOf,
  targetDigestOf,
  trustCardFiles,
  trustCardSkill,
  unsigned,
  type CardDraft,
} from "../../../fixtures/trust-card-skill.ts";

const own = trustCardSkill();
const { skill, digest, card, trust, key } = own;
const verify = (changed: Skill, by = trust): SignatureEvidence => verifySignature(changed, by, 0);
const changed = (changes: Readonly<Record<string, string | Uint8Array | undefined>>) =>
  verify(withFiles(skill, changes));

const files = trustCardFiles("data-designer");
/** The same skill with another card. */
const carded = (draft: Partial<CardDraft>): SignatureEvidence => {
  const common = { title: "data-designer", digest, files: 5, signing: ed25519Signing(digest, key) };
  return changed({ "CARD.md": cardText({ ...common, ...draft }) });
};

const malformed = (detail: RegExp) => ({
  outcome: "untrusted",
  format: "trust-card",
  fault: "MANIFEST_MALFORMED",
  selfConsistent: false,
  detail: expect.stringMatching(detail) as string,
});

describe("a skill with a trust card", () => {
  it("is signed, with the card's digest and the key that signed it; the card itself nobody signed", () => {
    const [{ fingerprint, names }] = trust.keys as [(typeof trust.keys)[0]];
    const evidence = verify(skill);
    expect(evidence).toEqual({
      outcome: "signed",
      format: "trust-card",
      digest,
      signer: { kind: "key", publicKey: fingerprint, names },
      unlisted: ["CARD.md"],
      expires: Date.parse("2199-06-29T23:59:59.999Z"),
      validity: always,
    });
    expect(gradeIntegrity(evidence)).toBe("MEDIUM");
  });

  it("needs no list beside the card: the digest is worked out anew", () => {
    expect(trustCardSkill({ key, withoutList: true }).digest).toBe(digest);
    expect(changed({ "CARD.manifest.json": undefined })).toEqual(verify(skill));
  });

  it("may be mounted under another name", () => {
    expect(verify({ ...skill, name: "renamed" }).outcome).toBe("signed");
  });

  it("has the card's pictures among what nobody signed", () => {
    const pictures = { "CARD.svg": "<svg/>", "hero.png": "x", ".git/config": "x", ".DS_Store": "x" };
    expect(changed(pictures)).toMatchObject({
      outcome: "signed",
      unlisted: [".DS_Store", ".git/config", "CARD.md", "CARD.svg", "hero.png"],
    });
  });

  it("is held against the list, where an older tool listed the pictures too", () => {
    const older = trustCardSkill({ files: { ...files, "hero.png": "picture" }, key });
    expect(verify(older.skill)).toMatchObject({ outcome: "signed", unlisted: ["CARD.md"] });
    expect(verify(withFiles(older.skill, { "hero.png": "another" }))).toMatchObject({
      outcome: "tampered",
      differences: [{ path: "hero.png", change: "modified" }],
    });
  });

  it("is unsigned, when the card does not say that it is signed, or is some other text", () => {
    expect(carded({ signing: unsigned }).outcome).toBe("unsigned");
    expect(changed({ "CARD.md": "# Card\n" }).outcome).toBe("unsigned");
    expect(changed({ "CARD.md": undefined }).outcome).toBe("unsigned");
    expect(changed({ "CARD.md": undefined, "docs/CARD.md": card }).outcome).toBe("unsigned");
  });

  it("is malformed, never unsigned, when the card of this format cannot be read", () => {
    expect(changed({ "CARD.md": card.replace("} -->", " -->") })).toMatchObject({ outcome: "untrusted" });
    expect(changed({ "CARD.md": card.replace("title: data", "title: Data") })).toMatchObject(
      malformed(/line 4 /),
    );
    expect(changed({ "CARD.md": `\ufeff${card}` })).toMatchObject(malformed(/line 1 /));
    expect(changed({ "CARD.md": card.replaceAll("\n", "\r\n") })).toMatchObject(malformed(/does not end/));
  });

  it("is malformed, when a signature file is there without a card that names it", () => {
    const bundle = { "CARD.md.sigstore": "{}" };
    const without = withFiles(skill, { "CARD.md": undefined, ...bundle });
    expect(verify(without)).toMatchObject(malformed(/the card that it signs is not/));
    const card = cardText({ title: "data-designer", digest, files: 5, signing: unsigned });
    expect(verify(withFiles(skill, { "CARD.md": card, ...bundle }))).toMatchObject(
      malformed(/does not say that it is signed/),
    );
  });
});

describe("the files", () => {
  it("are compared both ways, by the list", () => {
    const added = { "references/b.md": "x", "aa.md": "" };
    expect(changed({ "SKILL.md": "x", "references/a.md": undefined, ...added })).toMatchObject({
      outcome: "tampered",
      digest,
      differences: [
        { path: "SKILL.md", change: "modified", signed: sha256(files["SKILL.md"]!), found: sha256("x") },
        { path: "references/a.md", change: "missing", signed: sha256(files["references/a.md"]!) },
        { path: "aa.md", change: "added", found: sha256("") },
        { path: "references/b.md", change: "added", found: sha256("x") },
      ],
    });
  });

  it("without a list are known to be others, not which", () => {
    const other = targetDigestOf(listingOf({ ...files, "SKILL.md": "x" }));
    expect(changed({ "SKILL.md": "x", "CARD.manifest.json": undefined })).toMatchObject({
      outcome: "tampered",
      differences: [{ path: "CARD.md", change: "modified", signed: digest, found: other }],
    });
  });

  it.each([
    "scripts/hero.py",
    "hero.py",
    "assets/hero.png",
    "keys/x.pem",
    "x.key",
    "other.manifest.json",
    "references/CARD.md",
    "CARD.md.sigstore",
    "a.sigstore",
    "references/.git/hooks/post-checkout",
    "references/.DS_Store",
  ])("that the format's tool passes over are not signed: %s", (path) => {
    for (const list of [{}, { "CARD.manifest.json": undefined }]) {
      expect(changed({ [path]: "x", ...list })).toMatchObject({
        outcome: "tampered",
        differences: [{ path, change: "added", found: sha256("x") }],
      });
    }
  });

  it("are told apart by every byte of their names", () => {
    const named = trustCardSkill({ files: { ...files, "r\u00e9f.md": "x", "..\\y": "y" }, key });
    expect(verify(named.skill).outcome).toBe("signed");
    expect(verify(withFiles(named.skill, { "r\u00e9f.md": undefined, "re\u0301f.md": "x" }))).toMatchObject({
      outcome: "tampered",
      differences: [{ change: "missing" }, { change: "added" }],
    });
    const spaced = withFiles(named.skill, {
      "r\u00e9f.md": undefined,
      " r\u00e9f.md": "x",
      "CARD.manifest.json": undefined,
    });
    expect(verify(spaced).outcome).toBe("tampered");
  });

  it("named as members that all objects have are none of the list", () => {
    expect(changed({ constructor: "x", toString: "x" })).toMatchObject({
      outcome: "tampered",
      differences: [{ path: "constructor" }, { path: "toString" }],
    });
  });
});

describe("the list beside the card", () => {
  const listing = listingOf(files);
  const listed = (list: unknown) => changed({ "CARD.manifest.json": JSON.stringify(list) });

  it("may be written in any form of JSON, and proves nothing that the digest does not", () => {
    expect(listed(listing)).toEqual(verify(skill));
  });

  it.each<[string, readonly object[]]>([
    [
      "another digest",
      listing.map((entry, at) => (at === 0 ? { ...entry, sha256: "ab".repeat(32) } : entry)),
    ],
    ["a file fewer", listing.slice(1)],
    ["a file more", [...listing, { path: "zz.md", sha256: "ab".repeat(32) }]],
    ["another name", listing.map((entry, at) => (at === 4 ? { ...entry, path: "zz.sh" } : entry))],
    ["nothing", []],
  ])("is refused, when it is not what the digest is over: %s", (_what, list) => {
    expect(listed(list)).toMatchObject(malformed(/is not the list that the card's target_digest is over/));
  });

  it("is refused, when it breaks a rule of its own", () => {
    expect(listed([...listing].reverse())).toMatchObject(malformed(/not sorted/));
    expect(changed({ "CARD.manifest.json": "" })).toMatchObject(malformed(/not JSON/));
  });

  it("has as many files as the card says", () => {
    expect(carded({ files: 6 })).toMatchObject(malformed(/over 6 files, which are 5/));
    const text = cardText({ title: "data-designer", digest, files: 4, signing: ed25519Signing(digest, key) });
    expect(changed({ "CARD.md": text, "CARD.manifest.json": undefined })).toMatchObject(
      malformed(/over 4 files/),
    );
  });
});

describe("the signer", () => {
  const signedBy = (signer: typeof key, over = digest) => carded({ signing: ed25519Signing(over, signer) });
  const stranger = generateKeyPairSync("ed25519").privateKey;

  it("is nobody where the card names a key of its own", () => {
    expect(signedBy(stranger)).toMatchObject({
      outcome: "untrusted",
      fault: "UNTRUSTED_SIGNER",
      selfConsistent: true,
      digest,
      differences: [],
      detail: expect.stringMatching(/which the card names and nobody here trusts/) as string,
    });
    expect(verify(skill, trustOf({}))).toMatchObject({ outcome: "untrusted", fault: "UNTRUSTED_SIGNER" });
    expect(verify(skill, trustOf({}))).not.toHaveProperty("signer");
  });

  it("is bad where a trusted key did not sign this digest", () => {
    const [{ fingerprint }] = trust.keys as [(typeof trust.keys)[0]];
    expect(signedBy(key, `${digest}\n`)).toMatchObject({
      outcome: "untrusted",
      fault: "BAD_SIGNATURE",
      selfConsistent: false,
      signer: { kind: "key", publicKey: fingerprint },
    });
    for (const over of [digest.slice("sha256:".length), `${digest} `, digest.toUpperCase(), ""])
      expect(signedBy(key, over), over).toMatchObject({ fault: "BAD_SIGNATURE" });
    expect(signedBy(stranger, "x")).toMatchObject({ fault: "BAD_SIGNATURE" });
  });

  it("is no trusted key, whose signature a card shows under another one", () => {
    const mine = ed25519Signing(digest, key).data as Record<string, string>;
    const theirs = ed25519Signing(digest, stranger).data as Record<string, string>;
    const mixed = { ...mine, signature: theirs["signature"] };
    const frontmatter = `signing:\n  scheme: ed25519\n  public_key: "${mine["public_key"]}"\n  signature: ${theirs["signature"]}`;
    expect(carded({ signing: { data: mixed, frontmatter } })).toMatchObject({ fault: "BAD_SIGNATURE" });
  });

  it("is refused with a key under which anybody can sign", () => {
    const small = Buffer.alloc(32).toString("base64");
    const data = {
      scheme: "ed25519",
      public_key: `ed25519:${small}`,
      signature: randomBytes(64).toString("base64"),
    };
    const frontmatter = `signing:\n  scheme: ed25519\n  public_key: "${data.public_key}"\n  signature: ${data.signature}`;
    expect(carded({ signing: { data, frontmatter } })).toMatchObject(malformed(/small order/));
  });

  it("stays the same, whatever else the card says: only the digest is signed", () => {
    const same = carded({ title: "other", expires: "2100-01-01" });
    expect(same).toMatchObject({ outcome: "signed", unlisted: ["CARD.md"] });
  });
});

describe("beside other signatures", () => {
  it("each is verified; the one made first does not know the other's files", () => {
    const oms = signedSkill({
      files: { ...files, "CARD.md": card, "CARD.manifest.json": JSON.stringify(listingOf(files)) },
    });
    const keys = [...oms.trust.keys, ...trust.keys];
    expect(verifySignatures(oms.skill, { ...trust, keys }, 0)).toMatchObject([
      { outcome: "signed", format: "oms", path: "skill.oms.sig" },
      {
        outcome: "tampered",
        format: "trust-card",
        path: "CARD.md",
        differences: [{ path: "skill.oms.sig", change: "added" }],
      },
    ]);
  });

  it("an unsigned card is a file like others", () => {
    const text = cardText({ title: "data-designer", digest, files: 5, signing: unsigned });
    const oms = signedSkill({ files: { ...files, "CARD.md": text } });
    expect(verifySignatures(oms.skill, oms.trust, 0)).toMatchObject([{ outcome: "signed", format: "oms" }]);
    const guide = guideSkill({ files: { "skill_card.yaml": "c", "CARD.md": text } });
    expect(verifySignatures(guide.skill, guide.trust, 0)).toMatchObject([
      { outcome: "signed", format: "guide" },
    ]);
  });
});

describe("under mutation", () => {
  it("no flipped bit of a file of the skill, or of its list, is accepted", () => {
    const paths = [...skill.files.keys()].filter((path) => path !== "CARD.md");
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.nat(), fc.nat(7), (path, place, bit) => {
        const bytes = Buffer.from(skill.files.get(path)!.bytes);
        bytes[place % bytes.length]! ^= 1 << bit;
        const { outcome } = changed({ [path]: bytes });
        // A list may have other whitespace between its values.
        const reformatted = path === "CARD.manifest.json" && sameJson(bytes, skill.files.get(path)!.bytes);
        expect(outcome === "signed").toBe(reformatted);
      }),
      runs(300),
    );
  });

  it("no flipped bit of the card is accepted", () => {
    const bytes = Buffer.from(card);
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expect(changed({ "CARD.md": flipped }).outcome).not.toBe("signed");
      }),
      runs(300),
    );
  });

  it("whatever the bytes hold, the answer is evidence, and never a signature", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, bytes, bytes, (one, two, three) => {
        const hostile = { "CARD.md": one, "CARD.manifest.json": two, "CARD.md.sigstore": three };
        expect(changed(hostile).outcome).toBe("untrusted");
        expect(changed({ "CARD.manifest.json": two }).outcome).toBe("untrusted");
      }),
    );
  });
});

function sameJson(one: Uint8Array, other: Uint8Array): boolean {
  const [left, right] = [one, other].map((bytes) => {
    try {
      return JSON.stringify(JSON.parse(Buffer.from(bytes).toString()));
    } catch {
      return undefined;
    }
  });
  return left === right;
}
