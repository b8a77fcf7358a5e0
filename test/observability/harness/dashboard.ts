import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../cluster/harness/binaries.ts";

/** A panel as it stands in the file. */
export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
    readonly datasource: { readonly uid: string };
  }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
}

export interface DashboardJson {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly PanelJson[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
}

export const dashboard = JSON.parse(
  readFileSync(join(projectRoot, "charts/skill-admission/files/dashboards/skill-admission.json"), "utf8"),
) as DashboardJson;

/** Panels that ask something, with what they ask. */
export const panels = dashboard.panels
  .filter(({ type }) => type !== "row")
  .map(({ title, targets = [] }) => ({ title, exprs: targets.map(({ expr }) => expr) }));

/** What the variables list. */
export const variables = dashboard.templating.list.flatMap(({ definition }) => {
  const match = /^label_values\((\w+), (\w+)\)$/.exec(definition ?? "");
  return match === null ? [] : [{ metric: match[1] ?? "", label: match[2] ?? "" }];
});
