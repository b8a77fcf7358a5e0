import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../cluster/harness/binaries.ts";
import { alertsFile, promtool, readAlerts, type AlertRule } from "./harness/prometheus.ts";

const unitFile = "test/observability/rules/alerts.test.yaml";

let alerts: readonly AlertRule[];
beforeAll(async () => {
  alerts = await readAlerts();
});

/** The anchor that a heading gets. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");

describe("the alert rules", () => {
  it("are rules to Prometheus", async () => {
    expect(await promtool("check", "rules", alertsFile)).toContain(`${alerts.length} rules found`);
  });

  it("fire and are silent as they should", async () => {
    expect(await promtool("test", "rules", unitFile)).toContain("SUCCESS");
  });

  it("are all tried, each where it fires and each where it does not", async () => {
    const tests = await readFile(join(projectRoot, unitFile), "utf8");
    for (const { alert, labels } of alerts) {
      const fires = `alertname="${alert}",alertstate="firing",severity="${labels["severity"]}"`;
      expect(tests, alert).toContain(`labels: 'ALERTS{${fires}`);
    }
    // Where all is well: nothing of ALERTS at all, at three times.
    expect(tests).toContain("{ expr: ALERTS, eval_time: 1h }");
  });

  it("have a severity, words, and a section of the runbook", async () => {
    const page = await readFile(join(projectRoot, "docs/operations.md"), "utf8");
    const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
    for (const { alert, labels, annotations } of alerts) {
      expect(["critical", "warning", "info"], alert).toContain(labels["severity"]);
      expect(annotations["summary"]?.length, alert).toBeGreaterThan(10);
      expect(annotations["summary"]?.length, alert).toBeLessThan(120);
      expect(annotations["description"]?.length, alert).toBeGreaterThan(30);
      expect(annotations["runbook_url"]).toBe(`docs/operations.md#${alert.toLowerCase()}`);
      expect(anchors.filter((anchor) => anchor === alert.toLowerCase())).toHaveLength(1);
    }
  });

  it("are each what a section of the runbook is about, and none is left over", async () => {
    const page = await readFile(join(projectRoot, "docs/operations.md"), "utf8");
    const sections = [...page.matchAll(/^### (SkillAdmission\w+)$/gm)].map(([, name]) => name);
    expect(sections.sort()).toEqual([...new Set(alerts.map(({ alert }) => alert))].sort());
    for (const name of page.match(/\bSkillAdmission[A-Z]\w+/g) ?? []) expect(sections).toContain(name);
  });
});

describe("promtool", () => {
  it("would find an expression that cannot be read", async () => {
    await expect(promtool("check", "rules", join(projectRoot, unitFile))).rejects.toThrow(/FAILED|error/);
  });
});
