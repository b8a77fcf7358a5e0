/**
 * Writes what the chart takes from elsewhere (CRDs, trust root, dashboards), its table of values, and the manifests that are
 * rendered from it. With `--check` it writes nothing and fails where a file is not as it would be written.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { parse, parseAllDocuments } from "yaml";
import { group } from "../src/policy/resource/kinds.ts";
import { crdYaml } from "./generate/crd.ts";
import { root, writeOrCheck, type GeneratedFiles } from "./generate/files.ts";
import { manifestText, renderChart } from "./generate/manifests.ts";
import { resources } from "./generate/resources.ts";
import { valuesTable, type ValueSchema } from "./generate/values-table.ts";

const chart = "charts/skill-admission";
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

async function dashboards(): Promise<readonly (readonly [string, string])[]> {
  const names = (await readdir(join(root, "dashboards")).catch(() => [])).filter((name) =>
    name.endsWith(".json"),
  );
  return Promise.all(
    names.map(
      async (name) => [`${chart}/files/dashboards/${name}`, await read(`dashboards/${name}`)] as const,
    ),
  );
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

/** What lies in the chart's folder. */
async function chartFiles(): Promise<GeneratedFiles> {
  return new Map([
    ...resources.map(
      (resource) => [`${chart}/files/crds/${group}_${resource.plural}.yaml`, crdYaml(resource)] as const,
    ),
    ...(await dashboards()),
    [`${chart}/files/nvidia-agent.pem`, await catalogueRoot()],
    [`${chart}/README.md`, await readme()],
  ]);
}

/** What is rendered from the chart as it lies on disk. */
async function manifests(): Promise<GeneratedFiles> {
  const folder = join(root, chart);
  const objects = await renderChart(folder, ["--no-hooks"]);
  const isCrd = ({ kind }: { readonly kind: string }): boolean => kind === "CustomResourceDefinition";
  const starter = ["--set=starterPolicy.enabled=true", "--show-only=templates/starter-policy.yaml"];
  const unregister = ["--show-only=templates/unregister.yaml"];
  return new Map([
    ["manifests/base/crds.yaml", manifestText(objects.filter(isCrd))],
    ["manifests/base/skill-admission.yaml", manifestText(objects.filter((object) => !isCrd(object)))],
    ["manifests/starter-policy/starter-policy.yaml", manifestText(await renderChart(folder, starter))],
    ["manifests/unregister/unregister.yaml", manifestText(await renderChart(folder, unregister))],
  ]);
}

await writeOrCheck(await chartFiles());
await writeOrCheck(await manifests());
