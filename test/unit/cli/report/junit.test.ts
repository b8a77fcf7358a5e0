import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { junitReporter } from "../../../../src/cli/report/junit.ts";
import { failing, finding, passing, sink } from "./items.ts";

/** Checks that a text is well-formed XML of elements and text, and returns its elements' names in order. */
function elements(xml: string): readonly string[] {
  const open: string[] = [];
  const names: string[] = [];
  const rest = xml
    .replace(/^<\?xml[^?]*\?>/, "")
    .replace(/<(\/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>/g, (...match: readonly string[]) => {
      const [, end, name = "", , empty] = match;
      if (end === "/") expect(open.pop()).toBe(name);
      else names.push(name);
      if (end === "" && empty === "") open.push(name);
      return "";
    });
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]/);
  expect(xml).not.toMatch(/&(?!(?:amp|lt|gt|quot|#\d+);)/);
  expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
  return names;
}

const render = (items: readonly (typeof passing)[]) => {
  const out = sink();
  const reporter = junitReporter(out.write, "skill-admission verify");
  for (const item of items) reporter.item(item);
  reporter.end();
  return out.text();
};

describe("junitReporter", () => {
  it("makes a test case of each item, and a failure of each refusal", () => {
    const text = render([
      passing,
      failing,
      { ...passing, outcome: "unevaluated" },
      { ...failing, outcome: "warn" },
    ]);
    expect(elements(text)).toEqual([
      "testsuites",
      "testsuite",
      "testcase",
      "testcase",
      "failure",
      "testcase",
      "error",
      "testcase",
      "system-out",
    ]);
    expect(text).toContain('tests="4" failures="1" errors="1" skipped="0"');
    expect(text).toContain('<failure message="DIGEST_MISMATCH, FILE_UNSIGNED" type="DIGEST_MISMATCH">');
    expect(text).toContain("signed 33333333…, found 99999999…");
    expect(text).toContain("fix: mount the published files again</failure>");
  });

  it("says why an item was not judged, and which findings are tolerated", () => {
    const message = "the labels of namespace payments are not known";
    const location = "pod.yaml";
    const findings = [{ code: "SOURCE_UNAVAILABLE", message, tolerated: false, location }] as const;
    expect(render([{ ...passing, outcome: "unevaluated", findings }])).toContain(
      `<error message="SOURCE_UNAVAILABLE ${message}" type="SOURCE_UNAVAILABLE">`,
    );
    expect(render([{ ...passing, outcome: "unevaluated" }])).toContain('message="nobody to trust was named"');
    expect(render([{ ...failing, outcome: "warn", findings: [finding({ tolerated: true })] }])).toContain(
      " (tolerated)",
    );
    expect(render([failing])).not.toContain("tolerated");
  });

  it("names the file and the line of an object, and the folder of a skill", () => {
    const text = render([{ ...failing, file: "deploy/a & b.yaml", line: 7 }, passing]);
    expect(text).toContain(
      '<testcase name="broken" classname="skill-admission verify" file="deploy/a &amp; b.yaml" line="7">',
    );
    expect(text).toContain('name="demo" classname="skill-admission verify" file="skills/demo"/>');
  });

  it("shows what a policy in Audit finds in what passes", () => {
    const text = render([{ ...failing, outcome: "allow", findings: [finding({ tolerated: true })] }]);
    expect(elements(text)).toEqual(["testsuites", "testsuite", "testcase", "system-out"]);
    expect(text).toContain(
      "DIGEST_MISMATCH scripts/run.sh: signed 33333333…, found 99999999… (tolerated)\nfix: ",
    );
    expect(text).toContain('failures="0" errors="0"');
  });

  it("stays well-formed whatever names and messages hold", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (title, message) => {
        elements(
          render([{ ...failing, title, remedy: message, findings: [finding({ path: title, message })] }]),
        );
      }),
    );
  });
});
