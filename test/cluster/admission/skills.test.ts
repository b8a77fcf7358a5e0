import { beforeAll, describe, expect, it } from "vitest";
import {
  signedSkill,
  skillFiles,
  skillOf,
  withFiles,
  type SignedSkill,
} from "../../fixtures/signed-skill.ts";
import { reasonTexts } from "../../../src/policy/remedy.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { apply } from "../harness/apply.ts";
import { kubectl, tryKubectl, tryKubectlApply } from "../harness/cluster.ts";
import { sharedProduct, type SharedProduct } from "./product.ts";
import {
  applySkill,
  causeIn,
  createNamespace,
  denial,
  enforce,
  oneByteChanged,
  pemOf,
  policy,
  ship,
  short,
  templateOf,
  trustRoot,
  tryApply,
  type Part,
} from "./world.ts";

const namespace = "signed";
const signature = "skill.oms.sig";

let product: SharedProduct;
let own: SignedSkill;

beforeAll(async () => {
  own = signedSkill();
  product = await sharedProduct();
  await createNamespace(namespace, namespace);
  await enforce(
    trustRoot("ours", { keys: [{ name: "team", pem: pemOf(own) }] }),
    policy(namespace, {
      publishers: [{ name: "team", publicKey: { trustRootRef: { name: "ours", key: "team" } } }],
      evidence: { integrity: "STRONG", authorship: "STRONG" },
      card: { required: true },
    }),
  );
});

const applied = (skill: Skill) => applySkill(skill, namespace);

describe("a pod whose ConfigMap carries a skill", () => {
  it("passes, when a key of the policy signed it", async () => {
    const { ran, name } = await applied(own.skill);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const { decision, verdicts } = await product.decision("Pod", name);
    expect(decision).toBe("allow");
    expect(verdicts?.map((one) => one.outcome)).toEqual(["allow"]);
  });

  it("passes as a Deployment, whose pods come up", async () => {
    const { configMaps, pod } = ship(own.skill, namespace, "deployed");
    const labels = { app: "deployed" };
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "deployed", namespace },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: pod["spec"] },
      },
    };
    const ran = await tryApply([...(configMaps as unknown as Part[]), deployment]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    await kubectl(["-n", namespace, "wait", "--for=create", "pod", "-l", "app=deployed", "--timeout=60s"]);
  });
});

/** Changes to the signed skill, and what the denial says below its first two lines. */
const denials: readonly (readonly [
  what: string,
  skill: () => Skill,
  about: string,
  lines: () => readonly string[],
])[] = [
  [
    "a file was added",
    () => withFiles(own.skill, { "extra.py": "print('hi')\n" }),
    "changed since",
    () => ["  FILE_UNSIGNED extra.py", "  fix: remove the added file, or sign the skill with it"],
  ],
  [
    "a file was removed",
    () => withFiles(own.skill, { "references/a.md": undefined }),
    "changed since",
    () => [
      "  FILE_MISSING references/a.md",
      "  fix: mount every file of the skill at its signed path, or sign the skill without it",
    ],
  ],
  [
    "a file was renamed",
    () =>
      withFiles(own.skill, {
        "references/a.md": undefined,
        "references/b.md": own.skill.files.get("references/a.md")!.bytes,
      }),
    "changed since",
    () => [
      "  FILE_MISSING  references/a.md",
      "  FILE_UNSIGNED references/b.md",
      "  fix: mount every file of the skill at its signed path, or sign the skill without it; remove the added file, or sign the skill with it",
    ],
  ],
  [
    "the card was removed",
    () => withFiles(own.skill, { "skill-card.md": undefined }),
    "changed since",
    () => [
      "  FILE_MISSING skill-card.md",
      "  fix: mount every file of the skill at its signed path, or sign the skill without it",
    ],
  ],
];

describe("a pod is denied, with the file and both digests, when", () => {
  const signer = () => `ours/team (key ${own.trust.keys[0]!.fingerprint.slice(0, 16)}…)`;
  const denialOf = (
    { name, source }: Pick<Awaited<ReturnType<typeof applied>>, "name" | "source">,
    about: string,
    lines: readonly string[],
  ): readonly string[] => [
    `policy "${namespace}" denied Pod ${namespace}/${name}: 1 of 1 skill failed: ${causeIn(lines)}`,
    `- data-designer (${source} at /skills/data-designer): ${about}`,
    ...lines,
  ];

  it.each(["SKILL.md", "references/a.md", "scripts/run.sh", "skill-card.md"])(
    "one byte of %s was changed",
    async (path) => {
      const changed = withFiles(own.skill, { [path]: oneByteChanged(own.skill.files.get(path)!.bytes) });
      const result = await applied(changed);
      const lines = denial(result.ran).split("\n");
      expect(lines).toEqual(denialOf(result, `signed by ${signer()}, changed since`, lines.slice(2)));
      expect(lines[2]).toMatch(
        new RegExp(
          `^  DIGEST_MISMATCH +${path}: signed ${short(own.skill, path)}, found ${short(changed, path)}$`,
        ),
      );
      expect(lines.at(-2)).toContain("fix: mount the published files again, or sign the changed skill");
      expect(lines.at(-1)).toBe("decision ID");
    },
  );

  it("one byte was changed: exactly these words, no more", async () => {
    const path = "scripts/run.sh";
    const changed = withFiles(own.skill, { [path]: oneByteChanged(own.skill.files.get(path)!.bytes) });
    const name = "in-these-words";
    const { all, source } = ship(changed, namespace, name);
    const ran = await tryKubectlApply(all);
    expect(denial(ran).split("\n")).toEqual(
      denialOf({ name, source }, `signed by ${signer()}, changed since`, [
        `  DIGEST_MISMATCH ${path}: signed ${short(own.skill, path)}, found ${short(changed, path)}`,
        "  fix: mount the published files again, or sign the changed skill",
        "decision ID",
      ]),
    );
    expect(ran.stderr).toMatch(
      /^Error from server \(Forbidden\): error when creating "STDIN": admission webhook "pods\.skill-admission\.dev" denied/,
    );
  });

  it.each(denials)("%s", async (_what, skill, about, lines) => {
    const result = await applied(skill());
    expect(denial(result.ran).split("\n")).toEqual(
      denialOf(result, `signed by ${signer()}, ${about}`, [...lines(), "decision ID"]),
    );
  });

  it("the signature is another skill's", async () => {
    const other = signedSkill({ name: "other", key: own.key });
    const { ran } = await applied(withFiles(own.skill, { [signature]: other.signature }));
    const text = denial(ran);
    expect(text).toContain(
      `DIGEST_MISMATCH SKILL.md: signed ${short(other.skill, "SKILL.md")}, found ${short(own.skill, "SKILL.md")}`,
    );
    expect(text).toContain("changed since");
  });

  it("a byte of the signature itself was changed", async () => {
    const bundle = JSON.parse(Buffer.from(own.signature).toString()) as {
      dsseEnvelope: { signatures: { sig: string }[] };
    };
    const raw = Buffer.from(bundle.dsseEnvelope.signatures[0]!.sig, "base64");
    raw[raw.length - 1]! ^= 1;
    bundle.dsseEnvelope.signatures[0]!.sig = raw.toString("base64");
    const { ran } = await applied(withFiles(own.skill, { [signature]: JSON.stringify(bundle) }));
    expect(denial(ran)).toContain("  BAD_SIGNATURE ");
    expect(denial(ran)).toContain("  fix: mount the published signature again, or sign the skill anew");
  });

  it("there is no signature", async () => {
    const result = await applied(skillOf("data-designer"));
    expect(denial(result.ran).split("\n")).toEqual(
      denialOf(result, "not signed", [
        "  UNSIGNED there is no signature",
        // It names the file of every format: written out, each new format would fail here.
        `  fix: ${reasonTexts.UNSIGNED.remedy}`,
        "decision ID",
      ]),
    );
  });

  it("everything was changed: as much as fits into 2 KB, and how much did not", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 90 }, (_, at) => [
        `references/${String(at).padStart(2, "0")}-${"n".repeat(40)}.md`,
        "x",
      ]),
    );
    const big = signedSkill({ name: "big", key: own.key, files: { ...skillFiles("big"), ...files } }).skill;
    const changed = Object.fromEntries(Object.keys(files).map((path) => [path, "y"]));
    const { ran, name } = await applied(withFiles(big, changed));
    const text = denial(ran);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2048);
    const [first, , ...lines] = text.split("\n");
    expect(first).toMatch(
      new RegExp(
        `^policy "${namespace}" denied Pod ${namespace}/${name}: 1 of 1 skill failed: big DIGEST_MISMATCH references/00-n+[.]md, and 89 more$`,
      ),
    );
    expect(lines.filter((line) => line.startsWith("  DIGEST_MISMATCH"))).toHaveLength(6);
    expect(lines.slice(-3)).toEqual([
      "  and 84 more",
      "  fix: mount the published files again, or sign the changed skill",
      "decision ID",
    ]);
  });

  it("it is only tried: a server-side dry run denies likewise, and passes what passes", async () => {
    // ConfigMaps of a dry run are not there for the pod's review.
    const good = ship(own.skill, namespace, "dry-good");
    const bad = ship(withFiles(own.skill, { "extra.py": "x" }), namespace, "dry-bad");
    await apply(...good.configMaps, ...bad.configMaps);
    expect(await tryApply([good.pod], { dryRun: true })).toMatchObject({ code: 0 });
    expect(denial(await tryApply([bad.pod], { dryRun: true }))).toContain("FILE_UNSIGNED extra.py");
    await product.decision("Pod", "dry-bad", { decision: "deny", dryRun: true });
  });

  it("its ConfigMap is not there, and it passes once it is", async () => {
    const { configMaps, pod } = ship(own.skill, namespace, "early");
    const ran = await tryApply([pod]);
    expect(denial(ran)).toContain(
      `SOURCE_UNAVAILABLE ConfigMap ${namespace}/${configMaps[0]!.metadata.name} does not exist`,
    );
    await apply(configMaps[0]!);
    expect(await tryApply([pod])).toMatchObject({ code: 0 });
  });

  it.each([
    ["kubectl apply --dry-run=server", ["apply", "--dry-run=server"], 0],
    [
      "a dry run of server-side apply, as Flux and Argo CD make",
      ["apply", "--server-side", "--dry-run=server"],
      0,
    ],
    ["kubectl diff, which exits 1 where there is something to apply", ["diff"], 1],
  ])("it comes with its ConfigMap and is only tried, by %s", async (_, command, code) => {
    const { configMaps, pod } = ship(own.skill, namespace, `tried-${command.length}-${code}`);
    const template = templateOf(pod, { app: "tried" });
    const spec = { selector: { matchLabels: { app: "tried" } }, template };
    const metadata = { name: "tried", namespace };
    const objects = [...configMaps, pod, { apiVersion: "apps/v1", kind: "Deployment", metadata, spec }];
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
    const ran = await tryKubectl([...command, "-f", "-"], list);
    expect(ran.code, ran.stderr).toBe(code);
    // The pod's and the Deployment's are the same line, which kubectl prints once.
    const warnings = ran.stderr.match(/Warning: .*/g) ?? [];
    expect(new Set(warnings).size, ran.stderr).toBe(1);
    expect(warnings[0]).toContain(`SOURCE_UNAVAILABLE ConfigMap ${namespace}/`);
  });
});
