import { describe, expect, it } from "vitest";

import { sarifReporter } from "../../../../src/cli/report/sarif.ts";
import { failing, finding, passing, sink } from "./items.ts";

interface Sarif {
  readonly version: string;
  readonly runs: readonly {
    readonly tool: {
      readonly driver: {
        readonly name: string;
        readonly version: string;
        readonly rules: readonly { readonly id: string; readonly help: { readonly text: string } }[];
      };
    };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly message: { readonly text: string };
      readonly locations: readonly {
        readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } };
      }[];
    }[];
  }[];
}

const render = (items: readonly (typeof passing)[]): Sarif => {
  const out = sink();
  const reporter = sarifReporter(out.write, "1.2.3");
  for (const item of items) reporter.item(item);
  reporter.end();
  return JSON.parse(out.text()) as Sarif;
};

describe("sarifReporter", () => {
  it("writes one run, a rule for each code once, and a result for each finding", () => {
    const sarif = render([passing, failing, failing]);
    expect(sarif.version).toBe("2.1.0");
    const [run] = sarif.runs;
    expect(run?.tool.driver).toMatchObject({ name: "skill-admission", version: "1.2.3" });
    expect(run?.tool.driver.rules.map(({ id }) => id)).toEqual(["DIGEST_MISMATCH", "FILE_UNSIGNED"]);
    expect(run?.results).toHaveLength(4);
    for (const result of run!.results) {
      expect(run!.tool.driver.rules[result.ruleIndex]?.id).toBe(result.ruleId);
      expect(result.level).toBe("error");
    }
    expect(run?.tool.driver.rules[0]?.help.text).not.toBe("");
    expect(run?.results[0]).toMatchObject({
      message: { text: "broken: scripts/run.sh: changed since it was signed" },
      properties: { signed: `sha256:${"3".repeat(64)}`, found: `sha256:${"9".repeat(64)}` },
    });
  });

  it("has a run with no results where all is well, which closes the alerts of an earlier one", () => {
    expect(render([passing]).runs).toMatchObject([{ results: [] }]);
  });

  it("names the object, its skill, its file and its line", () => {
    const found = finding({ skill: "demo", location: "deploy/pod.yaml" });
    const item = {
      ...failing,
      title: "Pod payments/etl",
      file: "deploy/pod.yaml",
      line: 7,
      findings: [found],
    };
    expect(render([item]).runs[0]?.results[0]).toMatchObject({
      message: { text: "Pod payments/etl, demo: scripts/run.sh: changed since it was signed" },
      locations: [
        {
          physicalLocation: { artifactLocation: { uri: "deploy/pod.yaml" }, region: { startLine: 7 } },
          logicalLocations: [{ fullyQualifiedName: "Pod payments/etl" }],
        },
      ],
    });
  });

  it("names no line of a file that is not the object's", () => {
    const sarif = render([{ ...failing, file: "skills/demo", line: 7 }]);
    expect(sarif.runs[0]?.results[0]?.locations[0]?.physicalLocation).not.toHaveProperty("region");
  });

  it("marks what is only tolerated as a warning", () => {
    const sarif = render([{ ...failing, findings: [finding({ tolerated: true })] }]);
    expect(sarif.runs[0]?.results[0]?.level).toBe("warning");
  });

  it.each([
    ["./skills/demo/a b#.md", "skills/demo/a%20b%23.md"],
    ["/abs/ä.md", "file:///abs/%C3%A4.md"],
    ["skills/%41?.md", "skills/%2541%3F.md"],
  ])("gives %s as a URI", (location, uri) => {
    const sarif = render([{ ...failing, findings: [finding({ location })] }]);
    expect(sarif.runs[0]?.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe(uri);
  });
});
