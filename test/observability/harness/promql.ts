/** Labels by the name of the series that have them, `le` left out. */
export type Exposed = ReadonlyMap<string, ReadonlySet<string>>;

/** Reads texts of `/metrics` together. */
export function parseExposition(texts: readonly string[]): Exposed {
  const found = new Map<string, Set<string>>();
  for (const line of texts.flatMap((text) => text.split("\n"))) {
    const match = /^([a-z_]\w*)(?:\{(.*)\})? \S+$/.exec(line);
    if (match === null) continue;
    const [, name = "", labels = ""] = match;
    const known = found.get(name) ?? new Set();
    for (const [, label = ""] of labels.matchAll(/([a-z_]\w*)="(?:[^"\\]|\\.)*"/g))
      if (label !== "le") known.add(label);
    found.set(name, known);
  }
  return found;
}

const withoutTexts = (expr: string): string => expr.replace(/"(?:[^"\\]|\\.)*"/g, '""');

/** Names of the metrics of an expression: those of ours, of the process, of Node and of the API server. */
export const metricsIn = (expr: string): readonly string[] => [
  ...new Set(withoutTexts(expr).match(/\b(?:skill_admission|process|nodejs|apiserver)_\w+/g)),
];

/** Labels that an expression selects or groups by, `le` left out. */
export function labelsIn(expr: string): readonly string[] {
  const text = withoutTexts(expr);
  const selected = [...text.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = ""]) => inside.split(","));
  const grouped = [
    ...text.matchAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g),
  ].flatMap(([, inside = ""]) => inside.split(","));
  const names = [...selected.map((one) => one.replace(/[=!~].*$/, "")), ...grouped].map((one) => one.trim());
  return [...new Set(names.filter((name) => name !== "" && name !== "le"))];
}
