import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCard } from "../../../src/card/read-card.ts";
import { skillOf } from "./skill-of.ts";

const yamlCard = `schema_version: "1.0"
name: demo
version: 1.10
author: Acme
license: Apache 2.0
intent: Shows how.
description: More words.
inputs: [{name: folder, type: path, constraint: exists}]
dependencies: [docker]
permissions: [filesystem:read]
risks:
  - {id: R1, description: It may guess., mitigation: Review it.}
limitations: [slow]
`;
const markdownCard =
  "## Description\nShows.\n## Owner\nAcme\n## License\nApache-2.0\n## Version\n1.10\n## Risks\nRisk: a\nMitigation: b\n";

const withYaml = (card: string) => readCard(skillOf({ "skill_card.yaml": card }));
const faultsOf = (card: string) =>
  withYaml(card).faults.map(({ path, field, detail }) => `${path} ${field ?? ""}: ${detail}`);

describe("readCard", () => {
  it("leaves the card absent where there is only frontmatter", () => {
    expect(readCard(skillOf({}))).toEqual({
      frontmatter: {
        path: "SKILL.md",
        name: "demo",
        description: "Shows how.",
        allowedTools: [],
        metadata: {},
      },
      faults: [],
    });
  });

  it("does not take a card that lies deeper, or has another name", () => {
    const { card, faults } = readCard(
      skillOf({ "docs/skill-card.md": markdownCard, "skill-card.yaml": yamlCard, "card.md": markdownCard }),
    );
    expect(card).toBeUndefined();
    expect(faults).toEqual([]);
  });

  it("gives a Markdown card the name of the frontmatter, and its tools as permissions", () => {
    const { card } = readCard(
      skillOf({
        "SKILL.md":
          "---\nname: demo\ndescription: d\nallowed-tools: Read Bash(git:*)\ntools: [Read, Shell]\n---\n",
        "skill-card.md": `${markdownCard}## Permissions\n- network:egress\n`,
      }),
    );
    expect(card?.name).toBe("demo");
    expect(card?.permissions).toEqual(["network:egress", "Read", "Bash(git:*)", "Shell"]);
  });

  it("reads skill_card.yaml", () => {
    expect(withYaml(yamlCard)).toMatchObject({
      card: {
        format: "skill_card.yaml",
        path: "skill_card.yaml",
        name: "demo",
        version: "1.10",
        description: "More words.",
        intent: "Shows how.",
        owner: "Acme",
        license: { raw: "Apache 2.0", spdx: "Apache-2.0" },
        risks: [{ id: "R1", text: "It may guess.", mitigation: "Review it." }],
        limitations: ["slow"],
        permissions: ["filesystem:read"],
        dependencies: ["docker"],
        references: [],
      },
      faults: [],
    });
  });

  it.each(["schema_version", "name", "version", "author", "license", "intent"])(
    "finds fault with skill_card.yaml when %s is missing or empty",
    (field) => {
      const line = new RegExp(`^${field}:.*$`, "m");
      expect(faultsOf(yamlCard.replace(line, ""))[0]).toContain(`skill_card.yaml ${field}: `);
      expect(faultsOf(yamlCard.replace(line, `${field}: ""`))[0]).toContain(
        `skill_card.yaml ${field}: is empty`,
      );
    },
  );

  it.each([
    ["no permissions", yamlCard.replace("[filesystem:read]", "[]"), "permissions: is empty"],
    ["permissions that are no list", yamlCard.replace("[filesystem:read]", "all"), "permissions: "],
    ["no risks", yamlCard.replace(/risks:\n.*\n/, "risks: []\n"), "risks: is empty"],
    ["a risk without mitigation", yamlCard.replace(", mitigation: Review it.", ""), "risks.0.mitigation: "],
    [
      "an empty mitigation",
      yamlCard.replace("mitigation: Review it.", "mitigation: ''"),
      "risks.0.mitigation: is empty",
    ],
    ["a key nobody knows", `${yamlCard}approved: yes\n`, "approved"],
    [
      "another name than the folder's",
      yamlCard.replace("name: demo", "name: other"),
      "is not the folder's name",
    ],
    ["a key that stands twice", `${yamlCard}name: demo\n`, "stands twice"],
    ["a list", "- a\n", "expected object"],
    ["an alias", yamlCard.replace("[docker]", "&a [docker]"), "line 9: the anchor &a"],
    ["nothing", "", "expected object"],
    ["a control character", `${yamlCard}# \u0007\n`, "control character"],
    [
      "more than a thousand risks",
      `${yamlCard.replace(/risks:\n.*\n/, "")}risks: [${"x,".repeat(1_001)}]\n`,
      "more than 1000",
    ],
  ])("finds fault with skill_card.yaml with %s", (_, card, fault) => {
    expect(faultsOf(card).join("\n")).toContain(fault);
  });

  it("counts entries that break the schema as risks without mitigation", () => {
    const card = yamlCard.replace(/risks:\n.*\n/, "risks:\n- words\n- {description: x, mitigations: y}\n");
    expect(withYaml(card).card?.risks).toEqual([{ text: "" }, { text: "x" }]);
  });

  it("prefers skill-card.md where both are there and agree", () => {
    const { card, faults } = readCard(
      skillOf({
        "SKILL.md": "---\nname: demo\ndescription: d\nallowed-tools: Read\n---\n",
        "skill-card.md": markdownCard,
        "skill_card.yaml": yamlCard,
      }),
    );
    expect(faults).toEqual([]);
    expect(card?.format).toBe("skill-card.md");
    expect(card?.risks).toEqual([
      { text: "a", mitigation: "b" },
      { id: "R1", text: "It may guess.", mitigation: "Review it." },
    ]);
    expect(card?.permissions).toEqual(["filesystem:read", "Read"]);
  });

  it.each([
    ["license", "license: MIT", /license: Apache 2.0/],
    ["owner", "author: Other", /author: Acme/],
    ["version", "version: 2", /version: 1.10/],
  ])("finds fault when both cards are there and disagree about the %s", (field, line, old) => {
    const { faults } = readCard(
      skillOf({ "skill-card.md": markdownCard, "skill_card.yaml": yamlCard.replace(old, line) }),
    );
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({ path: "skill_card.yaml", field });
    expect(faults[0]?.detail).toMatch(/make them agree \(skill-card.md counts\)/);
  });

  it("reads the other card where the preferred one cannot be read", () => {
    const { card, faults } = readCard(
      skillOf({ "skill-card.md": Uint8Array.of(0xff), "skill_card.yaml": yamlCard }),
    );
    expect(card?.format).toBe("skill_card.yaml");
    expect(faults).toEqual([{ path: "skill-card.md", detail: "not UTF-8" }]);
  });

  it("tolerates a byte order mark and CRLF line ends, but no control characters", () => {
    const tolerated = `\ufeff${markdownCard.replaceAll("\n", "\r\n")}`;
    const { card, faults } = readCard(skillOf({ "skill-card.md": tolerated }));
    expect(faults).toEqual([]);
    expect(card?.owner).toBe("Acme");
    for (const character of ["\r", "\0", "\u001b"]) {
      const found = readCard(skillOf({ "skill-card.md": `${markdownCard}${character}x` })).faults;
      expect(found).toEqual([{ path: "skill-card.md", detail: "contains a control character; remove it" }]);
    }
  });

  it.each(["skill-card.md", "skill_card.yaml", "SKILLCARD.yaml", "permissions.yaml"])(
    "does not read a %s of more than 64 KiB",
    (path) => {
      const faultsOf = (size: number) =>
        readCard(skillOf({ [path]: `#${" ".repeat(size - 1)}` })).faults.filter(
          (fault) => fault.path === path,
        );
      expect(faultsOf(65_537)).toEqual([{ path, detail: "longer than 65536 bytes; shorten it" }]);
      expect(JSON.stringify(faultsOf(65_536))).not.toContain("longer than");
    },
  );

  it("reads the frontmatter of a SKILL.md of up to 1 MiB", () => {
    const sized = (size: number) => {
      const start = "---\nname: demo\ndescription: d\n---\n";
      return readCard(skillOf({ "SKILL.md": start + "x".repeat(size - start.length) }));
    };
    expect(sized(1 << 20).frontmatter).toMatchObject({ name: "demo" });
    expect(sized((1 << 20) + 1).faults).toContainEqual({
      path: "SKILL.md",
      detail: "longer than 1048576 bytes; shorten it",
    });
  });

  it("keeps at most a hundred faults of a file, each of them short", () => {
    const many = `${yamlCard.replace(/risks:\n.*\n/, "")}risks: [${"{},".repeat(900)}]\n${"k".repeat(900)}: x\n`;
    const { faults } = withYaml(many);
    expect(faults).toHaveLength(100);
    expect(Math.max(...faults.map(({ detail }) => detail.length))).toBeLessThanOrEqual(300);
  });

  it("never throws, whatever the bytes, and gives back what JSON can hold", () => {
    const unit = fc.constantFrom(
      "name: ",
      "risks: ",
      "demo",
      "\n",
      "- ",
      "[",
      "]",
      "{",
      "}",
      "&a ",
      "*a ",
      '"',
      "|",
      ": ",
      "## Owner\n",
    );
    const content = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ unit, maxLength: 60 }));
    fc.assert(
      fc.property(content, content, content, (one, two, three) => {
        const evidence = readCard(
          skillOf({ "SKILL.md": one, "skill-card.md": two, "skill_card.yaml": three }),
        );
        expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence);
      }),
    );
  });
});
