/**
 * Generates the files that derive from the schemas of the custom resources, the reason codes and the tables of skill
 * roots: CRDs, their reference pages, docs/reasons.md and docs/roots.md. With `--check` it writes nothing and fails if a file is outdated.
 */
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { group } from "../src/policy/resource/kinds.ts";
import { crdYaml } from "./generate/crd.ts";
import { allExamples, ExampleError, judgeExamples } from "./generate/examples.ts";
import { chart, root, writeOrCheck, type GeneratedFiles } from "./generate/files.ts";
import { reasonsPage } from "./generate/reasons.ts";
import { referencePage } from "./generate/reference.ts";
import { resources } from "./generate/resources.ts";
import { rootsPage } from "./generate/roots.ts";

/** All generated files by their path in the repository. */
export async function generatedFiles(): Promise<GeneratedFiles> {
  const config = await resolveConfig(join(root, "docs/reasons.md"));
  const examples = judgeExamples(await allExamples());
  const markdown = (text: string): Promise<string> => format(text, { ...config, parser: "markdown" });
  return new Map([
    // Once for kubectl, once for Helm, whose charts contain all that they install.
    ...["manifests/crds", `${chart}/files/crds`].flatMap((folder) =>
      resources.map((resource) => [`${folder}/${group}_${resource.plural}.yaml`, crdYaml(resource)] as const),
    ),
    ...(await Promise.all(
      resources.map(
        async (resource) =>
          [
            `docs/reference/${resource.kind.toLowerCase()}.md`,
            await markdown(referencePage(resource, examples[resource.kind])),
          ] as const,
      ),
    )),
    ["docs/reasons.md", await markdown(reasonsPage())],
    ["docs/roots.md", await markdown(rootsPage())],
  ]);
}

if (import.meta.main) {
  try {
    await writeOrCheck(await generatedFiles());
  } catch (error) {
    if (!(error instanceof ExampleError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
