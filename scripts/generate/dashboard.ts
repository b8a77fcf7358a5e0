/** Turns rows of panels into the JSON that Grafana imports. The rows: dashboard-rows.ts. */

/** One query of a panel, PromQL. */
export interface Query {
  readonly expr: string;
  /** Name of the series, with `{{label}}`. */
  readonly legend: string;
}

export type PanelType = "stat" | "timeseries" | "heatmap" | "table" | "bargauge" | "state-timeline";

/** A colour for values from a threshold up; the first has none. */
export type Threshold = readonly [colour: string, from: number | null];

/** One panel. `width` of 24 columns, `height` in rows of 30 pixels. */
export interface Panel {
  readonly title: string;
  /** Meaning of the panel, and what to do when it looks wrong. */
  readonly description: string;
  readonly type: PanelType;
  /** Grafana's name of the unit: `s`, `bytes`, `reqps`, `percentunit`, `short`. */
  readonly unit: string;
  readonly width: number;
  readonly height: number;
  readonly queries: readonly Query[];
  readonly thresholds?: readonly Threshold[];
  /** Texts shown instead of values. */
  readonly words?: Readonly<Record<string, { readonly text: string; readonly color: string }>>;
  readonly stacked?: boolean;
  readonly min?: number;
  readonly max?: number;
  /** Labels that a table hides. */
  readonly hidden?: readonly string[];
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

type Json = Readonly<Record<string, unknown>>;

const columns = 24;
const datasource = { type: "prometheus", uid: "${datasource}" };

/** Panels of the present state, without history. */
const instant = (type: PanelType): boolean => type === "stat" || type === "table" || type === "bargauge";

const targetsOf = ({ queries, type }: Panel): readonly Json[] =>
  queries.map(({ expr, legend }, index) => ({
    refId: String.fromCharCode(65 + index),
    datasource,
    editorMode: "code",
    expr,
    legendFormat: legend,
    ...(type === "heatmap" ? { format: "heatmap" } : {}),
    ...(type === "table" ? { format: "table" } : {}),
    instant: instant(type),
    range: !instant(type),
  }));

function defaultsOf({ type, unit, thresholds, words, stacked, min, max }: Panel): Json {
  const steps = (thresholds ?? [["green", null]]).map(([color, value]) => ({ color, value }));
  return {
    unit,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    color: { mode: thresholds === undefined && type === "timeseries" ? "palette-classic" : "thresholds" },
    thresholds: { mode: "absolute", steps },
    ...(words === undefined ? {} : { mappings: [{ type: "value", options: words }] }),
    ...(type === "timeseries"
      ? {
          custom: {
            drawStyle: "line",
            lineWidth: 1,
            fillOpacity: stacked === true ? 30 : 0,
            showPoints: "never",
            spanNulls: false,
            stacking: { mode: stacked === true ? "normal" : "none", group: "A" },
            thresholdsStyle: { mode: thresholds === undefined ? "off" : "line" },
          },
        }
      : {}),
  };
}

const reduce = { calcs: ["lastNotNull"], fields: "", values: false };

const optionsOf: Readonly<Record<PanelType, Json>> = {
  stat: { reduceOptions: reduce, colorMode: "background", graphMode: "none", textMode: "auto" },
  timeseries: {
    legend: { displayMode: "table", placement: "bottom", showLegend: true, calcs: ["lastNotNull", "max"] },
    tooltip: { mode: "multi", sort: "desc" },
  },
  heatmap: {
    calculate: false,
    cellGap: 1,
    color: { mode: "scheme", scheme: "Oranges", steps: 64, exponent: 0.5 },
    yAxis: { unit: "s" },
    legend: { show: true },
    tooltip: { mode: "single" },
  },
  table: { showHeader: true, cellHeight: "sm" },
  bargauge: { reduceOptions: reduce, orientation: "horizontal", displayMode: "lcd", valueMode: "color" },
  "state-timeline": { mergeValues: true, showValue: "never", legend: { showLegend: false } },
};

const hideColumns = (hidden: readonly string[]): Json => ({
  transformations: [
    {
      id: "organize",
      options: {
        excludeByName: Object.fromEntries(["Time", "Value", ...hidden].map((name) => [name, true])),
      },
    },
  ],
});

interface Place {
  readonly id: number;
  readonly x: number;
  readonly y: number;
}

const panelJson = (panel: Panel, { id, x, y }: Place): Json => ({
  id,
  type: panel.type,
  title: panel.title,
  description: panel.description,
  datasource,
  gridPos: { h: panel.height, w: panel.width, x, y },
  targets: targetsOf(panel),
  fieldConfig: { defaults: defaultsOf(panel), overrides: [] },
  options: optionsOf[panel.type],
  ...(panel.hidden === undefined ? {} : hideColumns(panel.hidden)),
});

/** Places panels side by side, in lines of 24 columns; each line is as high as its highest panel. */
function layOut(rows: readonly Row[]): readonly Json[] {
  const panels: Json[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title: row.title,
      collapsed: false,
      gridPos: { h: 1, w: columns, x: 0, y },
      panels: [],
    });
    y += 1;
    let [x, height] = [0, 0];
    for (const panel of row.panels) {
      if (x + panel.width > columns) [x, y, height] = [0, y + height, 0];
      panels.push(panelJson(panel, { id: panels.length + 1, x, y }));
      x += panel.width;
      height = Math.max(height, panel.height);
    }
    y += height;
  }
  return panels;
}

const labelVariable = (name: string, label: string, metric: string): Json => ({
  name,
  label,
  type: "query",
  datasource,
  definition: `label_values(${metric}, ${name})`,
  query: { query: `label_values(${metric}, ${name})`, refId: "StandardVariableQuery" },
  refresh: 2,
  sort: 1,
  multi: true,
  includeAll: true,
  // A list of all values would hide targets without the label.
  allValue: ".*",
  current: { selected: true, text: ["All"], value: ["$__all"] },
});

/** The dashboard as Grafana 10 and later import it (schema 39; older ones are migrated by Grafana). */
export const dashboardJson = (rows: readonly Row[]): Json => ({
  uid: "skill-admission",
  title: "Skill Admission",
  description: "Decisions, their reasons, latency, trust and the health of the webhook.",
  tags: ["kubernetes", "admission", "security"],
  schemaVersion: 39,
  version: 1,
  editable: true,
  graphTooltip: 1,
  refresh: "30s",
  time: { from: "now-6h", to: "now" },
  timezone: "browser",
  templating: {
    list: [
      { name: "datasource", label: "Data source", type: "datasource", query: "prometheus", current: {} },
      labelVariable("namespace", "Namespace of the controller", "skill_admission_build_info"),
      labelVariable("tenant", "Tenant", "skill_admission_policy_results_total"),
    ],
  },
  annotations: { list: [] },
  links: [],
  panels: layOut(rows),
});
