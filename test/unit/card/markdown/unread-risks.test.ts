import { describe, expect, it } from "vitest";
import { FaultList } from "../../../../src/card/fault-list.ts";
import { readMarkdownCard } from "../../../../src/card/markdown/card.ts";

function read(text: string) {
  const faults = new FaultList("skill-card.md");
  const card = readMarkdownCard(text, faults);
  return { risks: card?.risks ?? [], faults: faults.all.map(({ detail }) => detail) };
}

/** Whether a policy with `mitigationPerRisk` has something to find. */
function isFound(text: string): boolean {
  const { risks, faults } = read(text);
  return faults.length > 0 || risks.some(({ mitigation = "" }) => mitigation === "");
}

const around = (text: string): string =>
  `## Description\nSums up.\n\n## Owner\nAcme\n\n${text}\n\n## Version\n1.0\n`;

const headings = [
  "## Risk 1: Deletes production data",
  "## Risk: Deletes production data",
  "## Risk Matrix",
  "## Risk Profile",
  "## Risk Overview",
  "## Overall Risk Picture",
  "## High-Risk Behaviors",
  "## Risky behaviors",
  "## Risks_and_mitigations",
  "## RisksAndMitigations",
  "## R&#105;sks",
  "## R&#x69;sks",
  "## R&iacute;sks",
  "## &Rscr;isks",
  "## Ri\u200bsks",
  "## Ri&shy;sks",
  "## Ri<!-- -->sks",
  "## R**i**sks",
  "## R<b>i</b>sks",
  "## Rіskѕ",
  "## Ｒｉｓｋｓ",
  "## 𝐑𝐢𝐬𝐤𝐬",
  "## [Risks](#risks)",
  `## Description${" ".repeat(200)}and Risks`,
  "##Risks",
  "    ## Risks",
  "> ## Security Risks",
  "- ## Security Risks",
  "```x```\n## Security Risks",
  "Security Risks\n====",
  "Security Risks\n---",
  "Security Risks <br>\n====",
  "All the\nSecurity Risks that\nwe know\n====",
  "> Overview of risk\n> ===",
  "<h2>Security Risks</h2>",
  "<h2>Risk Register</h2>",
  "<H4 class=x><em>Risk</em> Register</H4>",
  "<div>Acme</div><h2>Security Risks</h2>",
  "<h2>\nSecurity Risks\n</h2>",
  "<details><summary>Risk Overview</summary>",
  "**Security risks**",
  "**Risk Overview**",
  "__Security risks:__",
  "<b>Risk Overview</b>",
  "<center><strong>Risk Overview</strong></center>",
  "- **Risks**",
  "1. **Risk overview**",
  "* **Risk overview**",
  "⚠️ **Risk overview**",
  "*Security risks*",
  "SECURITY RISKS",
] as const;

const labels = [
  "Risk:",
  "RISK:",
  "Risks:",
  "- Risk:",
  "> **Risk:**",
  "Risk 1:",
  "Risk (data loss):",
  "Risk of data loss:",
  "Security Risk:",
  "Data-loss risk:",
  "High-risk operation:",
  "Risk –",
  "Risk 2 —",
  "Risk -",
  "Risk →",
  "Risk 1.",
  "Risk&#58;",
  "Risk\\:",
  "Risk：",
  "R**i**sk:",
  "**Risk** ",
  "- **Data loss risk** ",
  "Risk level:",
  "Unmitigated risk:",
  "Risk (no mitigation):",
  "Acme. Risk:",
  "Acme <br class=x>Risk:",
  "<p>Acme</p><p>Risk:",
  "Acme\rRisk:",
  "Acme\r\rRisk:",
  "`Risk:`",
  "<dt>Risk</dt><dd>",
] as const;

describe("readMarkdownCard, of risks in forms that it may not understand", () => {
  it.each(headings)("finds prose below %j", (heading) => {
    expect(isFound(around(`${heading}\nThe script may remove every row.`))).toBe(true);
  });

  it.each(headings)("finds prose below %j behind a risk with its mitigation", (heading) => {
    const known = "## Known Risks\nRisk: a\nMitigation: b\n\n";
    expect(isFound(around(`${known}${heading}\nThe script may remove every row.`))).toBe(true);
  });

  it.each(labels)("finds a line behind %j in a section of another kind", (label) => {
    expect(isFound(around(`${label} The script may remove every row.`))).toBe(true);
  });

  it.each(labels.filter((label) => label !== "Risk level:"))(
    "finds a risk behind %j behind a mitigation",
    (label) => {
      const text = around(
        `## Known Risks\nRisk: a\nMitigation: b\n${label} The script may remove every row.`,
      );
      expect(
        read(text)
          .risks.concat({ text: "" })
          .some(({ mitigation = "" }) => mitigation === ""),
      ).toBe(true);
      expect(isFound(text)).toBe(true);
      expect(read(text).risks[0]?.mitigation).not.toContain("every row");
    },
  );

  it.each([
    ["of three columns", "| Risk | Likelihood | Mitigation |\n|---|---|---|\n| rows go | low | |"],
    ["with the risks last", "| Action | Security risk |\n|---|---|\n| run | rows go |"],
    ["of fields", "| Field | Value |\n|---|---|\n| Risk | rows go |"],
    ["of labels", "| Field |\n|---|\n| Risk: rows go |"],
    ["without bars at its start", "Action | Risk\n--- | ---\nrun | rows go"],
    ["in HTML", "<table><tr><th>Risk</th><th>Mitigation</th></tr><tr><td>rows go</td></tr></table>"],
  ])("finds a table %s", (_, table) => {
    expect(isFound(around(table))).toBe(true);
  });

  it("finds a heading that says the risk by itself", () => {
    expect(isFound(around("## Known Risks\nRisk: a\nMitigation: b\n### The script may remove rows"))).toBe(
      true,
    );
    expect(isFound(around("## Risk 1: the script may remove rows"))).toBe(true);
  });

  it("keeps a mitigation clear of the bold heading right below it", () => {
    const text = around(
      "## Known Risks\nRisk: a\nMitigation: b\n**Risk 2: c**\nMitigation: d\n**Privacy risks**\nRows go.",
    );
    expect(read(text).risks).toEqual([
      { text: "a", mitigation: "b" },
      { id: "2", text: "c", mitigation: "d" },
    ]);
    expect(read(text).faults).toEqual([expect.stringContaining('below the heading "**Privacy risks**"')]);
  });

  it("names the line and the remedy", () => {
    expect(read(around("Security Risks\n===\nRows go.")).faults).toEqual([
      'the line "Security Risks" begins no section of risks, though it looks like one, or like a risk; write the heading "## Known Risks and Mitigations" above the risks',
    ]);
  });

  it.each([
    ["a disclaimer", "## Use Case\nUse it at your own risk.\n\n**Use at your own risk.**"],
    ["prose about risks", "## Use Case\nIt reviews contracts for risks, and\nrisk. It never signs them."],
    ["a list about risks", "## Use Case\n- finds risks in contracts\n- risks"],
    ["a rating", "Risk Tier: low\n- **Risk level:** Medium\nRisk score: 23/100 (LOW)\nRisk: low"],
    ["a rating in bold", "**Risk tier: low**\n\n**Risk Level**\nLow"],
    ["a table with a rating", "| Field | Value |\n|---|---|\n| Risk tier | low |\n| Risk | Low |"],
    ["a column of ratings", "| Command | Risk |\n|---|---|\n| ls | low |\n| rm | High |"],
    ["a section with a rating", "## Risk Level\n**Medium**"],
    ["frontmatter-like fields", "risk_tier: low\n---"],
    ["none known", "## Known Risks and Mitigations\nNone known."],
    ["no known risks", "## Security Risks\n- No known risks"],
    ["no text", "## Risk Profile\n"],
    ["a rule below a pair", "## Known Risks\nRisk: a\nMitigation: b\n---"],
    ["a residual rating", "## Known Risks\nRisk: a\nMitigation: b\nResidual risk level: low"],
    [
      "groups in bold",
      "## Known Risks\n**Privacy risks**\nRisk: a\nMitigation: b\n**Risks of use**\nRisk: c. Mitigation: d",
    ],
    [
      "headings of their own",
      "## Risk 1: Floods\nMitigation: Dry it.\n## Risk 2: Fire\n**Mitigation** – Put it out.",
    ],
    ["a matrix", "## Risk Matrix\n| Risk | Impact | Mitigation |\n|---|---|---|\n| a | high | b |"],
    [
      "unusual labels",
      "## Known Risks\nSecurity Risk: a\nRisk mitigation: b\nRisk (data loss): c\nMitigation – d",
    ],
  ])("takes no offence at %s", (_, text) => {
    const { risks, faults } = read(around(text));
    expect(faults).toEqual([]);
    expect(risks.filter(({ mitigation = "" }) => mitigation === "")).toEqual([]);
  });

  it("takes a skill's own title for no risks", () => {
    expect(read("# Risk Assessment Helper\nReads.\n## Owner\nAcme")).toEqual({ risks: [], faults: [] });
    expect(isFound("# Security Risks\nRows go.\n## Owner\nAcme")).toBe(true);
    expect(isFound("# Risk Assessment Helper\nRisk: rows go.\n## Owner\nAcme")).toBe(true);
  });

  it.each([
    ["entities", "&#105;"],
    ["ampersands", "&"],
    ["escapes", "\\*"],
    ["bold marks", "**a"],
    ["bold lines", "**a**\n"],
    ["blanks behind a stop", `x.${" ".repeat(1 << 16)}`],
    ["tags", "<b "],
    ["blocks", "<p>"],
    ["quotes", "> "],
    ["underlines", "a\n=\n"],
    ["long underlines", "a\n=========\n"],
    ["half a link", "]("],
    ["labels", "Risk – "],
    ["risks on one line", "x. Risk: "],
    ["words", "risk "],
    ["bars", "a | "],
    ["hashes in lists", "- # "],
  ])("gets through a megabyte of %s before the test's time limit", (_, unit) => {
    const text = unit.repeat(Math.ceil((1 << 20) / unit.length));
    expect(read(`## Owner\n${text}\n## Known Risks\n${text}`).risks.length).toBeLessThanOrEqual(1_000);
  });
});
