/**
 * Generates the trust root that the chart takes from the examples, its table of values, and the manifests that are
 * rendered from it. With `--check` it writes nothing and fails if a file is outdated.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { parse, parseAllDocuments } from "yaml";
import { chart, root, writeOrCheck, type GeneratedFiles } from "./generate/files.ts";
import { manifestText, renderChart } from "./generate/manifests.ts";
import { valuesTable, type ValueSchema } from "./generate/values-table.ts";

const read = (path: string): Promise<string> => readFile(join(root, path), "utf8");

interface TrustRoot {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly certificates?: readonly { readonly pem: string }[] };
}

/** The root of the public catalogue, from the examples. */
async function catalogueRoot(): Promise<string> {
  const documents = parseAllDocuments(await read("examples/policies/trust-roots.yaml"));
  const found = documents
    .map((document) => document.toJS() as TrustRoot)
    .find(({ metadata }) => metadata.name === "nvidia-agent");
  const pem = found?.spec.certificates?.[0]?.pem;
  if (pem === undefined) throw new Error("examples/policies/trust-roots.yaml has no root named nvidia-agent");
  return pem;
}

async function readme(): Promise<string> {
  const path = `${chart}/README.md`;
  const schema = JSON.parse(await read(`${chart}/values.schema.json`)) as ValueSchema;
  const table = valuesTable(schema, parse(await read(`${chart}/values.yaml`)));
  const [begin, end] = ["<!-- values -->", "<!-- /values -->"];
  const text = await read(path);
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path}: "${begin}" and "${end}" are missing`);
  const config = await resolveConfig(join(root, path));
  const whole = `${text.slice(0, from)}${begin}\n\n${table}\n\n${text.slice(to)}`;
  return format(whole, { ...config, parser: "markdown" });
}

/** Generated files in the chart's folder. */
async function chartFiles(): Promise<GeneratedFiles> {
  return new Map([
    [`${chart}/files/nvidia-agent.pem`, await catalogueRoot()],
    [`${chart}/README.md`, await readme()],
  ]);
}

/** Manifests rendered from the chart on disk. */
async function manifests(): Promise<GeneratedFiles> {
  const folder = join(root, chart);
  // The base takes the CRDs from manifests/crds.
  const base = await renderChart(folder, ["--no-hooks", "--set=crds.install=false"]);
  const starter = ["--set=starterPolicy.enabled=true", "--show-only=templates/starter-policy.yaml"];
  const unregister = ["--show-only=templates/unregister.yaml"];
  return new Map([
    ["manifests/base/skill-admission.yaml", manifestText(base)],
    ["manifests/starter-policy/starter-policy.yaml", manifestText(await renderChart(folder, starter))],
    ["manifests/unregister/unregister.yaml", manifestText(await renderChart(folder, unregister))],
  ]);
}

await writeOrCheck(await chartFiles());
await writeOrCheck(await manifests());
