import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { keyFingerprint } from "../../../src/signature/key.ts";
import { sha256 } from "../../../src/skill/digest.ts";
import { signedSkill, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { ownPath, remove } from "../harness/api.ts";
import { kubectl } from "../harness/cluster.ts";
import { sharedProduct, type SharedProduct } from "./product.ts";
import {
  applySkill,
  createNamespace,
  denial,
  enforce,
  pemOf,
  policy,
  revocationList,
  short,
  tryApply,
  type Part,
} from "./world.ts";
import { patience } from "../../fixtures/patience.ts";

const namespace = "revocation";
const listName = "org-revoked";

let product: SharedProduct;
let own: SignedSkill;

const digestOfKey = ({ trust }: SignedSkill): string => `sha256:${keyFingerprint(trust.keys[0]!.key)}`;
const enforced = (spec: Part = {}): Promise<void> =>
  enforce(policy(namespace, { publishers: [{ name: "team", publicKey: { pem: pemOf(own) } }], ...spec }));

beforeAll(async () => {
  own = signedSkill();
  product = await sharedProduct();
  await createNamespace(namespace, namespace);
  await enforced();
});

afterAll(async () => {
  await remove(ownPath("skillrevocationlists", listName));
});

describe("a SkillRevocationList in force", () => {
  it("denies a skill whose signer's key it names, and says which list, since when, why and what to do", async () => {
    expect((await applySkill(own.skill, namespace)).ran).toMatchObject({ code: 0, stderr: "" });
    const entry = {
      digest: digestOfKey(own),
      reason: "laptop was stolen",
      revokedAt: "2026-11-21T08:00:00Z",
    };
    await enforce(revocationList(listName, { keys: [entry] }));
    const { ran } = await applySkill(own.skill, namespace);
    expect(denial(ran)).toContain(
      `  REVOKED the key ${entry.digest.slice(7, 15)}… of the signer is revoked by SkillRevocationList org-revoked since 2026-11-21T08:00:00Z: laptop was stolen\n` +
        "  fix: use a release that is not revoked; if the entry is a mistake, ask whoever keeps that list",
    );
  });

  it("denies a skill that holds a file that it names, also unsigned where that is tolerated", async () => {
    await enforced({ unsigned: { action: "Warn" } });
    const bytes = own.skill.files.get("SKILL.md")!.bytes;
    await enforce(
      revocationList(listName, { files: [{ digest: sha256(bytes), reason: "prompt injection" }] }),
    );
    const files = new Map([["SKILL.md", own.skill.files.get("SKILL.md")!]]);
    const { ran } = await applySkill({ ...own.skill, files }, namespace);
    expect(denial(ran)).toContain(
      `REVOKED SKILL.md: the file ${short(own.skill, "SKILL.md")} is revoked by SkillRevocationList org-revoked: prompt injection`,
    );
    await enforced();
  });

  it("shows how much it revokes, and that it is in force", async () => {
    await enforce(
      revocationList(listName, {
        skills: [{ digest: `sha256:${"ab".repeat(32)}`, reason: "a" }],
        identities: [{ identity: "me@example.com", issuer: "https://issuer.example.com", reason: "b" }],
      }),
    );
    const table = (await kubectl(["get", "skrl", listName])).split("\n").map((line) => line.split(/\s{2,}/));
    const shown = Object.fromEntries(table[0]!.map((heading, at) => [heading, table[1]?.[at]]));
    expect(shown).toMatchObject({
      NAME: listName,
      SKILLS: "1",
      FILES: "0",
      CERTIFICATES: "0",
      KEYS: "0",
      IDENTITIES: "1",
      READY: "True",
    });
    expect((await applySkill(own.skill, namespace)).ran).toMatchObject({ code: 0, stderr: "" });
  });

  it("is missed by the policies that name it, which deny until it is back", async () => {
    await enforced({ revocation: { listRefs: [{ name: listName }] } });
    await remove(ownPath("skillrevocationlists", listName));
    await vi.waitFor(async () => {
      const { ran } = await applySkill(own.skill, namespace);
      expect(denial(ran)).toContain(`there is no SkillRevocationList ${listName}; create it`);
    }, patience);
    await enforce(revocationList(listName, {}));
    await enforced({ revocation: { listRefs: [{ name: listName }] } });
    expect((await applySkill(own.skill, namespace)).ran).toMatchObject({ code: 0, stderr: "" });
    await enforced();
  });

  it("is refused by the API server, where it is not in order", async () => {
    const { code, stderr } = await tryApply([
      revocationList("refused", { files: [{ digest: "sha256:ab", reason: "x" }] }),
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/spec\.files\[0\]\.digest/);
  });
});

describe("a SkillRevocationList with enforcement: Always", () => {
  const emergency = "emergency";
  const script = () => own.skill.files.get("SKILL.md")!.bytes;
  const always = (tenant: string): Promise<void> =>
    enforce(
      revocationList(emergency, {
        enforcement: "Always",
        namespaceSelector: { matchLabels: { tenant } },
        files: [{ digest: sha256(script()), reason: "prompt injection" }],
      }),
    );

  afterAll(async () => {
    await remove(ownPath("skillrevocationlists", emergency));
  });

  it("denies where no policy governs, in the namespaces of its selector only", async () => {
    const [inside, outside] = ["revocation-always", "revocation-free"];
    await createNamespace(inside, inside);
    await createNamespace(outside, outside);
    await always(inside);
    const { ran } = await applySkill(own.skill, inside);
    expect(denial(ran)).toMatch(
      /SkillRevocationList "emergency" denied Pod revocation-always\/pod-\d+: 1 of 1 skill failed: \S+ REVOKED SKILL\.md/,
    );
    expect(denial(ran)).toContain(
      `REVOKED SKILL.md: the file ${short(own.skill, "SKILL.md")} is revoked by SkillRevocationList emergency: prompt injection`,
    );
    expect((await applySkill(own.skill, outside)).ran).toMatchObject({ code: 0, stderr: "" });
    const unsigned = withFiles(own.skill, { "SKILL.md": "---\nname: other\n---\nAnother skill.\n" });
    expect((await applySkill(unsigned, inside)).ran).toMatchObject({ code: 0, stderr: "" });
    expect(await kubectl(["get", "skrl", emergency])).toMatch(/ENFORCEMENT[^]*emergency +Always +0 +1 +0/);
  });

  it("denies where a policy only warns or audits", async () => {
    await always(namespace);
    for (const mode of ["Warn", "Audit"]) {
      await enforced({ mode });
      const { ran } = await applySkill(own.skill, namespace);
      expect(denial(ran), mode).toContain('SkillRevocationList "emergency" denied Pod revocation/');
    }
    await enforced();
    await remove(ownPath("skillrevocationlists", emergency));
    await vi.waitFor(async () => {
      expect((await applySkill(own.skill, namespace)).ran).toMatchObject({ code: 0, stderr: "" });
    }, patience);
  });

  it("is refused by the API server with a selector that has no effect", async () => {
    const { code, stderr } = await tryApply([revocationList("refused", { namespaceSelector: {} })]);
    expect(code).toBe(1);
    expect(stderr).toContain("namespaceSelector has no effect unless enforcement is Always");
  });
});

describe("a policy's own revocation", () => {
  it("denies by the digest that the log tells", async () => {
    await remove(ownPath("skillrevocationlists", listName));
    const { ran, name } = await applySkill(own.skill, namespace);
    expect(ran.code).toBe(0);
    const line = (await product.decision("Pod", name)) as unknown as {
      readonly verdicts: readonly { readonly skills: readonly { readonly digest: string }[] }[];
    };
    const digest = line.verdicts[0]?.skills[0]?.digest ?? "";
    await enforced({ revocation: { digests: [digest] } });
    const denied = await applySkill(own.skill, namespace);
    expect(denial(denied.ran)).toContain(
      `  REVOKED the skill ${digest.slice(7, 15)}… is revoked by this policy's revocation`,
    );
    await enforced();
  });
});
