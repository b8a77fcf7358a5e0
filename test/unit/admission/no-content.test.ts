import { describe, expect, it } from "vitest";
import type { Skill } from "../../../src/skill/skill.ts";
import { edited, placesOf } from "../../fixtures/edited.ts";
import { guideSkill } from "../../fixtures/guide-skill.ts";
import { withFiles } from "../../fixtures/signed-skill.ts";
import { trustCardSkill } from "../../fixtures/trust-card-skill.ts";
import { vettSkill } from "../../fixtures/vett-skill.ts";
import { published, World } from "./world.ts";

/** Stands for a value of somebody else's ConfigMap. */
const secret = "s3cr3tPass";

const guide = guideSkill();
const card = trustCardSkill();
const vett = await vettSkill();

const textOf = (skill: Skill, path: string): string => Buffer.from(skill.files.get(path)!.bytes).toString();

/** Everything that a caller, the log and Events get of a review of this skill. */
async function saidOf(skill: Skill): Promise<string> {
  const world = new World();
  const answer = await world.review(world.carry(skill));
  const { decision } = answer;
  const verdicts = decision !== undefined && "verdicts" in decision ? decision.verdicts : [];
  const findings = verdicts.flatMap(({ skills }) => skills.flatMap((judged) => judged.findings));
  return `${answer.body} ${JSON.stringify(findings)}`;
}

/** Places whose text names a signer: denials and annotations say who claims to have signed. */
const namesSigner = /(?:^|\.)(?:hint|keyid|cert_identity|cert_issuer)$/;

describe("an answer about bytes that nobody signed", () => {
  it.each([
    ["skill.oms.sig", published.skill],
    ["skill.sig", guide.skill],
    ["CARD.manifest.json", card.skill],
    ["vett.sigstore.json", vett.skill],
    ["vett.manifest.json", vett.skill],
  ])("quotes nothing, wherever in %s it stands", async (path, skill) => {
    const file: unknown = JSON.parse(textOf(skill, path));
    const places = placesOf(file).filter((place) => !namesSigner.test(place));
    expect(places.length).toBeGreaterThan(1);
    for (const place of places) {
      const changed = edited(file as object, { [place]: secret });
      const said = await saidOf(withFiles(skill, { [path]: JSON.stringify(changed) }));
      expect(said, place).not.toContain("s3cr3t");
      expect(said).toMatch(/[A-Z]+_[A-Z]+/);
    }
    const added = { ...(file as object), [secret]: 1 };
    expect(await saidOf(withFiles(skill, { [path]: JSON.stringify(added) }))).not.toContain("s3cr3t");
  });

  it.each([
    "skill.oms.sig",
    "skill.sig",
    "vett.sigstore.json",
    "skill-card.md",
    "skill_card.yaml",
    "permissions.yaml",
    "SKILL.md",
  ])("quotes no other file that lies there as %s", async (path) => {
    for (const text of [
      secret,
      `{"password": ${secret}}`,
      `{"user": "x", "password": "${secret}`,
      `password: ${secret}\n`,
      `---\nname: ${secret}\ndescription: d\n${secret}: 1\n${secret}: 2\n---\n`,
    ])
      expect(await saidOf(withFiles(published.skill, { [path]: text })), text).not.toContain("s3cr3t");
  });

  it("does not quote the card's own line where it differs from its data", async () => {
    const text = textOf(card.skill, "CARD.md").replace("\n", `\n${secret}\n`);
    expect(await saidOf(withFiles(card.skill, { "CARD.md": text }))).not.toContain("s3cr3t");
  });
});
