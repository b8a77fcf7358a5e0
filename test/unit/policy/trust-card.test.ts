import { describe, expect, it } from "vitest";
import { assess } from "../../../src/evaluation/assess.ts";
import { judge } from "../../../src/policy/judge.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { signedSkill, withFiles } from "../../fixtures/signed-skill.ts";
import { cardText, trustCardFiles, trustCardSkill, unsigned } from "../../fixtures/trust-card-skill.ts";
import { now, policyOf, reference } from "./builders.ts";
import type { Spec } from "./resource-cases.ts";

const own = trustCardSkill();
const files = trustCardFiles("data-designer");
const pem = own.trust.keys[0]!.key.export({ type: "spki", format: "pem" }) as string;
const publishers = [{ name: "team", publicKey: { pem } }];

/** The findings of a policy that trusts the card's signer, as `CODE path: message`. */
function findingsOf(skill: Skill, spec: Spec = {}, trust = own.trust): readonly string[] {
  const policy = policyOf({ publishers, ...spec });
  const { findings } = judge(policy, reference(), assess({ skill }, trust, now), now);
  return findings.map(({ code, path, message }) => `${code} ${path ?? ""}: ${message}`);
}

const signedWith = (changes: Readonly<Record<string, string>>): Skill =>
  trustCardSkill({ key: own.key, files: { ...files, ...changes } }).skill;
/** Without the catalogue's card, which the digest covers. */
const others = Object.fromEntries(Object.entries(files).filter(([path]) => path !== "skill-card.md"));
const withoutCatalogueCard = (): Skill => trustCardSkill({ key: own.key, files: others }).skill;

describe("judge, of a skill with a trust card", () => {
  it("is content with a publisher's signature, unless every byte has to be signed", () => {
    expect(findingsOf(own.skill)).toEqual([]);
    expect(findingsOf(own.skill, { evidence: { integrity: "MEDIUM", authorship: "STRONG" } })).toEqual([]);
    expect(findingsOf(own.skill, { evidence: { integrity: "STRONG" } })).toEqual([
      "GRADE_BELOW_MINIMUM : integrity is MEDIUM, and evidence.integrity of the policy demands STRONG",
    ]);
  });

  it("holds what permissions.yaml declares against the policy, with a card or without", () => {
    const deny = (pattern: string): Spec => ({ card: { permissions: { deny: [pattern] } } });
    const online = { "permissions.yaml": "network: wherever it has to\n" };
    for (const skill of [own.skill, withoutCatalogueCard()]) {
      expect(findingsOf(skill, deny("shell"))).toEqual([
        `PERMISSION_DENIED : the skill claims "shell", which the policy's card.permissions.deny forbids by "shell"`,
      ]);
      expect(findingsOf(skill, deny("network:egress"))).toEqual([]);
    }
    expect(findingsOf(signedWith(online), deny("network:egress"))).toEqual([
      `PERMISSION_DENIED : the skill claims "network", which the policy's card.permissions.deny forbids by "network:egress"`,
    ]);
    expect(findingsOf(signedWith({ "permissions.yaml": "shell: perhaps\n" }), deny("network"))).toEqual([
      "CARD_INCOMPLETE permissions.yaml: shell: is neither true nor false",
    ]);
  });

  it("does not take the card for a signed one, and is content with another that is", () => {
    const required: Spec = { card: { required: true, fields: ["license"] } };
    expect(findingsOf(own.skill, required)).toEqual([]);
    expect(findingsOf(withoutCatalogueCard(), required)).toEqual([
      "CARD_MISSING CARD.md: the card is not signed",
    ]);
  });

  it("finds where the card contradicts the files", () => {
    const other = signedWith({
      "SKILL.md": "---\nname: data-designer\ndescription: d\nversion: 2.0.0\n---\n",
    });
    expect(findingsOf(other, { card: { required: true } })).toEqual([
      expect.stringMatching(
        /^CARD_INCOMPLETE CARD\.md: target_version: says "1\.2\.0", but SKILL\.md says "2\.0\.0"/,
      ),
    ]);
  });

  it("believes the card under a signature that covers it", () => {
    const card = cardText({ title: "data-designer", digest: own.digest, files: 5, signing: unsigned });
    const oms = signedSkill({ files: { ...others, "CARD.md": card } });
    const pem = oms.trust.keys[0]!.key.export({ type: "spki", format: "pem" }) as string;
    const spec: Spec = {
      publishers: [{ name: "team", publicKey: { pem } }],
      card: { fields: ["description"] },
    };
    expect(findingsOf(oms.skill, spec, oms.trust)).toEqual([]);
    expect(findingsOf(oms.skill, { ...spec, card: { fields: ["owner"] } }, oms.trust)).toEqual([
      "CARD_INCOMPLETE CARD.md: the card does not fill owner",
    ]);
  });

  it("takes the card at its word that it has expired, at the end of its day", () => {
    const { skill } = trustCardSkill({ key: own.key, draft: { expires: "2026-09-30" } });
    const evidence = assess({ skill }, own.trust, now);
    const at = (time: string) =>
      judge(policyOf({ publishers }), reference(), evidence, Date.parse(time)).findings.map(
        ({ message }) => message,
      );
    expect(at("2026-09-30T23:59:59.999Z")).toEqual([]);
    expect(at("2026-10-01T00:00:00.000Z")).toEqual(["its card was to be relied on until 2026-09-30"]);
    expect(findingsOf(skill)).toEqual(["EXPIRED : its card was to be relied on until 2026-09-30"]);
  });

  it("refuses what is beside it unsigned, whatever the policy demands", () => {
    expect(findingsOf(withFiles(own.skill, { "scripts/hero.py": "x" }))).toEqual([
      "FILE_UNSIGNED scripts/hero.py: is there and was not signed",
    ]);
    const hidden = withFiles(own.skill, { ".git/x/SKILL.md": "---\nname: x\ndescription: d\n---\n" });
    expect(findingsOf(hidden)).toEqual([
      "FILE_UNSIGNED .git/x/SKILL.md: is a skill of its own, at a path that the signature leaves out",
    ]);
  });
});
