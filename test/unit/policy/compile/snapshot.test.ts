import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { compileObjects } from "../../../fixtures/compile.ts";
import { verdictOf } from "../../../../src/policy/verdict.ts";
import { judge } from "../../../../src/policy/judge.ts";
import type { Policy } from "../../../../src/policy/policy.ts";
import { podSourceKinds } from "../../../../src/skill/reference.ts";
import type { Signer } from "../../../../src/signature/signature-evidence.ts";
import type { KubernetesObject } from "../../../../src/kubernetes/object.ts";
import { issueAuthority, issueCertificate, type IssuedCertificate } from "../../../fixtures/certificates.ts";
import {
  card,
  codes,
  evidenceOf,
  judged,
  keyFingerprint,
  now,
  policyObject,
  policyOf,
  reference,
  rootObject,
  signed,
  trustedSigner,
} from "../builders.ts";
import { publicKey, publishers } from "../resource-cases.ts";

const publicPem = (curve: string): string =>
  generateKeyPairSync("ec", { namedCurve: curve })
    .publicKey.export({ type: "spki", format: "pem" })
    .toString();

const block = (label: string, body: string): string =>
  `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;

const problemsOf = (policies: readonly KubernetesObject[], roots: readonly KubernetesObject[] = []) =>
  compileObjects(policies, roots).problems.map(({ kind, name, reason, message }) => ({
    kind,
    name,
    reason,
    message,
  }));

const only = (policies: readonly KubernetesObject[], roots: readonly KubernetesObject[] = []): Policy => {
  const compiled = compileObjects(policies, roots).policies;
  expect(compiled).toHaveLength(1);
  return compiled[0]!;
};

let authority: IssuedCertificate;
let other: IssuedCertificate;
let leaf: IssuedCertificate;

beforeAll(async () => {
  authority = await issueAuthority({ subject: "CN=Root A, O=A" });
  other = await issueAuthority({ subject: "CN=Root B, O=B" });
  leaf = await issueCertificate({ subject: "CN=Leaf, O=A", issuer: authority });
});

const certificateSigner = (
  anchors: readonly string[],
  attributes: Readonly<Record<string, readonly string[]>> = { CN: ["Leaf"], O: ["A"] },
): Signer => ({
  kind: "certificate",
  subject: "CN=Leaf, O=A",
  attributes,
  fingerprint: "00",
  publicKey: "11",
  anchors,
});

describe("the version of a policy", () => {
  const at = (generation: unknown, spec: Readonly<Record<string, unknown>> = {}): KubernetesObject => {
    const object = policyObject(spec);
    return { ...object, metadata: { ...(object.metadata as object), generation } };
  };

  it("is its generation, also where it cannot be used, and in its verdict", () => {
    expect(only([at(7)]).generation).toBe(7);
    expect(only([at(8, { mode: "Block" })])).toMatchObject({
      generation: 8,
      invalidReason: expect.any(String) as string,
    });
    expect(verdictOf(only([at(7)]), [], { isPod: true }).generation).toBe(7);
  });

  it("is none in a file", () => {
    expect(only([policyObject({})])).not.toHaveProperty("generation");
    expect(verdictOf(only([policyObject({})]), [], { isPod: true })).not.toHaveProperty("generation");
  });
});

describe("compileSnapshot", () => {
  it("gives no policy and no trust for nothing", () => {
    const { policies, trust, problems } = compileObjects([], []);
    expect({ policies, problems, anchors: trust.anchors, keys: trust.keys }).toEqual({
      policies: [],
      problems: [],
      anchors: [],
      keys: [],
    });
  });

  it("carries every field of the policy", () => {
    const policy = policyOf({
      mode: "Warn",
      tenant: "t",
      controllers: "Enforce",
      skillRoots: ["/opt/agent/skills"],
      skills: [{ names: ["a"], sources: ["ConfigMap"] }, { names: ["b"] }],
      noMatch: "Warn",
      evidence: { integrity: "STRONG" },
      card: {
        required: true,
        fields: ["owner"],
        licenses: { allow: ["MIT"] },
        permissions: { deny: ["Bash"] },
      },
      immutability: { configMap: "Required" },
      unverifiable: { default: "Warn", Image: "Allow" },
      unsigned: { action: "Warn", until: "2027-01-01T00:00:00+01:00" },
    });
    expect(policy).toMatchObject({
      name: "p",
      tenant: "t",
      mode: "Warn",
      controllers: "Enforce",
      skillRoots: ["/opt/agent/skills"],
      skills: [
        { names: ["a"], sources: ["ConfigMap"] },
        { names: ["b"], sources: podSourceKinds },
      ],
      noMatch: "Warn",
      publishers: [{ kind: "key", name: "team", publicKeys: [keyFingerprint(publicKey)] }],
      minimum: { integrity: "STRONG" },
      immutability: {
        configMap: true,
        readOnlyMount: false,
        readOnlyRootFilesystem: false,
        privateProcesses: false,
      },
      unsigned: { action: "Warn", until: Date.parse("2026-12-31T23:00:00Z") },
    });
    expect(policy.invalidReason).toBeUndefined();
    expect(podSourceKinds.map((kind) => policy.unverifiable(kind, "root"))).toEqual(
      podSourceKinds.map((kind) => (kind === "Image" ? "Allow" : "Warn")),
    );
    expect(policy.unverifiable("Directory", "root")).toBe("Warn");
    const wanting = card({ owner: "", license: { raw: "GPL" }, permissions: ["Bash"] });
    expect(policy.card(evidenceOf(signed(), { card: wanting, faults: [] })).map(({ code }) => code)).toEqual([
      "CARD_INCOMPLETE",
      "LICENSE_NOT_ALLOWED",
      "PERMISSION_DENIED",
    ]);
  });

  it("applies to what the selector selects, and to everything without one", () => {
    const selected = policyOf({ namespaceSelector: { matchLabels: { tenant: "payments" } } });
    expect(selected.appliesTo("a", { tenant: "payments" })).toBe(true);
    expect(selected.appliesTo("a", { tenant: "other" })).toBe(false);
    expect(policyOf().appliesTo("a", {})).toBe(true);
  });
});

describe("trust of a snapshot", () => {
  it.each(["P-256", "P-384", "P-521", "RSA-2048"] as const)("takes authorities on %s", async (keyType) => {
    const { pem } = await issueAuthority({ keyType });
    expect(problemsOf([], [rootObject({ certificates: [{ name: "c", pem }] })])).toEqual([]);
  });

  it.each([
    ["RSA-1024", "rsa 1024"],
    ["Ed25519", "ed25519"],
  ] as const)("refuses authorities on %s, naming the field", async (keyType, kind) => {
    const { pem } = await issueAuthority({ keyType });
    expect(problemsOf([], [rootObject({ certificates: [{ name: "c", pem }] })])).toEqual([
      {
        kind: "SkillTrustRoot",
        name: "r",
        reason: "UnusableTrust",
        message: `spec.certificates[0].pem: a CA certificate with a key of the kind ${kind} cannot be used; RSA from 2048 bits, P-256, P-384 and P-521 can`,
      },
    ]);
  });

  it("holds keys and certificates of policies and of all trust roots, each once with all its names", () => {
    const roots = [
      rootObject({
        keys: [{ name: "k", pem: publicKey }],
        certificates: [{ name: "c", pem: authority.pem }],
      }),
    ];
    const object = policyObject({
      publishers: [...publishers, { name: "ca", certificate: { pem: authority.pem + other.pem } }],
    });
    const { trust } = compileObjects([object], roots);
    expect(trust.keys.map(({ names, fingerprint }) => ({ names, fingerprint }))).toEqual([
      { names: ["ClusterSkillPolicy/p/team", "r/k"], fingerprint: keyFingerprint(publicKey) },
    ]);
    expect(new Map(trust.anchors.map(({ fingerprint, names }) => [fingerprint, names]))).toEqual(
      new Map([
        [authority.fingerprint, ["ClusterSkillPolicy/p/ca", "r/c"]],
        [other.fingerprint, ["ClusterSkillPolicy/p/ca"]],
      ]),
    );
  });

  it("is the same object as before, until its content changes", () => {
    const roots = [
      rootObject({ keys: [{ name: "k", pem: publicKey }] }),
      rootObject({ keys: [{ name: "k", pem: publicPem("P-384") }] }, "s"),
    ];
    const first = compileObjects([], roots).trust;
    expect(compileObjects([], roots, { previous: first }).trust).toBe(first);
    expect(compileObjects([], [...roots].reverse(), { previous: first }).trust).toBe(first);
    const changed = compileObjects([], [rootObject({ keys: [{ name: "k", pem: publicPem("P-256") }] })], {
      previous: first,
    }).trust;
    expect(changed).not.toBe(first);
    expect(changed.version).not.toBe(first.version);
    const renamed = compileObjects([], [rootObject({ keys: [{ name: "n", pem: publicKey }] })], {
      previous: first,
    }).trust;
    expect(renamed.version).not.toBe(first.version);
  });

  it("knows a key by one fingerprint, however its point is written", () => {
    const key = createPublicKey(publicKey);
    const der = key.export({ type: "spki", format: "der" });
    const [x, y] = [der.subarray(-64, -32), der.subarray(-32)];
    const compressed = Buffer.concat([
      Buffer.from("3039301306072a8648ce3d020106082a8648ce3d030107032200", "hex"),
      Buffer.from([(y.at(-1)! & 1) + 2]),
      x,
    ]);
    const pem = `-----BEGIN PUBLIC KEY-----\n${compressed.toString("base64")}\n-----END PUBLIC KEY-----\n`;
    const { trust, problems } = compileObjects([], [rootObject({ keys: [{ name: "k", pem }] })]);
    expect(problems).toEqual([]);
    expect(trust.keys[0]?.fingerprint).toBe(keyFingerprint(publicKey));
  });

  it("takes text around PEM blocks, and every curve that signatures may have", () => {
    for (const curve of ["P-256", "P-384", "P-521"]) {
      const keys = [{ name: "k", pem: `Public key of the release team\n${publicPem(curve)}# end\n` }];
      expect(problemsOf([], [rootObject({ keys })])).toEqual([]);
    }
  });

  it("takes Ed25519 keys, under one fingerprint", () => {
    const key = generateKeyPairSync("ed25519").publicKey;
    const pem = key.export({ type: "spki", format: "pem" }).toString();
    const { trust, problems } = compileObjects([], [rootObject({ keys: [{ name: "k", pem }] })]);
    expect(problems).toEqual([]);
    expect(trust.keys[0]?.fingerprint).toBe(keyFingerprint(pem));
  });

  const okp = (type: "ed448" | "x25519"): string => {
    const { publicKey: key } =
      type === "ed448" ? generateKeyPairSync("ed448") : generateKeyPairSync("x25519");
    return key.export({ type: "spki", format: "pem" }).toString();
  };
  /** A point of order 1 as an Ed25519 key: anybody can sign under it. */
  const anybodys = block(
    "PUBLIC KEY",
    Buffer.from(`302a300506032b657003210001${"00".repeat(31)}`, "hex").toString("base64"),
  );
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
    .publicKey.export({ type: "spki", format: "pem" })
    .toString();
  it.each([
    ["a key on another curve", publicPem("secp256k1"), /use P-256, P-384, P-521 or Ed25519/],
    ["an Ed448 key", okp("ed448"), /ed448 cannot be used; use P-256, P-384, P-521 or Ed25519/],
    ["an X25519 key", okp("x25519"), /x25519 cannot be used/],
    ["an Ed25519 key of small order", anybodys, /small order, under which anybody can sign/],
    ["an RSA key", rsa, /rsa cannot be used/],
    ["bytes that are no key", block("PUBLIC KEY", "AAAA"), /cannot be read/],
    ["text that is not base64", block("PUBLIC KEY", "A*A="), /not base64/],
    ["no bytes at all", block("PUBLIC KEY", ""), /not base64/],
    ["a block without end", "-----BEGIN PUBLIC KEY-----\nAAAA\n", /without end/],
    ["a certificate beside the key", publicKey + block("CERTIFICATE", "AAAA"), /another block/],
    ["more keys than are read", publicKey.repeat(33), /more than 32/],
    ["two keys, of which readers would take one or both", publicKey.repeat(2), /holds 2 public keys/],
  ])("refuses %s", (_what, pem, message) => {
    const [problem] = problemsOf([], [rootObject({ keys: [{ name: "k", pem }] })]);
    expect(problem).toMatchObject({ kind: "SkillTrustRoot", name: "r", reason: "UnusableTrust" });
    expect(problem?.message).toMatch(message);
    expect(problem?.message).toMatch(/^spec\.keys\[0\]\.pem: /);
  });

  it("refuses certificates that anchor nothing: a leaf, an intermediate, garbage", async () => {
    const intermediate = await issueAuthority({ subject: "CN=Intermediate", issuer: authority });
    const selfSignedLeaf = await issueCertificate({ subject: "CN=Alone" });
    for (const pem of [leaf.pem, selfSignedLeaf.pem, authority.pem + leaf.pem]) {
      const [problem] = problemsOf([], [rootObject({ certificates: [{ name: "c", pem }] })]);
      expect(problem?.message).toMatch(/spec\.certificates\[0\]\.pem: .* is no CA certificate/);
    }
    const [alone] = problemsOf([], [rootObject({ certificates: [{ name: "c", pem: intermediate.pem }] })]);
    expect(alone?.message).toMatch(/holds no self-signed root certificate/);
    const both = intermediate.pem + authority.pem;
    expect(problemsOf([], [rootObject({ certificates: [{ name: "c", pem: both }] })])).toEqual([]);
    const [garbage] = problemsOf(
      [],
      [rootObject({ certificates: [{ name: "c", pem: block("CERTIFICATE", "AAAA") }] })],
    );
    expect(garbage?.message).toMatch(/a certificate cannot be read/);
  });
});

describe("publishers", () => {
  const trustRoot = (): KubernetesObject =>
    rootObject({
      certificates: [
        { name: "a", pem: authority.pem },
        { name: "b", pem: other.pem },
      ],
      keys: [
        { name: "one", pem: publicKey },
        { name: "two", pem: publicPem("P-384") },
      ],
    });
  const by = (publisher: object): Policy =>
    policyOf({ publishers: [{ name: "x", ...publisher }] }, [trustRoot()]);

  it("accept the keys of a trust root, all or one by name", () => {
    const all = by({ publicKey: { trustRootRef: { name: "r" } } });
    const one = by({ publicKey: { trustRootRef: { name: "r", key: "one" } } });
    const two = by({ publicKey: { trustRootRef: { name: "r", key: "two" } } });
    expect([all, one, two].map((policy) => judged(policy, signed(trustedSigner)))).toEqual([
      [],
      [],
      ["UNTRUSTED_SIGNER"],
    ]);
  });

  it("accept a chain to one of their roots, and to no other", () => {
    const policy = by({ certificate: { pem: authority.pem } });
    expect(judged(policy, signed(certificateSigner([authority.fingerprint])))).toEqual([]);
    expect(judged(policy, signed(certificateSigner([other.fingerprint])))).toEqual(["UNTRUSTED_SIGNER"]);
    expect(judged(policy, signed(certificateSigner([])))).toEqual(["UNTRUSTED_SIGNER"]);
    const both = by({ certificate: { trustRootRef: { name: "r" } } });
    expect(judged(both, signed(certificateSigner([other.fingerprint])))).toEqual([]);
  });

  it.each([
    ["commonName", "CN"],
    ["organization", "O"],
    ["organizationalUnit", "OU"],
    ["country", "C"],
  ])("compare %s exactly", (field, attribute) => {
    const policy = by({ certificate: { pem: authority.pem, subject: { [field]: "US" } } });
    const signer = (values?: readonly string[]): Signer =>
      certificateSigner([authority.fingerprint], values === undefined ? {} : { [attribute]: values });
    expect(judged(policy, signed(signer(["US"])))).toEqual([]);
    for (const values of [undefined, [], ["us"], ["US "], ["USA"]]) {
      expect(judged(policy, signed(signer(values)))).toEqual(["UNTRUSTED_SIGNER"]);
    }
    // Two organizations are two parties; two units are one party's.
    expect(judged(policy, signed(signer(["US", "DE"])))).toEqual(
      attribute === "OU" ? [] : ["UNTRUSTED_SIGNER"],
    );
  });

  it("demand every attribute together", () => {
    const policy = by({
      certificate: { pem: authority.pem, subject: { commonName: "Leaf", organization: "A" } },
    });
    const signer = (O: string) => certificateSigner([authority.fingerprint], { CN: ["Leaf"], O: [O] });
    expect(judged(policy, signed(signer("A")))).toEqual([]);
    expect(judged(policy, signed(signer("B")))).toEqual(["UNTRUSTED_SIGNER"]);
  });

  it("do not take a certificate for a bare key, nor a key for a certificate", () => {
    const keyOnly = policyOf();
    const certified = { ...certificateSigner([authority.fingerprint]), publicKey: keyFingerprint(publicKey) };
    expect(judged(keyOnly, signed(certified))).toEqual(["UNTRUSTED_SIGNER"]);
    expect(judged(by({ certificate: { pem: authority.pem } }), signed(trustedSigner))).toEqual([
      "UNTRUSTED_SIGNER",
    ]);
  });

  it("may be several, of which one is enough", () => {
    const policy = policyOf({
      publishers: [
        { name: "a", certificate: { pem: authority.pem } },
        { name: "b", publicKey: { pem: publicKey } },
      ],
    });
    expect(judged(policy, signed(trustedSigner))).toEqual([]);
    expect(judged(policy, signed(certificateSigner([authority.fingerprint])))).toEqual([]);
  });
});

describe("a policy that cannot be used as written", () => {
  const denial = (policy: Policy): readonly string[] =>
    codes(judge(policy, reference(), evidenceOf(signed()), now).findings);

  it("denies every skill, and says why", () => {
    const policy = only([policyObject({ unknown: 1 })]);
    expect(denial(policy)).toEqual(["INTERNAL"]);
    expect(policy.invalidReason).toContain("unknown");
    expect(problemsOf([policyObject({ unknown: 1 })])).toEqual([
      { kind: "ClusterSkillPolicy", name: "p", reason: "Invalid", message: policy.invalidReason },
    ]);
  });

  it("denies what cannot be read, too, whatever it says about that", () => {
    const policy = only([policyObject({ unverifiable: { default: "Allow" }, unknown: 1 })]);
    const content = { state: "unverifiable", kind: "Image", detail: "d" } as const;
    expect(codes(judge(policy, reference({ content }), undefined, now).findings)).toEqual(["INTERNAL"]);
  });

  it("applies to what its selector selects, and to everything if that cannot be read", () => {
    const readable = only([policyObject({ unknown: 1, namespaceSelector: { matchLabels: { a: "b" } } })]);
    expect([readable.appliesTo("n", { a: "b" }), readable.appliesTo("n", {})]).toEqual([true, false]);
    for (const namespaceSelector of [7, [], { matchNames: ["a"] }, { matchLabels: { a: 1 } }, null]) {
      expect(only([policyObject({ namespaceSelector })]).appliesTo("n", {})).toBe(true);
    }
  });

  it("keeps its mode, tenant and controllers, and takes the strictest, when they cannot be read", () => {
    const kept = only([policyObject({ unknown: 1, mode: "Audit", tenant: "t", controllers: "Warn" })]);
    expect(kept).toMatchObject({ mode: "Audit", tenant: "t", controllers: "Warn" });
    const strict = only([policyObject({ mode: "audit", tenant: "T!", controllers: 1 })]);
    expect(strict).toMatchObject({ mode: "Enforce", tenant: "p", controllers: "Enforce" });
  });

  it("looks at every folder that its skill roots could have meant", () => {
    const skillRoots = ["/opt/skills/", "opt/more", "/a//b/../c", "/ok", "/", 7, "", "/ok"];
    expect(only([policyObject({ skillRoots })]).skillRoots).toEqual([
      "/opt/skills",
      "/opt/more",
      "/a/c",
      "/ok",
    ]);
    expect(only([policyObject({ skillRoots: "/opt/skills" })]).skillRoots).toEqual(["/opt/skills"]);
    expect(only([policyObject({ unknown: 1 })]).skillRoots).toEqual([]);
  });

  it.each([
    ["nothing at all", {}],
    ["a spec that is no object", { metadata: { name: "p" }, spec: "x" }],
    ["no name", { metadata: {}, spec: { publishers } }],
    ["metadata that is no object", { metadata: "p", spec: { publishers } }],
  ])("is a policy all the same with %s", (_what, object) => {
    const policy = only([object]);
    expect(policy).toMatchObject({ mode: "Enforce" });
    expect(policy.appliesTo("n", {})).toBe(true);
    expect(denial(policy)).toEqual(["INTERNAL"]);
  });

  it("is one that refers to a trust root which is missing, unusable, or without what it names", () => {
    const byKey = (ref: object) =>
      policyObject({ publishers: [{ name: "x", publicKey: { trustRootRef: ref } }] });
    const byCertificate = policyObject({
      publishers: [{ name: "x", certificate: { trustRootRef: { name: "r" } } }],
    });
    const keys = rootObject({ keys: [{ name: "one", pem: publicKey }] });
    const certificates = rootObject({ certificates: [{ name: "c", pem: authority.pem }] });
    const cases = [
      [byKey({ name: "r" }), [], /there is no SkillTrustRoot r/],
      [byKey({ name: "r" }), [rootObject({})], /r is not ready/],
      [byKey({ name: "r", key: "two" }), [keys], /holds no key two/],
      [byKey({ name: "r" }), [certificates], /holds no keys/],
      [byCertificate, [keys], /holds no certificates/],
    ] as const;
    for (const [object, roots, message] of cases) {
      const policy = only([object], roots);
      expect(policy.invalidReason).toMatch(message);
      expect(policy.invalidReason).toMatch(/^spec\.publishers\[0\]\.\w+\.trustRootRef: /);
      expect(denial(policy)).toEqual(["INTERNAL"]);
      expect(problemsOf([object], roots)).toContainEqual(
        expect.objectContaining({ kind: "ClusterSkillPolicy", name: "p", reason: "TrustRootMissing" }),
      );
    }
  });

  it("names every publisher that cannot be used, not only the first", () => {
    const by = (name: string) => ({ name, publicKey: { trustRootRef: { name } } });
    const objects = [
      policyObject({ publishers: [by("a"), { name: "own", publicKey: { pem: publicKey } }, by("b")] }),
    ];
    const missing = (index: number, root: string) =>
      `spec.publishers[${index}].publicKey.trustRootRef: there is no SkillTrustRoot ${root}; create it, or name another`;
    expect(only(objects).invalidReason).toBe(`${missing(0, "a")}; ${missing(2, "b")}`);
    expect(denial(only(objects))).toEqual(["INTERNAL"]);
  });

  it("is one whose own PEM cannot be used", () => {
    const policy = only([
      policyObject({ publishers: [{ name: "x", publicKey: { pem: publicPem("secp256k1") } }] }),
    ]);
    expect(policy.invalidReason).toMatch(/^spec\.publishers\[0\]\.publicKey\.pem: /);
  });

  it("is one with a licence that is none: it would allow or deny nothing", () => {
    for (const licenses of [{ allow: ["MIT", "My Licence"] }, { deny: ["MIT OR Apache-2.0"] }]) {
      expect(only([policyObject({ card: { licenses } })]).invalidReason).toMatch(/is no single SPDX licence/);
    }
  });

  it("leaves other policies as they are", () => {
    const { policies } = compileObjects([policyObject({ unknown: 1 }), policyObject({}, "q")], []);
    expect(policies.map(({ name, invalidReason }) => [name, invalidReason === undefined])).toEqual([
      ["p", false],
      ["q", true],
    ]);
  });
});

describe("resources of one name", () => {
  it("both apply, when they are policies, and are told of", () => {
    const { policies, problems } = compileObjects([policyObject(), policyObject({ mode: "Audit" })], []);
    expect(policies.map(({ mode }) => mode)).toEqual(["Enforce", "Audit"]);
    expect(problems).toMatchObject([{ kind: "ClusterSkillPolicy", name: "p", reason: "Duplicate" }]);
  });

  it("are none of them used, when they are trust roots", () => {
    const object = policyObject({ publishers: [{ name: "x", publicKey: { trustRootRef: { name: "r" } } }] });
    const roots = [
      rootObject({ keys: [{ name: "a", pem: publicKey }] }),
      rootObject({ keys: [{ name: "b", pem: publicKey }] }),
    ];
    const { policies, problems, trust } = compileObjects([object], roots);
    expect(policies[0]?.invalidReason).toMatch(/not ready/);
    expect(problems.map(({ reason }) => reason)).toEqual(["Duplicate", "TrustRootMissing"]);
    expect(trust.keys).toEqual([]);
  });
});
