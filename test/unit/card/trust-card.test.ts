import { describe, expect, it } from "vitest";
import { readCard } from "../../../src/card/read-card.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { withFiles } from "../../fixtures/signed-skill.ts";
import { cardText, trustCardSkill, unsigned, type CardDraft } from "../../fixtures/trust-card-skill.ts";

const { skill, digest, card } = trustCardSkill();
/** Without the catalogue's card, which would be preferred. */
const alone = withFiles(trustCardSkill({ files: onlyTrustCard() }).skill, {});

function onlyTrustCard() {
  const files = Object.fromEntries([...skill.files].map(([path, file]) => [path, file.bytes]));
  for (const path of ["CARD.md", "CARD.manifest.json", "skill-card.md"]) Reflect.deleteProperty(files, path);
  return files;
}

const faultsOf = (of: Skill) =>
  readCard(of).faults.map(({ path, field, detail }) => `${path} ${field ?? ""}: ${detail}`);
/** The skill with another card on it, and no list that would contradict it. */
const carded = (draft: Partial<CardDraft>) =>
  withFiles(skill, {
    "CARD.md": cardText({ title: "data-designer", digest, files: 5, signing: unsigned, ...draft }),
    "CARD.manifest.json": undefined,
  });

describe("readCard, of a skill with a trust card", () => {
  it("reads CARD.md where it is the only card", () => {
    const { card: found, faults } = readCard(alone);
    expect(faults).toEqual([]);
    expect(found).toEqual({
      format: "CARD.md",
      path: "CARD.md",
      name: "data-designer",
      version: "1.2.0",
      description: "Designs synthetic tables: from a schema, caf\u00e9-style.",
      riskTier: "executable-L1",
      expires: "2199-06-29",
      risks: [],
      limitations: [],
      permissions: ["executes", "shell", "Bash(python:*)", "Read"],
      dependencies: [],
      references: [{ url: "https://example.com/tables" }],
    });
  });

  it("prefers the other cards, which its signature covers", () => {
    const { card: found, faults } = readCard(skill);
    expect(faults).toEqual([]);
    expect(found).toMatchObject({ format: "skill-card.md", owner: "Example Corporation" });
    expect(found?.permissions).toEqual(["executes", "shell", "Bash(python:*)", "Read"]);
  });

  it("takes no owner from the card, and no attestation: anybody can write them", () => {
    expect(readCard(alone).card).not.toHaveProperty("owner");
    expect(JSON.stringify(readCard(alone))).not.toContain("reviewer.example");
    expect(JSON.stringify(readCard(alone))).not.toContain("did:web:example.com");
  });

  it("counts what the tool inferred as permissions", () => {
    const inferred = (capability: object) =>
      withFiles(alone, {
        "CARD.md": changed(capability),
        "permissions.yaml": undefined,
        "CARD.manifest.json": undefined,
      });
    const changed = (capability: object) => {
      const lines = Object.entries(capability).map(([key, value]) => `  ${key}: ${String(value)}\n`);
      return card
        .replace(/capability:\n(?: .*\n)+/, `capability:\n${lines.join("")}`)
        .replace(/"capability":\{.*?\}/, `"capability":${JSON.stringify(capability)}`);
    };
    const tools = ["Bash(python:*)", "Read"];
    const all = {
      model: "executable",
      source: "inferred",
      network: "present",
      shell: true,
      filesystem_writes: true,
    };
    expect(readCard(inferred(all)).faults).toEqual([]);
    expect(readCard(inferred(all)).card?.permissions).toEqual([
      "network",
      "shell",
      "filesystem:write",
      ...tools,
    ]);
    const none = { ...all, network: "none", shell: false, filesystem_writes: false };
    expect(readCard(inferred(none)).card?.permissions).toEqual(tools);
  });

  it("does not take another CARD.md for a card", () => {
    const { card: found, faults } = readCard(withFiles(alone, { "CARD.md": "# Card\n" }));
    expect([found, faults]).toEqual([undefined, []]);
  });

  it("finds fault with a card that cannot be read", () => {
    expect(faultsOf(withFiles(alone, { "CARD.md": card.replace("title: data", "title: Data") }))).toEqual([
      expect.stringMatching(/^CARD\.md : line 4 of the card says "title: Data-designer"/),
    ]);
  });
});

describe("conflicts of a trust card", () => {
  it.each<[string, Skill, RegExp]>([
    [
      "SKILL.md's name",
      withFiles(skill, {
        "SKILL.md": "---\nname: other\ndescription: d\n---\n",
        "CARD.manifest.json": undefined,
      }),
      /CARD\.md title: says "data-designer", but SKILL\.md says "other"/,
    ],
    [
      "SKILL.md's version",
      withFiles(skill, {
        "SKILL.md": "---\nname: data-designer\ndescription: d\nversion: 2.0.0\n---\n",
        "CARD.manifest.json": undefined,
      }),
      /CARD\.md target_version: says "1\.2\.0", but SKILL\.md says "2\.0\.0"/,
    ],
    ["the folder's name", carded({ title: "other" }), /CARD\.md name: "other" is not the folder's name/],
    [
      "permissions.yaml, which is gone",
      withFiles(skill, { "permissions.yaml": undefined, "CARD.manifest.json": undefined }),
      /CARD\.md capability: names permissions\.yaml, which is not there/,
    ],
    [
      "permissions.yaml, of which it does not know",
      withFiles(skill, inferredCard()),
      /CARD\.md capability: says that nothing is declared, but permissions\.yaml is there/,
    ],
    [
      "a file that was changed since",
      withFiles(skill, { "scripts/run.sh": "x" }),
      /CARD\.md target_digest: the card is about another "scripts\/run\.sh"/,
    ],
    [
      "its list",
      withFiles(skill, { "CARD.manifest.json": "[]" }),
      /CARD\.md target_digest: target_digest is not over the list/,
    ],
    [
      "a list that is none",
      withFiles(skill, { "CARD.manifest.json": "{}" }),
      /target_digest: .* is not a list/,
    ],
    [
      "the other card's version",
      withFiles(skill, {
        "skill-card.md": Buffer.from(skill.files.get("skill-card.md")!.bytes)
          .toString()
          .replace("1.2.0", "1.3.0"),
        "CARD.manifest.json": undefined,
      }),
      /CARD\.md version: says "1\.2\.0", but skill-card\.md says "1\.3\.0"/,
    ],
  ])("are faults: %s", (_what, of, fault) => {
    expect(faultsOf(of).join("\n")).toMatch(fault);
  });

  it("are none of what was added since", () => {
    expect(faultsOf(withFiles(skill, { "skill.oms.sig": "x" }))).toEqual([]);
  });
});

function inferredCard() {
  return {
    "CARD.manifest.json": undefined,
    "CARD.md": card
      .replace("  source: declared", "  source: inferred")
      .replace('"source":"declared"', '"source":"inferred"'),
  };
}
