import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readVettAnalysis } from "../../../src/card/vett-analysis.ts";
import { analysis } from "../../fixtures/vett-skill.ts";
import { skillOf } from "./skill-of.ts";

const path = "vett.analysis.json";
const read = (content: unknown) =>
  readVettAnalysis(
    skillOf({
      [path]:
        typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content),
    }),
  );
const malformed = (words: string) => ({
  outcome: "malformed",
  path,
  detail: expect.stringContaining(words) as string,
});
const flag = (over: object = {}) => ({ type: "data_exfil", evidence: "x", severity: "low", ...over });

describe("readVettAnalysis", () => {
  it("reads risk, verdict, permissions, findings and summary", () => {
    expect(read(analysis)).toEqual({
      outcome: "read",
      report: {
        tool: "vett",
        path,
        risk: "low",
        verdict: "verified",
        maxFinding: "low",
        permissions: ["filesystem:./out"],
        findings: [
          { rule: "shell_execution", text: "scripts/run.sh", severity: "low", confidence: "confirmed" },
        ],
        summary: "Runs one script on a schema.",
      },
    });
  });

  it("is nothing, where there is no analysis at the root", () => {
    expect(readVettAnalysis(skillOf({}))).toBeUndefined();
    expect(readVettAnalysis(skillOf({ [`a/${path}`]: JSON.stringify(analysis) }))).toBeUndefined();
  });

  it.each([
    ["none", "verified"],
    ["low", "verified"],
    ["medium", "review"],
    ["high", "caution"],
    ["critical", "blocked"],
  ])("gives the risk %s the verdict %s", (risk, verdict) => {
    expect(read({ ...analysis, risk })).toMatchObject({ report: { risk, verdict } });
  });

  it("tells the gravest finding, whatever the risk says", () => {
    const flags = [flag({ severity: "medium" }), flag({ severity: "critical" }), flag()];
    expect(read({ ...analysis, risk: "none", flags })).toMatchObject({
      report: { risk: "none", maxFinding: "critical" },
    });
    expect(read({ ...analysis, flags: [] })).not.toHaveProperty("report.maxFinding");
  });

  it("names permissions by their kind, and takes kinds of findings that it does not know", () => {
    const permissions = { filesystem: ["~/.ssh"], network: ["api.example.com"], env: ["TOKEN"] };
    expect(read({ ...analysis, permissions, flags: [flag({ type: "prompt_injection" })] })).toMatchObject({
      report: {
        permissions: ["filesystem:~/.ssh", "network:api.example.com", "env:TOKEN"],
        findings: [{ rule: "prompt_injection" }],
      },
    });
  });

  it.each<[string, unknown, string]>([
    ["is no JSON", "risk: none", "not JSON"],
    ["is not UTF-8", new Uint8Array([0x7b, 0xff]), "not UTF-8"],
    ["is a list", [analysis], ""],
    ["is too long", new Uint8Array(262_145), "longer than 262144 bytes"],
    ["has a key twice", JSON.stringify(analysis).replace("{", '{"risk":"critical",'), "same key twice"],
    ["is of another version", { ...analysis, v: 2 }, "v: "],
    ["has no risk, as what was not scanned", { ...analysis, risk: null }, "risk: "],
    ["has an unknown risk", { ...analysis, risk: "LOW" }, "risk: "],
    ["has no permissions", { ...analysis, permissions: undefined }, "permissions: "],
    ["has permissions by half", { ...analysis, permissions: { network: [] } }, "permissions.filesystem: "],
    ["has an unknown severity", { ...analysis, flags: [flag({ severity: "info" })] }, "flags.0.severity: "],
    ["has an unknown confidence", { ...analysis, flags: [flag({ confidence: 1 })] }, "flags.0.confidence: "],
    ["has an unknown field", { ...analysis, verdict: "verified" }, "verdict"],
    ["has findings without end", { ...analysis, flags: Array(1001).fill(flag()) }, "flags: "],
  ])("says why it cannot be read, when it %s", (_what, content, words) => {
    expect(read(content)).toMatchObject(malformed(words));
  });

  it("never throws", () => {
    const hostile = fc.oneof(
      fc.uint8Array(),
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify({ ...analysis, flags: value })),
    );
    fc.assert(
      fc.property(hostile, (content) => {
        expect(["read", "malformed"]).toContain(read(content)?.outcome);
      }),
    );
  });
});
