import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate, issueChain, type TestChain } from "../../fixtures/certificates.ts";
import { corpus, readTree } from "../../fixtures/corpus.ts";
import { signedSkill, skillOf, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { signOms } from "../../../src/signature/oms/sign.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { projectRoot } from "../harness/binaries.ts";
import { kubectl, tryKubectl } from "../harness/cluster.ts";
import { startProduct, type Product } from "./product.ts";
import {
  createNamespace,
  denial,
  enforce,
  oneByteChanged,
  policy,
  ship,
  short,
  trustRoot,
  tryApply,
  type Part,
} from "./world.ts";

const run = promisify(execFile);
const cli = (...args: readonly string[]) =>
  run(process.execPath, [join(projectRoot, "dist/main.js"), ...args], { maxBuffer: 64 * 1024 * 1024 });

const namespace = "signed";
const signature = "skill.oms.sig";
const nvidia = `${corpus}/nvidia`;

let product: Product;
let scratch: string;
let own: SignedSkill;
let chain: TestChain;
let expired: TestChain;
let wrongUsage: TestChain;

const pemOf = (key: SignedSkill): string =>
  key.trust.keys[0]!.key.export({ type: "spki", format: "pem" }) as string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "skill-admission-skills-"));
  own = signedSkill();
  const old = { notBefore: -40 };
  [chain, expired, wrongUsage] = await Promise.all([
    issueChain({ keyType: "P-384" }),
    issueChain({ root: old, intermediate: old, leaf: { notBefore: -20, notAfter: -2 } }),
    issueChain({ root: old, intermediate: old }),
  ]);
  product = await startProduct();
  await createNamespace(namespace, namespace);
  const certificates = [chain, expired, wrongUsage].map(({ root }, at) => ({
    name: `root-${at}`,
    pem: root.pem,
  }));
  await enforce(
    trustRoot("ours", { certificates, keys: [{ name: "team", pem: pemOf(own) }] }),
    policy(namespace, {
      publishers: [
        { name: "team", publicKey: { trustRootRef: { name: "ours", key: "team" } } },
        {
          name: "team-pki",
          certificate: { trustRootRef: { name: "ours" }, subject: { organization: "Test Publisher" } },
        },
      ],
      evidence: { integrity: "STRONG", authorship: "STRONG" },
      card: { required: true },
    }),
  );
}, 60_000);

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
  await product.remove();
});

const withChain = ({ leaf, certificates }: TestChain): Skill =>
  signedSkill({ name: "data-designer", key: leaf.key, certificates }).skill;

let pods = 0;
const nextName = (): string => `pod-${(pods += 1)}`;

/** Applies the skill's ConfigMaps with a pod that mounts it, as one manifest. */
const applied = async (skill: Skill, name = nextName()) => {
  const shipped = ship(skill, namespace, name);
  return { ...shipped, name, ran: await tryApply(shipped.all) };
};

describe("a pod whose ConfigMap carries a skill", () => {
  it("passes, when a key of the policy signed it", async () => {
    const { ran, name } = await applied(own.skill);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const { decision, verdicts } = await product.decision("Pod", name);
    expect(decision).toBe("allow");
    expect(verdicts?.map((one) => one.outcome)).toEqual(["allow"]);
  });

  it("passes, when a certificate under the policy's root signed it", async () => {
    const { ran } = await applied(withChain(chain));
    expect(ran).toMatchObject({ code: 0, stderr: "" });
  });

  it("passes, when the command line signed and packed it, by key and by certificate", async () => {
    const folder = join(scratch, "incident-summary");
    const [key, certificates] = [join(scratch, "key.pem"), join(scratch, "chain.pem")];
    await run("cp", ["-r", join(projectRoot, "examples/skills/incident-summary"), folder]);
    await writeFile(key, own.key.export({ type: "pkcs8", format: "pem" }) as string, { mode: 0o600 });
    await cli("sign", folder, "--key", key);
    const pack = async (name: string) =>
      (
        await cli(
          "package",
          folder,
          "--namespace",
          namespace,
          "--name",
          name,
          "--with-pod",
          "example.invalid/a",
        )
      ).stdout;
    expect(await tryKubectl(["apply", "-f", "-"], await pack("by-key"))).toMatchObject({
      code: 0,
      stderr: "",
    });

    await writeFile(key, chain.leaf.keyPem, { mode: 0o600 });
    await writeFile(
      certificates,
      [chain.leaf, { pem: chain.certificates[1]!.toString() }].map(({ pem }) => pem).join(""),
    );
    await cli("sign", folder, "--force", "--key", key, "--certificate-chain", certificates);
    const byChain = await tryKubectl(["apply", "-f", "-"], await pack("by-chain"));
    expect(byChain).toMatchObject({ code: 0, stderr: "" });
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
    await kubectl(["-n", namespace, "wait", "--for=create", "pod", "-l", "app=deployed", "--timeout=20s"]);
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
  const head = (name: string, source: string, about: string): readonly string[] => [
    `policy "${namespace}" denied Pod ${namespace}/${name}: 1 of 1 skill failed`,
    `- data-designer (${source} at /skills/data-designer): ${about}`,
  ];

  it.each(["SKILL.md", "references/a.md", "scripts/run.sh", "skill-card.md"])(
    "one byte of %s was changed",
    async (path) => {
      const changed = withFiles(own.skill, { [path]: oneByteChanged(own.skill.files.get(path)!.bytes) });
      const { ran, name, source } = await applied(changed);
      const lines = denial(ran).split("\n");
      expect(lines.slice(0, 2)).toEqual(head(name, source, `signed by ${signer()}, changed since`));
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
    const { ran, name, source } = await applied(changed);
    expect(denial(ran).split("\n")).toEqual([
      ...head(name, source, `signed by ${signer()}, changed since`),
      `  DIGEST_MISMATCH ${path}: signed ${short(own.skill, path)}, found ${short(changed, path)}`,
      "  fix: mount the published files again, or sign the changed skill",
      "decision ID",
    ]);
    expect(ran.stderr).toMatch(
      /^Error from server \(Forbidden\): error when creating "STDIN": admission webhook "pods\.skill-admission\.dev" denied/,
    );
  });

  it.each(denials)("%s", async (_what, skill, about, lines) => {
    const { ran, name, source } = await applied(skill());
    expect(denial(ran).split("\n")).toEqual([
      ...head(name, source, `signed by ${signer()}, ${about}`),
      ...lines(),
      "decision ID",
    ]);
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
    const { ran, name, source } = await applied(skillOf("data-designer"));
    expect(denial(ran).split("\n")).toEqual([
      ...head(name, source, "not signed"),
      "  UNSIGNED there is no signature",
      "  fix: mount the signature file skill.oms.sig with the skill, or have a publisher of the policy sign it",
      "decision ID",
    ]);
  });

  it("a stranger's key signed it", async () => {
    const { ran } = await applied(signedSkill().skill);
    expect(denial(ran)).toContain("  UNTRUSTED_SIGNER ");
    expect(denial(ran)).toContain(
      "  fix: use a skill signed by a publisher of the policy, or add the signer to its publishers",
    );
  });

  it("a certificate of a stranger's authority signed it, of the same names", async () => {
    const { ran } = await applied(withChain(await issueChain({ keyType: "P-384" })));
    expect(denial(ran)).toContain("  UNTRUSTED_SIGNER ");
  });

  it("the signer's certificate has expired", async () => {
    const { ran } = await applied(withChain(expired));
    expect(denial(ran)).toContain("  SIGNER_EXPIRED ");
    expect(denial(ran)).toContain("  fix: have the skill signed with a valid certificate");
  });

  it("the signer's certificate is for something else than signing", async () => {
    // Nobody signs with such a certificate by mistake: the same key has a second one, and that is put in.
    const { leaf } = wrongUsage;
    const encipherment = await issueCertificate({
      keys: leaf.keys,
      issuer: wrongUsage.root,
      keyUsage: x509.KeyUsageFlags.keyEncipherment,
    });
    const right = await issueCertificate({ keys: leaf.keys, issuer: wrongUsage.root });
    const swapped = (certificate: typeof leaf): Skill => {
      const signed = withChain({ ...wrongUsage, leaf, certificates: [right.certificate] });
      const bundle = JSON.parse(Buffer.from(signed.files.get(signature)!.bytes).toString()) as {
        verificationMaterial: { x509CertificateChain: { certificates: { rawBytes: string }[] } };
      };
      bundle.verificationMaterial.x509CertificateChain.certificates[0]!.rawBytes =
        certificate.certificate.raw.toString("base64");
      return withFiles(signed, { [signature]: JSON.stringify(bundle) });
    };
    expect((await applied(swapped(right))).ran).toMatchObject({ code: 0 });
    const { ran } = await applied(swapped(encipherment));
    expect(denial(ran)).toContain("  BAD_SIGNATURE ");
    expect(denial(ran)).toContain("may not sign: it needs key usage digitalSignature");
  });

  it("its certificate is of another organization than the publisher's", async () => {
    const leaf = await issueCertificate({
      subject: "CN=Other, O=Other Publisher, C=US",
      keyType: "P-384",
      issuer: chain.root,
    });
    const unsigned = skillOf("data-designer");
    const bundle = signOms(unsigned, { key: leaf.key, certificates: [leaf.certificate] });
    const { ran } = await applied(withFiles(unsigned, { [signature]: bundle }));
    expect(denial(ran)).toContain("  UNTRUSTED_SIGNER ");
    expect(denial(ran)).toContain("Other Publisher");
  });

  it("it is only tried: a server-side dry run denies likewise, and passes what passes", async () => {
    // ConfigMaps of a dry run are not there for the pod's review.
    const good = ship(own.skill, namespace, "dry-good");
    const bad = ship(withFiles(own.skill, { "extra.py": "x" }), namespace, "dry-bad");
    await kubectl(
      ["apply", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items: [...good.configMaps, ...bad.configMaps] }),
    );
    expect(await tryApply([good.pod], "--dry-run=server")).toMatchObject({ code: 0 });
    expect(denial(await tryApply([bad.pod], "--dry-run=server"))).toContain("FILE_UNSIGNED extra.py");
    expect(await product.decision("Pod", "dry-bad")).toMatchObject({ decision: "deny", dryRun: true });
  });

  it("its ConfigMap is not there, and it passes once it is", async () => {
    const { configMaps, pod } = ship(own.skill, namespace, "early");
    const ran = await tryApply([pod]);
    expect(denial(ran)).toContain(
      `SOURCE_UNAVAILABLE ConfigMap ${namespace}/${configMaps[0]!.metadata.name} does not exist`,
    );
    await kubectl(["apply", "-f", "-"], JSON.stringify(configMaps[0]));
    expect(await tryApply([pod])).toMatchObject({ code: 0 });
  });
});

describe.runIf(existsSync(nvidia))("skills of the public catalogue", () => {
  const space = "catalogue";

  beforeAll(async () => {
    await createNamespace(space, space);
    await enforce(
      trustRoot("nvidia-agent", {
        certificates: [{ name: "root", pem: await readFile(`${nvidia}/nv-agent-root-cert.pem`, "utf8") }],
      }),
      policy(space, {
        publishers: [
          {
            name: "nvidia",
            certificate: {
              trustRootRef: { name: "nvidia-agent" },
              subject: { organization: "NVIDIA Corporation" },
            },
          },
        ],
        evidence: { integrity: "STRONG", authorship: "STRONG" },
      }),
    );
  });

  const packed = async (name: string): Promise<string> =>
    (
      await cli(
        "package",
        `${nvidia}/skills/${name}`,
        "--namespace",
        space,
        "--with-pod",
        "example.invalid/a",
      )
    ).stdout;

  it.each(["cuopt-install", "jetson-link-docs", "rag-blueprint"])(
    "%s passes, packed by the command line",
    async (name) => {
      expect(await tryKubectl(["apply", "-f", "-"], await packed(name))).toMatchObject({
        code: 0,
        stderr: "",
      });
      expect(await product.decision("Pod", name)).toMatchObject({ decision: "allow" });
    },
  );

  it("the largest passes, spread over several ConfigMaps", async () => {
    const manifests = await packed("omniverse-realtime-viewer");
    expect(manifests.match(/^kind: ConfigMap$/gm)!.length).toBeGreaterThan(1);
    expect(await tryKubectl(["apply", "-f", "-"], manifests)).toMatchObject({ code: 0, stderr: "" });
  });

  it("one of them is denied with any of its files changed", async () => {
    const skill = readTree(`${nvidia}/skills/cuopt-install`);
    const paths = [...skill.files.keys()].filter((path) => path !== signature);
    expect(paths.length).toBeGreaterThan(3);
    for (const [at, path] of paths.entries()) {
      const changed = withFiles(skill, { [path]: oneByteChanged(skill.files.get(path)!.bytes) });
      const ran = await tryApply(ship(changed, space, `changed-${at}`).all);
      expect(denial(ran)).toContain("signed by CN=NVIDIA Agent Skills Signing 001, changed since");
      expect(denial(ran)).toContain(`${path}: signed ${short(skill, path)}, found ${short(changed, path)}`);
    }
  });

  it("one that an unpublished authority signed is denied", async () => {
    const ran = await tryKubectl(["apply", "-f", "-"], await packed("deepstream-run-mv3dt"));
    expect(denial(ran)).toContain("UNTRUSTED_SIGNER");
  });
});
