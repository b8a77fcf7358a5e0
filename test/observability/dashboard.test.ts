import { describe, expect, it } from "vitest";
import { dashboardJson, type Panel } from "../../scripts/generate/dashboard.ts";
import { dashboard, panels, type PanelJson } from "./harness/dashboard.ts";

const shown = dashboard.panels.filter(({ type }) => type !== "row");

const overlap = (a: PanelJson["gridPos"], b: PanelJson["gridPos"]): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

describe("the dashboard", () => {
  it("says what Grafana needs to import it", () => {
    expect(dashboard.uid).toMatch(/^[\w-]{1,40}$/);
    expect(dashboard.schemaVersion).toBe(39);
    // The id is the importing Grafana's to give.
    expect(dashboard).not.toHaveProperty("id");
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(["datasource", "namespace", "tenant"]);
  });

  it("gives every panel an id of its own and a place of its own, within 24 columns", () => {
    const { panels: all } = dashboard;
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    for (const [index, { gridPos, title }] of all.entries()) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (const other of all.slice(index + 1))
        expect(overlap(gridPos, other.gridPos), `${title} and ${other.title}`).toBe(false);
    }
  });

  it("says of every panel what it shows, in which unit", () => {
    expect(new Set(shown.map(({ title }) => title)).size).toBe(shown.length);
    for (const { title, description, fieldConfig } of shown) {
      expect(description?.length, title).toBeGreaterThan(20);
      expect(["s", "bytes", "reqps", "percentunit", "short"], title).toContain(fieldConfig?.defaults.unit);
    }
  });

  it("asks the data source that was chosen, for the namespaces that were chosen", () => {
    const source = "${datasource}";
    for (const { title, datasource, targets = [] } of shown) {
      expect(datasource?.uid, title).toBe(source);
      expect(targets.length, title).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
      for (const target of targets) {
        expect(target.datasource.uid).toBe(source);
        expect(target.expr, title).toContain('namespace=~"$namespace"');
      }
    }
  });

  it("shows tenants only of what has tenants, and always when it is about them", () => {
    for (const { title, exprs } of panels) {
      for (const expr of exprs) {
        const has = /skill_admission_(?:policy_results|violations)_total/.test(expr);
        expect(expr.includes('tenant=~"$tenant"'), title).toBe(has);
      }
    }
  });
});

describe("dashboardJson", () => {
  const panel = (title: string, width: number, height: number): Panel => ({
    title,
    description: "A panel of a test.",
    type: "timeseries",
    unit: "s",
    width,
    height,
    queries: [{ expr: "up", legend: "{{job}}" }],
  });
  const places = (...made: readonly Panel[]) =>
    (dashboardJson([{ title: "row", panels: made }])["panels"] as readonly PanelJson[]).map(
      ({ title, gridPos: { x, y, w, h } }) => [title, x, y, w, h],
    );

  it("begins a new line where a panel does not fit, below the highest of the line before", () => {
    expect(places(panel("a", 12, 4), panel("b", 8, 9), panel("c", 6, 3), panel("d", 18, 3))).toEqual([
      ["row", 0, 0, 24, 1],
      ["a", 0, 1, 12, 4],
      ["b", 12, 1, 8, 9],
      ["c", 0, 10, 6, 3],
      ["d", 6, 10, 18, 3],
    ]);
  });
});
