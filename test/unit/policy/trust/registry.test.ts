import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { compileObjects } from "../../../fixtures/compile.ts";
import { judge } from "../../../../src/policy/judge.ts";
import { isByPublisher } from "../../../../src/policy/rules/publishers.ts";
import type { Signer } from "../../../../src/signature/signature-evidence.ts";
import { evidenceOf, now, policyObject, reference, rootObject, signed, stranger } from "../builders.ts";
import { publicKey, type Spec } from "../resource-cases.ts";
import { skillRevocationList } from "../../../fixtures/resources.ts";

const key = { hint: "v1", pem: publicKey, notBefore: "2025-02-04T00:00:00Z" };
const registry = { name: "vett", sigstore: "public", keys: [key] };
const sigstore = [{ name: "public", instance: "PublicGood" }];
const root = rootObject({
  sigstore,
  vett: [registry, { ...registry, name: "second", keys: [{ ...key, hint: "v2" }] }],
});
const hash = (digit: string): string => digit.repeat(64);

const skills = [
  { name: "etl", version: "1.0.0", hash: hash("a") },
  { name: "etl", version: "1.1.0", hash: hash("b") },
  { name: "other", version: "1.0.0", hash: hash("c") },
];
const vett = (content: Spec = {}): Spec => ({
  publishers: [
    { name: "registry", vett: { trustRootRef: { name: "r", registry: "vett" }, skills, ...content } },
  ],
});

const compiled = (content: Spec = {}, roots = [root]) => compileObjects([policyObject(vett(content))], roots);

const { trust, policies } = compiled();
const [policy] = policies;
const first = trust.registries!.find(({ names }) => names[0] === "r/vett")!;
const second = trust.registries!.find(({ names }) => names[0] === "r/second")!;

type Registry = Extract<Signer, { kind: "registry" }>;
const signer = (over: Partial<Registry> = {}): Registry => ({
  kind: "registry",
  hint: "v1",
  publicKey: first.keys[0]!.fingerprint,
  names: ["r/vett"],
  registries: [first.fingerprint],
  skill: { name: "etl", hashes: [hash("a"), hash("d")] },
  signedAt: now,
  ...over,
});
const accepts = (over: Partial<Registry> = {}): boolean => isByPublisher(policy!, signed(signer(over)));
const findings = (over: Partial<Registry> = {}) =>
  judge(policy!, reference(), evidenceOf(signed(signer(over))), now).findings;

describe("a registry's key", () => {
  const spanOf = (period: Spec, over: Spec = {}) => {
    const spec = {
      sigstore: [{ ...sigstore[0]!, ...period }],
      vett: [{ ...registry, keys: [{ ...key, ...over }] }],
    };
    const { trust: own } = compiled({}, [rootObject(spec)]);
    const { notBefore, notAfter } = own.registries![0]!.keys[0]!.validity;
    return [notBefore, notAfter].map((time) => new Date(time).toISOString().slice(0, 10));
  };

  it("counts while its own period and that of its log's entry hold", () => {
    const [from, to] = ["2025-03-01T00:00:00Z", "2026-03-01T00:00:00Z"];
    expect(spanOf({}, { notAfter: to })).toEqual(["2025-02-04", "2026-03-01"]);
    expect(spanOf({ notBefore: from, notAfter: to })).toEqual(["2025-03-01", "2026-03-01"]);
    expect(spanOf({ notAfter: to }, { notAfter: "2026-01-01T00:00:00Z" })).toEqual([
      "2025-02-04",
      "2026-01-01",
    ]);
  });
});

describe("isByPublisher on registries", () => {
  it("takes the very versions of the very skill, by either hash", () => {
    expect(accepts()).toBe(true);
    expect(accepts({ skill: { name: "etl", hashes: [hash("d"), hash("b")] } })).toBe(true);
  });

  it.each<[string, Partial<Registry>]>([
    ["another skill's version under this name", { skill: { name: "etl", hashes: [hash("c")] } }],
    ["this version under another skill's name", { skill: { name: "other", hashes: [hash("a")] } }],
    ["this version under a name that nobody listed", { skill: { name: "etl2", hashes: [hash("a")] } }],
    ["this version under the name in other letters", { skill: { name: "ETL", hashes: [hash("a")] } }],
    ["a version that nobody listed", { skill: { name: "etl", hashes: [hash("e"), hash("f")] } }],
    ["no proof", { registries: [] }],
    ["another registry of the same trust root", { registries: [second.fingerprint] }],
  ])("refuses %s", (_what, over) => {
    expect(accepts(over)).toBe(false);
  });

  it("takes any registry of the trust root where none is named", () => {
    const [any] = compiled({ trustRootRef: { name: "r" } }).policies;
    for (const { fingerprint } of [first, second])
      expect(isByPublisher(any!, signed(signer({ registries: [fingerprint] })))).toBe(true);
  });

  it("takes no signer of another kind, and no publisher of another kind takes a registry", () => {
    expect(isByPublisher(policy!, signed(stranger))).toBe(false);
    const bare: Signer = { kind: "key", publicKey: first.keys[0]!.fingerprint, names: [] };
    expect(isByPublisher(policy!, signed(bare))).toBe(false);
    const [byKey] = compileObjects(
      [policyObject({ publishers: [{ name: "k", publicKey: { pem: publicKey } }] })],
      [root],
    ).policies;
    expect(isByPublisher(byKey!, signed(bare))).toBe(true);
    expect(isByPublisher(byKey!, signed(signer()))).toBe(false);
  });
});

describe("judge skills of a registry", () => {
  it("finds nothing about a listed version", () => {
    expect(findings()).toEqual([]);
  });

  it("says which versions are taken, when the registry signed another one", () => {
    expect(findings({ skill: { name: "etl", hashes: [hash("e"), hash("f")] } })).toEqual([
      {
        code: "SKILL_NOT_ALLOWED",
        message:
          'the registry signed a manifest with the hash eeeeeeee…; as "etl" the publisher registry takes other versions of it (1.0.0, 1.1.0)',
        tolerated: false,
      },
    ]);
  });

  it("says that no skill of this name is taken, when another skill stands in", () => {
    expect(findings({ skill: { name: "evil", hashes: [hash("a")] } })).toMatchObject([
      {
        code: "SKILL_NOT_ALLOWED",
        message: expect.stringContaining("takes no skill of this name") as string,
      },
    ]);
  });

  it("does not know a registry that is no publisher's", () => {
    expect(findings({ registries: [second.fingerprint], names: ["r/second"] })).toMatchObject([
      {
        code: "UNTRUSTED_SIGNER",
        message: expect.stringMatching(
          /^signed by a registry's key v1 \([0-9a-f]{16}…\), who is no publisher/,
        ) as string,
      },
    ]);
  });

  it("grades the author MEDIUM, when it is none of the listed versions", () => {
    const evidence = evidenceOf(signed(signer({ skill: { name: "etl", hashes: [hash("e")] } })));
    expect(judge(policy!, reference(), evidence, now).grades).toEqual({
      integrity: "STRONG",
      authorship: "MEDIUM",
      freshness: "MEDIUM",
    });
  });
});

describe("revoking what a registry signed", () => {
  const listOf = (spec: Spec) => skillRevocationList("stolen", spec);
  const codes = (spec: Spec): readonly string[] => {
    const options = { revocationLists: [listOf(spec)] };
    const [held] = compileObjects([policyObject(vett())], [root], options).policies;
    return judge(held!, reference(), evidenceOf(signed(signer())), now).findings.map(({ code }) => code);
  };
  const entry = (digest: string): Spec => ({ digest: `sha256:${digest}`, reason: "SEC-1" });

  it("refuses a listed version by the registry's key, and by its manifest", () => {
    expect(codes({ keys: [entry(first.keys[0]!.fingerprint)] })).toEqual(["REVOKED"]);
    const manifest = evidenceOf(signed(signer())).signature.digest!.slice("sha256:".length);
    expect(codes({ skills: [entry(manifest)] })).toEqual(["REVOKED"]);
    expect(codes({ keys: [entry(hash("0"))], skills: [entry(hash("1"))] })).toEqual([]);
  });
});

describe("compileSnapshot on registries", () => {
  const problems = (content: Spec, roots = [root]) =>
    compiled(content, roots).problems.map(({ reason, message }) => `${reason}: ${message}`);
  const inRoot = (over: Spec) => problems({}, [rootObject({ sigstore, vett: [{ ...registry, ...over }] })]);
  const pemOf = (pair: { readonly publicKey: ReturnType<typeof generateKeyPairSync>["publicKey"] }) =>
    pair.publicKey.export({ type: "spki", format: "pem" }) as string;

  it("reads keys with their periods, ends included", () => {
    const dated = { ...key, notAfter: "2026-02-04T01:00:00+01:00" };
    const { trust: read } = compiled({}, [rootObject({ sigstore, vett: [{ ...registry, keys: [dated] }] })]);
    expect(read.registries![0]!.keys[0]).toMatchObject({
      hint: "v1",
      validity: { notBefore: Date.parse(key.notBefore), notAfter: Date.parse("2026-02-04T00:00:00Z") },
    });
    expect(first.keys[0]!.validity.notAfter).toBe(8.64e15);
  });

  it("tells registries apart by keys, periods and log, and takes what is the same for one", () => {
    const same = compiled({}, [root, rootObject({ sigstore, vett: [registry] }, "s")]).trust;
    expect(same.registries!.map(({ names }) => names)).toContainEqual(["r/vett", "s/vett"]);
    const dated = { ...registry, keys: [{ ...key, notAfter: "2027-01-01T00:00:00Z" }] };
    const other = compiled({}, [root, rootObject({ sigstore, vett: [dated] }, "s")]).trust;
    expect(other.registries).toHaveLength(3);
    expect(other.version).not.toBe(trust.version);
  });

  it("names a trust root without the registry", () => {
    expect(problems({ trustRootRef: { name: "r", registry: "x" } })).toEqual([
      "TrustRootMissing: spec.publishers[0].vett.trustRootRef: the SkillTrustRoot r holds no registry x in vett",
    ]);
    expect(problems({ trustRootRef: { name: "r" } }, [rootObject({ sigstore })])).toEqual([
      "TrustRootMissing: spec.publishers[0].vett.trustRootRef: the SkillTrustRoot r holds no registries in vett",
    ]);
    expect(problems({ trustRootRef: { name: "nowhere" } })[0]).toContain(
      "there is no SkillTrustRoot nowhere",
    );
  });

  it.each([
    ["on P-384", pemOf(generateKeyPairSync("ec", { namedCurve: "P-384" })), "on P-256"],
    ["of Ed25519", pemOf(generateKeyPairSync("ed25519")), "on P-256"],
    ["of RSA", pemOf(generateKeyPairSync("rsa", { modulusLength: 2048 })), "cannot be used"],
    ["that cannot be read", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "cannot be read"],
  ])("refuses a key %s", (_what, pem, words) => {
    expect(inRoot({ keys: [{ ...key, pem }] })[0]).toMatch(
      new RegExp(`^UnusableTrust: spec\\.vett\\[0\\]\\.keys\\[0\\]\\.pem: .*${words}`),
    );
  });
});
