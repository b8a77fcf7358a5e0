import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { parseAllDocuments, stringify } from "yaml";
import { toolPath } from "../../test/cluster/harness/binaries.ts";

const run = promisify(execFile);

/** An object of a rendered chart, with the labels and annotations that Helm sets. */
interface Rendered {
  readonly kind: string;
  readonly metadata: { labels?: Record<string, string>; annotations?: Record<string, string> };
}

const header = '# Rendered from charts/skill-admission by "npm run generate"; changes here are lost.\n';

/** Removes Helm's labels and annotations: they claim that Helm manages the object. */
function withoutHelm(object: Rendered): Rendered {
  const { labels, annotations } = object.metadata;
  if (labels !== undefined) {
    delete labels["helm.sh/chart"];
    delete labels["app.kubernetes.io/managed-by"];
    delete labels["app.kubernetes.io/instance"];
  }
  for (const key of Object.keys(annotations ?? {})) {
    if (key.startsWith("helm.sh/")) delete annotations?.[key];
  }
  if (annotations !== undefined && Object.keys(annotations).length === 0) delete object.metadata.annotations;
  return object;
}

/**
 * Renders the chart with its default values.
 * @param args more arguments of `helm template`
 * @throws Error with Helm's output
 */
export async function renderChart(chart: string, args: readonly string[]): Promise<readonly Rendered[]> {
  const { stdout } = await run(
    await toolPath("helm"),
    ["template", "skill-admission", chart, "--namespace", "skill-admission", ...args],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null)
    .map(withoutHelm);
}

/** YAML file of several objects. */
export const manifestText = (objects: readonly Rendered[]): string =>
  header +
  objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join("---\n");
