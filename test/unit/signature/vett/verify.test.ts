import { createHash, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { always } from "../../../../src/signature/validity.ts";
import { logicalHash } from "../../../../src/signature/vett/hashes.ts";
import { parseVettManifest } from "../../../../src/signature/vett/manifest.ts";
import { sha256 } from "../../../../src/skill/digest.ts";
import { analysis, bundleOf, hint, testRegistry, trustIn, vettSkill } from "../../../fixtures/vett-skill.ts";
import { trustOf } from "../../../fixtures/certificates.ts";
import { runs } from "../../../fixtures/property-runs.ts";
import { signedSkill, withFiles } from "../../../fixtures/signed-skill.ts";
import {
  files,
  manifest,
  manifestWith,
  redrafted,
  refused,
  registry,
  saying,
  skill,
  trust,
  verify,
  withBundle,
} from "./delivered.ts";

const stated = { keys: trust.registries![0]!.keys };
const signedAt = (evidence: unknown): number =>
  (evidence as { signer: { signedAt: number } }).signer.signedAt;
const tampered = (path: string, change: string) => ({
  outcome: "tampered",
  format: "vett",
  differences: [expect.objectContaining({ path, change }) as object],
});

describe("a delivered skill", () => {
  it("is signed by the registry, when all its files are the manifest's", () => {
    const raw = createHash("sha256").update(manifest).digest("hex");
    expect(verify(skill)).toEqual({
      outcome: "signed",
      format: "vett",
      digest: `sha256:${raw}`,
      unlisted: [],
      validity: always,
      signer: {
        kind: "registry",
        hint,
        publicKey: stated.keys[0]!.fingerprint,
        names: ["test-root/registry"],
        registries: [trust.registries![0]!.fingerprint],
        skill: {
          name: "data-designer",
          hashes: [raw, logicalHash(parseVettManifest(Buffer.from(manifest)))],
        },
        signedAt: expect.any(Number) as number,
      },
    });
  });

  it("is signed too by an entry of Rekor 2, whose time is a timestamp authority's", async () => {
    expect((await redrafted({ entry: "hashedrekord 0.0.2" })).outcome).toBe("signed");
  });

  it("is held against the manifest's bytes as they stand, not against a form that means the same", async () => {
    const spread = JSON.stringify(JSON.parse(manifest), null, 1);
    expect((await saying(spread)).outcome).toBe("signed");
    expect(verify(withFiles(skill, { "vett.manifest.json": spread }))).toMatchObject(
      refused("BAD_SIGNATURE", "does not match vett.manifest.json"),
    );
  });

  it("is refused, when any bit of the manifest is flipped", () => {
    const bytes = Buffer.from(manifest);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1 << bit;
        expect(verify(withFiles(skill, { "vett.manifest.json": changed })).outcome).toBe("untrusted");
      }),
      runs(100),
    );
  });

  it.each(Object.keys(files))("is tampered with, when %s changes", (path) => {
    const bytes = skill.files.get(path)!.bytes;
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1 << bit;
        expect(verify(withFiles(skill, { [path]: changed }))).toMatchObject({
          ...tampered(path, "modified"),
          differences: [{ path, change: "modified", signed: sha256(bytes), found: sha256(changed) }],
        });
      }),
      runs(30),
    );
  });

  it("is tampered with, when a file is missing, added, or renamed", () => {
    expect(verify(withFiles(skill, { "references/a.md": undefined }))).toMatchObject(
      tampered("references/a.md", "missing"),
    );
    for (const path of ["extra.py", "references/vett.sigstore.json", "vett.analysis.json.bak", ".github/x"])
      expect(verify(withFiles(skill, { [path]: "x" }))).toMatchObject(tampered(path, "added"));
    const renamed = { "SKILL.md": undefined, "skill.md": skill.files.get("SKILL.md")!.bytes };
    expect(verify(withFiles(skill, renamed))).toMatchObject({
      differences: [
        { path: "SKILL.md", change: "missing" },
        { path: "skill.md", change: "added" },
      ],
    });
  });

  it("is no longer the signed one, when a byte order mark, a line end or a form of letters differs", () => {
    const text = Buffer.from(skill.files.get("SKILL.md")!.bytes).toString();
    for (const changed of [`\ufeff${text}`, text.replaceAll("\n", "\r\n"), `${text}\n`])
      expect(verify(withFiles(skill, { "SKILL.md": changed }))).toMatchObject(
        tampered("SKILL.md", "modified"),
      );
  });

  it("keeps text outside ASCII as UTF-8", async () => {
    const name = "é \u{1f600}\ufeff";
    const own = await vettSkill({ registry, files: { ...files, "a.md": name } });
    expect(verify(own.skill).outcome).toBe("signed");
    expect(verify(withFiles(own.skill, { "a.md": name.normalize("NFD") }))).toMatchObject(
      tampered("a.md", "modified"),
    );
  });

  it("says that nobody signed the analysis, and signs what is said in a folder below", () => {
    const text = JSON.stringify(analysis);
    expect(verify(withFiles(skill, { "vett.analysis.json": text }))).toMatchObject({
      outcome: "signed",
      unlisted: ["vett.analysis.json"],
    });
    expect(verify(withFiles(skill, { "references/vett.analysis.json": text }))).toMatchObject(
      tampered("references/vett.analysis.json", "added"),
    );
  });

  it("is malformed without its manifest, and unsigned without its bundle", () => {
    expect(verify(withFiles(skill, { "vett.manifest.json": undefined }))).toMatchObject(
      refused("MANIFEST_MALFORMED", "no vett.manifest.json beside"),
    );
    expect(verify(withFiles(skill, { "vett.sigstore.json": undefined })).outcome).toBe("unsigned");
  });

  it("is refused with a manifest that its registry signed and that breaks a rule", async () => {
    const twice = manifest.replace('"files":[', '"files":[{"path":"SKILL.md","content":""},');
    expect(await saying(twice)).toMatchObject(refused("MANIFEST_MALFORMED", "listed twice"));
    expect(await saying(manifestWith({ "vett.analysis.json": "{}" }))).toMatchObject(
      refused("MANIFEST_MALFORMED", "no manifest may hold"),
    );
  });

  it("is no other format's, and does not hide a signature of another format", () => {
    const { skill: other, signature } = signedSkill();
    expect(verify(other)).toMatchObject({ format: "oms" });
    expect(verify(withFiles(skill, { "skill.oms.sig": signature }))).toMatchObject({ outcome: "tampered" });
  });
});

describe("the registry", () => {
  it("is unknown where none is trusted, and where none has a key of that name", async () => {
    expect(verify(skill, trustOf({}))).toMatchObject({
      ...refused("UNTRUSTED_SIGNER", "no registry is trusted here"),
      differences: [],
    });
    expect(await redrafted({ hint: "v2-ecdsa" })).toMatchObject(
      refused("UNTRUSTED_SIGNER", 'the hint "v2-ecdsa", which no trusted registry has'),
    );
  });

  it("did not sign what another key signed under its key's name", async () => {
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const draft = { key: stranger.privateKey, logged: stranger.publicKey };
    expect(await redrafted(draft)).toMatchObject(refused("BAD_SIGNATURE", "another key signed"));
  });

  it("did not sign what its key signed otherwise", async () => {
    expect(await redrafted({ signed: Buffer.from(`${manifest} `) })).toMatchObject(
      refused("BAD_SIGNATURE", "does not match"),
    );
    expect(verify(withFiles(skill, { "vett.manifest.json": manifestWith({ "a.md": "x" }) }))).toMatchObject(
      refused("BAD_SIGNATURE", "does not match"),
    );
  });

  it("proves nothing by a log that its trust root does not name", async () => {
    const other = await testRegistry();
    const [own] = trust.registries!;
    const elsewhere = { ...own!, sigstore: trustIn(other).registries[0].sigstore };
    expect(verify(skill, { ...trust, registries: [elsewhere] })).toMatchObject({
      ...refused("UNTRUSTED_SIGNER", "which its log does not prove"),
      selfConsistent: true,
      signer: { kind: "registry", registries: [] },
    });
  });

  it("is not the one that the log entry names, when that is about another key", async () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    expect(await redrafted({ logged: publicKey })).toMatchObject(
      refused("BAD_SIGNATURE", "another key than the signer's"),
    );
  });

  it("is not proved by the log entry of another skill", async () => {
    const [one, other] = [
      await bundleOf(registry, manifest),
      await bundleOf(registry, manifestWith({ "a.md": "x" })),
    ] as { verificationMaterial: object }[];
    const swapped = { ...one, verificationMaterial: other!.verificationMaterial };
    expect(withBundle(swapped)).toMatchObject(refused("UNTRUSTED_SIGNER", "another signature"));
  });

  it("proves nothing, when neither log nor timestamp says when it was signed", async () => {
    const { verificationMaterial: material, ...rest } = (await bundleOf(registry, manifest, {
      entry: "hashedrekord 0.0.2",
    })) as { verificationMaterial: Record<string, unknown> };
    const { publicKey, tlogEntries } = material;
    const untimed = { ...rest, verificationMaterial: { publicKey, tlogEntries } };
    const [entry] = tlogEntries as readonly Record<string, unknown>[];
    // An integrated time without the log's promise is unproved.
    const claimed = { publicKey, tlogEntries: [{ ...entry, integratedTime: "1770000000" }] };
    for (const other of [untimed, { ...rest, verificationMaterial: claimed }])
      expect(verify(withFiles(skill, { "vett.sigstore.json": JSON.stringify(other) }))).toMatchObject(
        refused("UNTRUSTED_SIGNER", "neither log nor timestamp says when it was signed"),
      );
  });

  it("signs within its key's period, both ends included, by the log's time", () => {
    const time = signedAt(verify(skill));
    const within = (notBefore: number, notAfter: number) =>
      verify(skill, trustIn(registry, { validity: { notBefore, notAfter } }));
    expect(within(time, time).outcome).toBe("signed");
    expect(within(time + 1, always.notAfter)).toMatchObject(
      refused("SIGNER_EXPIRED", "before its key's time"),
    );
    expect(within(always.notBefore, time - 1)).toMatchObject(
      refused("SIGNER_EXPIRED", "after its key's time"),
    );
  });

  it("may be in several trust roots, of which those count that prove it", () => {
    const [own] = trust.registries!;
    const time = signedAt(verify(skill));
    const [late] = trustIn(registry, { validity: { notBefore: time + 1, notAfter: time + 2 } }).registries;
    const twin = { ...own!, names: ["other-root/vett"], fingerprint: "ab".repeat(32) };
    expect(verify(skill, { ...trust, registries: [late, own!, twin] })).toMatchObject({
      outcome: "signed",
      signer: {
        names: ["test-root/registry", "other-root/vett"],
        registries: [own!.fingerprint, twin.fingerprint],
      },
    });
  });

  it("is found by its key where another registry calls a key the same", async () => {
    const [foreign] = trustIn(await testRegistry()).registries;
    expect(verify(skill, { ...trust, registries: [foreign, ...trust.registries!] })).toMatchObject({
      outcome: "signed",
      signer: { registries: [trust.registries![0]!.fingerprint] },
    });
  });
});
