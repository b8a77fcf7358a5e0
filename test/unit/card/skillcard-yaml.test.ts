import { describe, expect, it } from "vitest";
import { readCard } from "../../../src/card/read-card.ts";
import { skillOf } from "./skill-of.ts";

const card = `schema_version: "1"
identity:
  name: "demo"
  artifact_id: "demo"
  kind: "library"
  version: "TBD-at-sign-time"
  signed_by: "TBD-at-sign-time"
description: "Shows how."
source:
  repo: "acme/skills"
  license: "Apache 2.0 AND CC-BY-4.0"
quality:
  baseline: {verdict: "PASS", blocker_findings: 0}
`;
const read = (text: string, more: Readonly<Record<string, string>> = {}) =>
  readCard(skillOf({ "SKILLCARD.yaml": text, ...more }));
const faultsOf = (text: string) =>
  read(text).faults.map(({ path, field, detail }) => `${path} ${field ?? ""}: ${detail}`);

describe("readCard, of SKILLCARD.yaml", () => {
  it("reads what the model keeps; what is left for the signer is absent", () => {
    expect(read(card)).toMatchObject({ faults: [] });
    expect(read(card).card).toEqual({
      format: "SKILLCARD.yaml",
      path: "SKILLCARD.yaml",
      name: "demo",
      description: "Shows how.",
      license: { raw: "Apache 2.0 AND CC-BY-4.0", spdx: "Apache-2.0 AND CC-BY-4.0" },
      risks: [],
      limitations: [],
      permissions: [],
      dependencies: [],
      references: [],
    });
    expect(read(card.replace("TBD-at-sign-time", "1.10")).card?.version).toBe("1.10");
  });

  it.each<[string, string, RegExp]>([
    ["another schema", card.replace('"1"', '"2"'), /schema_version: /],
    ["no identity", card.replace("identity:", "id:"), /identity: /],
    ["no name", card.replace('name: "demo"', 'name: ""'), /identity\.name: is empty/],
    ["a licence that is a list", card.replace(/license: .*/, "license: [MIT]"), /source\.license: /],
    [
      "another name than the folder's",
      card.replace('name: "demo"', 'name: "other"'),
      /name: "other" is not the folder's/,
    ],
    ["a key that stands twice", `${card}description: x\n`, /stands twice/],
    ["an alias", card.replace('"Shows how."', "&a x"), /anchor/],
    ["a list", "- a\n", /expected object/],
  ])("finds fault with %s", (_what, text, fault) => {
    expect(faultsOf(text).join("\n")).toMatch(fault);
  });

  it("stands behind skill-card.md and skill_card.yaml, and has to agree with them", () => {
    const markdown = (license: string, version = "1.0.0") => ({
      "skill-card.md": `## Owner\nAcme\n## License\n${license}\n## Version\n${version}\n`,
    });
    // The order of an expression's licences says nothing.
    const agreeing = read(card, markdown("CC-BY-4.0 AND Apache-2.0"));
    expect(agreeing).toMatchObject({ card: { format: "skill-card.md" }, faults: [] });
    expect(read(card, markdown("Apache-2.0")).faults).toMatchObject([
      { path: "SKILLCARD.yaml", field: "license" },
    ]);
    expect(read(card, markdown("CC-BY-4.0 OR Apache-2.0")).faults).toMatchObject([{ field: "license" }]);
    const versioned = card.replace("TBD-at-sign-time", "2.0.0");
    expect(read(versioned, markdown("CC-BY-4.0 AND Apache-2.0")).faults).toMatchObject([
      { path: "SKILLCARD.yaml", field: "version" },
    ]);
  });
});
