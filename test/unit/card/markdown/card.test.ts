import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FaultList } from "../../../../src/card/fault-list.ts";
import { readMarkdownCard } from "../../../../src/card/markdown/card.ts";

function read(text: string) {
  const faults = new FaultList("skill-card.md");
  const card = readMarkdownCard(text, faults);
  return {
    card,
    faults: faults.all.map(({ field, detail }) => (field === undefined ? detail : `${field}: ${detail}`)),
  };
}

const generated = `## Description: <br>
Runs the pipeline on a folder. <br>

This skill is ready for commercial/non-commercial use. <br>

## Owner
Acme <br>

### License/Terms of Use: <br>
Apache 2.0 AND CC-BY-4.0 <br>
## Use Case: <br>
Developers who run pipelines. <br>

### Deployment Geography for Use: <br>
Global <br>

## Requirements / Dependencies: <br>
**Requires API Key or External Credential:** [Yes] <br>
**Credential Type(s):** [API key] <br>
- Docker 24 <br>

## Known Risks and Mitigations: <br>
Risk: It may guess. <br>
Mitigation: Review it. <br>

## Reference(s): <br>
- [Guide](references/guide.md) <br>
- [A (b)](https://example.com/a_(b)) <br>
- https://example.com/bare <br>
- only words <br>

## Skill Output: <br>
**Output Type(s):** [Files] <br>

## Skill Version(s): <br>
1.2.0 (source: frontmatter) <br>

## Ethical Considerations: <br>
### A heading inside
Use it at your own risk. It reviews risk, security and privacy.
`;

describe("readMarkdownCard", () => {
  it("reads what the catalogue's generator writes", () => {
    expect(read(generated)).toEqual({
      faults: [],
      card: {
        format: "skill-card.md",
        path: "skill-card.md",
        description: "Runs the pipeline on a folder.",
        posture: "commercial",
        owner: "Acme",
        license: { raw: "Apache 2.0 AND CC-BY-4.0", spdx: "Apache-2.0 AND CC-BY-4.0" },
        useCase: "Developers who run pipelines.",
        geography: "Global",
        credentials: "yes",
        version: "1.2.0",
        risks: [{ text: "It may guess.", mitigation: "Review it." }],
        limitations: [],
        permissions: [],
        dependencies: ["Docker 24"],
        references: [
          { label: "Guide", url: "references/guide.md" },
          { label: "A (b)", url: "https://example.com/a_(b)" },
          { url: "https://example.com/bare" },
        ],
      },
    });
  });

  it("reads what people write: a title, no <br>, no colons, other words", () => {
    const { card, faults } = read(
      [
        "# Skill Card\n\n## description\nFirst line\nsecond line. This skill is for research and development only.",
        "## Third-Party Community Consideration\nNot ours; see Acme.\n## License\n[Apache 2.0](LICENSE)",
        "## Known Technical Limitations\n- slow\n* fragile\n## Permissions\n1. Bash(git:*)\n2) network:egress",
        "## Compatible Agents\nany\n## Release Management\nmonthly\n## Version\n- **2.0**",
        "## Requirements\nRequires API Key or External Credential: Not Specified",
      ].join("\n"),
    );
    expect(faults).toEqual([]);
    expect(card).toMatchObject({
      description: "First line second line.",
      posture: "research",
      owner: "Not ours; see Acme.",
      license: { raw: "Apache 2.0", spdx: "Apache-2.0" },
      limitations: ["slow", "fragile"],
      permissions: ["Bash(git:*)", "network:egress"],
      version: "2.0",
      credentials: "unspecified",
      risks: [],
    });
    expect(card?.geography).toBeUndefined();
  });

  it("tells an empty section from one that is missing", () => {
    const { card, faults } = read("## Description\n\n## Owner\n## Version\n## License\n");
    expect(card).toMatchObject({ description: "", owner: "", version: "", license: { raw: "" } });
    expect(card).not.toHaveProperty("useCase");
    expect(faults).toEqual([]);
  });

  it.each([
    ["a VERIFY comment", "## Owner\nAcme <!-- VERIFY: is it? -->", /VERIFY comment/],
    ["a red span", '## Owner\n<span style="color:red">Acme</span>', /marked red/],
    ["a red font", "## Owner\n<FONT color=#FF0000>Acme</font>", /marked red/],
    ["a comment that never ends", "## Owner\nAcme\n<!-- ", /never closed/],
    ["a section that stands twice", "## Owner\nAcme\n## Owner:\nOther", /owner: .*repeats/],
    [
      "two owners in two words",
      "## Owner\nAcme\n## Third-Party Community Consideration\nOther",
      /owner: .*repeats/,
    ],
    [
      "two postures",
      "## Description\nThis skill is ready for commercial use. This skill is for demonstration purposes.",
      /posture/,
    ],
    ["risks that cannot be read", "## Known Risks\nThere may be some.", /no line "Risk: …"/],
    [
      "a table without bars at the start",
      "## Risks & Mitigations\nRisk: a\nMitigation: b\n\nRisk | Mitigation\n--- | ---\nc |",
      /without a bar/,
    ],
    ["a mitigation without risk", "## Known Risks\nMitigation: none\nRisk: a", /before any risk/],
    [
      "a word for credentials",
      "## Requirements\n**Requires API Key or External Credential:** [Perhaps]",
      /credentials: write Yes/,
    ],
    ["a text without any section", "Hello\n# Title\n", /no section of a skill card/],
    ["a description of 20,000 characters", `## Description\n${"d".repeat(20_000)}`, /longer than 16384/],
    [
      "a reference of 3,000 characters",
      `## References\n- [a](${"u".repeat(3_000)})`,
      /references: an entry is longer/,
    ],
  ])("finds fault with %s", (_, text, fault) => {
    const { faults } = read(text);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
  });

  it("keeps to the first of two sections, but to the risks of both", () => {
    const { card } = read("## Owner\nAcme\n## Owner\nOther\n## Risks\nRisk: a\n## Known Risks\nRisk: b");
    expect(card?.owner).toBe("Acme");
    expect(card?.risks).toEqual([{ text: "a" }, { text: "b" }]);
  });

  it.each<readonly [string, string, readonly object[]]>([
    ["lines", "Risk: a\nMitigation: b", [{ text: "a", mitigation: "b" }]],
    ["bold items", "- **Risk:** a\n- **Mitigation:** b", [{ text: "a", mitigation: "b" }]],
    ["bold before the colon", "* **Risk**: a\n* **Mitigation**: b", [{ text: "a", mitigation: "b" }]],
    [
      "numbers",
      "1. Risk 1: a\n   Mitigation: b\n2. Risk 2: c",
      [
        { id: "1", text: "a", mitigation: "b" },
        { id: "2", text: "c" },
      ],
    ],
    ["ids", "Risk (R1): a\nMitigation (R1): b", [{ id: "R1", text: "a", mitigation: "b" }]],
    ["one line", "Risk: a. Mitigation: b.", [{ text: "a.", mitigation: "b." }]],
    ["one line with a break", "Risk: a <br> Mitigation: b", [{ text: "a", mitigation: "b" }]],
    ["continued lines", "Risk: a\nmore\nMitigation: b\nmore b", [{ text: "a more", mitigation: "b more b" }]],
    ...[
      "*Risk:*",
      "_Risk_:",
      "> Risk:",
      "> **Risk:**",
      "<b>Risk:</b>",
      "- [ ] Risk:",
      "• Risk:",
      "⚠️ Risk:",
      "`Risk:`",
      "Known risk:",
    ].map((label): [string, string, readonly object[]] => [
      `${label} b`,
      `Risk: a\nMitigation: m\n${label} b`,
      [{ text: "a", mitigation: "m" }, { text: "b" }],
    ]),
    ["an empty mitigation", "Risk: a\nMitigation:", [{ text: "a", mitigation: "" }]],
    ["no mitigation", "Risk: a", [{ text: "a" }]],
    [
      "headings between",
      "### First\nRisk: a\nMitigation: b\n### Second\nRisk: c",
      [{ text: "a", mitigation: "b" }, { text: "c" }],
    ],
    [
      "a table",
      "| Risk | Mitigation |\n|---|:--|\n| a | b |\n| c | |",
      [
        { text: "a", mitigation: "b" },
        { text: "c", mitigation: "" },
      ],
    ],
    ["a table without mitigations", "| Risk |\n|---|\n| a |", [{ text: "a", mitigation: "" }]],
  ])("reads risks from %s", (_, text, risks) => {
    const { card, faults } = read(`## Known Risks and Mitigations:\n${text}\n## Owner\nAcme`);
    expect(faults).toEqual([]);
    expect(card?.risks).toEqual(risks);
    expect(card?.owner).toBe("Acme");
  });

  it.each([
    "## Risks & Mitigations",
    "## Risk / Mitigation",
    "## Risks + mitigations:",
    "### **Known Risk(s) and Mitigation(s)** <br>",
    "# Risks & Mitigations",
    "## 7. Risks",
    "## ⚠️ Risks and Mitigations",
    "## 风险与缓解 (Risks & Mitigations)",
    "## Limitations and Risks",
    "## Privacy And Operational Risks",
    "## Risks and how to avoid them",
    "## Risk Assessment",
    "## Security Risk",
    "## Mitigations",
    "## Ethical Considerations\n### Risks & Safety",
  ])("takes %s for the risk section", (heading) => {
    const around = (text: string) => read(`## Owner\nAcme\n${heading}\n${text}\n## Version\n1.0`);
    const table = around("| Risk | Mitigation |\n| --- | --- |\n| floods | |\n| leaks | Dry it. |");
    expect(table.faults).toEqual([]);
    expect(table.card).toMatchObject({
      owner: "Acme",
      version: "1.0",
      risks: [
        { text: "floods", mitigation: "" },
        { text: "leaks", mitigation: "Dry it." },
      ],
    });
    const prose = around("It floods the cellar.");
    expect(prose.faults).toEqual([expect.stringMatching(/^risks: no line "Risk: …" could be read; write/)]);
    expect(prose.card?.risks).toEqual([]);
  });

  it.each([
    ["a risk level", "## Owner\nAcme\n## Risk Level\nLow"],
    ["limitations", "## Owner\nAcme\n## Known Limitations\n- slow"],
    ["a skill named after risks", "# Third-Party Risks Reviewer\nReads contracts.\n## Owner\nAcme"],
    [
      "a sentence about risks",
      "## Owner\nAcme\n## Use Case\nKnown risks and mitigations are listed.\n- risks",
    ],
    ["a heading without text", "## Owner\nAcme\n## Risks & Mitigations\n"],
  ])("does not take %s for risks", (_, text) => {
    const { card, faults } = read(text);
    expect(faults).toEqual([]);
    expect(card).toMatchObject({ owner: "Acme", risks: [] });
  });

  it("reads the risks of a skill named after risks", () => {
    const { card, faults } = read(
      "# Risks Reviewer\nReads.\n## Risks & Mitigations\nRisk: a\n## Owner\nAcme",
    );
    expect(faults).toEqual([]);
    expect(card?.risks).toEqual([{ text: "a" }]);
  });

  it("reads every section about risks, and faults the one that it does not understand", () => {
    const { card, faults } = read(
      "## Known Risks\nRisk: a\nMitigation: b\n## Privacy Risks\nRisk: c\n## Risks to others\nIt may flood.",
    );
    expect(card?.risks).toEqual([{ text: "a", mitigation: "b" }, { text: "c" }]);
    expect(faults).toEqual([expect.stringMatching(/^risks: no line "Risk: …"/)]);
  });

  it.each([
    ["in bold", "## Owner\nAcme\n\n**Known Risks and Mitigations:**\n\nIt floods."],
    ["underlined", "Risks & Mitigations\n---\nIt floods.\n## Owner\nAcme"],
    ["over a table", "## Owner\nAcme\n## Safety\n| Risk | Mitigation |\n|---|---|\n| floods | |"],
    ["in HTML", "## Owner\nAcme\n<h2>Risks</h2>\n<p>It floods.</p>"],
  ])("finds fault with a heading of risks %s", (_, text) => {
    expect(read(text).faults).toEqual([expect.stringMatching(/^risks: the line ".*" begins no section/)]);
  });

  it.each([
    ["a table of other columns", "| 风险 | 缓解 |\n| --- | --- |\n| a | b |", /^risks: no line "Risk: …"/],
    ["a table without rows", "| Risk | Mitigation |\n| --- | --- |", /^risks: no line "Risk: …"/],
    ["headings alone", "### Prompt injection\n### Floods", /^risks: no line "Risk: …"/],
    ["headings with text", "### Prompt injection\nIt happens.", /^risks: no line "Risk: …"/],
    [
      "a second table",
      "Risk: a\nMitigation: b\n\n| Hazard | Fix |\n|---|---|\n| c | |",
      /a table among the risks/,
    ],
    [
      "a part without a risk",
      "### One\nRisk: a\nMitigation: b\n### Two\nIt may flood.",
      /no risk could be read below the heading "Two"/,
    ],
  ])("finds fault with %s among the risks", (_, text, fault) => {
    expect(read(`## Known Risks and Mitigations\n${text}\n## Owner\nAcme`).faults).toEqual([
      expect.stringMatching(fault),
    ]);
  });

  it.each([
    [
      "headings",
      "### Risk 1: Floods\nthe cellar\n**Mitigation**: Dry it.\n### Risk 2: Fire",
      [
        { id: "1", text: "Floods the cellar", mitigation: "Dry it." },
        { id: "2", text: "Fire" },
      ],
    ],
    [
      "bare headings",
      "### Risk\nfloods\n### Mitigation\nDry it.",
      [{ text: "floods", mitigation: "Dry it." }],
    ],
    [
      "headings that the text repeats",
      "### Risk 1: Floods\nRisk: floods\nMitigation: b",
      [{ text: "floods", mitigation: "b" }],
    ],
    [
      "headings that are no mitigation of the risk above",
      "### One\nRisk: a\nMitigation:\n### Two\nRisk: b",
      [{ text: "a", mitigation: "" }, { text: "b" }],
    ],
    [
      "inner sections about risks",
      "### Operational risks\nRisk: a\n### Mitigations\nMitigation: b",
      [{ text: "a", mitigation: "b" }],
    ],
    [
      "a table and lines",
      "| Risk | Mitigation |\n|---|---|\n| a | b |\n\nRisk: c",
      [{ text: "a", mitigation: "b" }, { text: "c" }],
    ],
    [
      "two tables",
      "| Risk | Mitigation |\n|---|---|\n| a | b |\n\n| Mitigation | Risk |\n|---|---|\n| | c |",
      [
        { text: "a", mitigation: "b" },
        { text: "c", mitigation: "" },
      ],
    ],
    [
      "cells with bars",
      "| Risk | Mitigation |\n|---|---|\n| a \\| b | |",
      [{ text: "a | b", mitigation: "" }],
    ],
    [
      "cells with breaks",
      "| Risk | Mitigation |\n|---|---|\n| a<br>b | c |",
      [{ text: "a b", mitigation: "c" }],
    ],
    ["wide colons", "Risk：a\nMitigation：b", [{ text: "a", mitigation: "b" }]],
  ])("reads risks in %s", (_, text, risks) => {
    const { card, faults } = read(`## Known Risks and Mitigations\n${text}\n## Owner\nAcme`);
    expect(faults).toEqual([]);
    expect(card?.risks).toEqual(risks);
  });

  it("sees neither comments nor headings inside code", () => {
    const { card } = read(
      "<!--\n## Owner\nHidden\n-->\n## Use Case\n```\n## License\nMIT\n```\n    ## Version\n    1.0\n",
    );
    expect(card).not.toHaveProperty("owner");
    expect(read("<!-->\n## Owner\nAcme\n<!-- -->\n").card?.owner).toBe("Acme");
    expect(card).not.toHaveProperty("license");
    expect(card).not.toHaveProperty("version");
  });

  it.each([
    ["risks", `## Known Risks\n${"Risk: a\n".repeat(131_072)}`],
    ["risks and mitigations on one line", `## Known Risks\n${"Risk: a Mitigation: b ".repeat(50_000)}`],
    ["line breaks", `## Owner\n${"<br>".repeat(262_144)}x`],
    ["open breaks", `## Owner\n${"<br ".repeat(262_144)}x`],
    ["hashes", `## ${"#".repeat(1 << 20)}x\n## Owner\n`],
    ["headings", "## Owner\n".repeat(116_000)],
    ["comments", `## Owner\n${"<!--".repeat(262_144)}`],
    ["closed comments", `## Owner\n${"<!---->".repeat(149_000)}`],
    ["spans", `## Owner\n${"<span r".repeat(149_000)}`],
    ["brackets", `## References\n- ${"[](".repeat(349_000)}`],
    ["links", `## References\n${"- [a](b)\n".repeat(116_000)}`],
    ["bars", `## Known Risks\n|Risk|Mitigation|\n${"|".repeat(1 << 20)}`],
    ["table rows", `## Known Risks\n|Risk|Mitigation|\n${"|-|\n".repeat(262_144)}`],
    ["sections about risks", "## Risks of use\nx\n".repeat(58_000)],
    ["headings among the risks", `## Known Risks\n${"### Risk 1: a\n".repeat(75_000)}`],
    ["delimiter rows", `## Known Risks\n${"|Risk|\n|-|\n".repeat(87_000)}`],
    ["escaped bars", `## Known Risks\n|Risk|\n|-|\n|${"\\|".repeat(1 << 19)}`],
    ["blanks", `## Owner\nx${" ".repeat(1 << 20)}y`],
    ["blanks in a heading", `## Owner${" ".repeat(1 << 20)}y`],
    ["postures", `## Description\n${"This skill is ready for ".repeat(43_000)}`],
    ["fences", `## Owner\n${"```\n".repeat(262_144)}`],
  ])("gets through a megabyte of %s before the test's time limit", (_, text) => {
    const { card } = read(text);
    expect(card?.risks.length ?? 0).toBeLessThanOrEqual(1_000);
    expect(JSON.stringify(card ?? {}).length).toBeLessThan(3 << 20);
  });

  it("never throws, and reads a card or finds fault", () => {
    const unit = fc.constantFrom(
      "## Owner",
      "## Risks & Mitigations",
      "# ",
      "\n",
      "<br>",
      "Risk:",
      "Mitigation:",
      "|",
      "- ",
      "[a](b)",
      "<!--",
      "-->",
      "```",
      "x",
      "**",
      ": ",
    );
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit, maxLength: 60 })), (text) => {
        const { card, faults } = read(text);
        expect(card !== undefined || faults.length > 0).toBe(true);
      }),
    );
  });
});
