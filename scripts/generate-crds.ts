/**
 * Writes what is made from the schemas of the custom resources and from the reason codes: the CRDs, their reference
 * pages, and docs/reasons.md. With `--check` it writes nothing and fails where a file is not as it would be written.
 */
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { group } from "../src/policy/resource/kinds.ts";
import { crdYaml } from "./generate/crd.ts";
import { chart, root, writeOrCheck, type GeneratedFiles } from "./generate/files.ts";
import { reasonsPage } from "./generate/reasons.ts";
import { referencePage } from "./generate/reference.ts";
import { resources } from "./generate/resources.ts";

/** Every generated file by its path in the repository. */
export async function generatedFiles(): Promise<GeneratedFiles> {
  const config = await resolveConfig(join(root, "docs/reasons.md"));
  const markdown = (text: string): Promise<string> => format(text, { ...config, parser: "markdown" });
  return new Map([
    // For kubectl, and for Helm, whose charts hold whatever they install.
    ...["manifests/crds", `${chart}/files/crds`].flatMap((folder) =>
      resources.map((resource) => [`${folder}/${group}_${resource.plural}.yaml`, crdYaml(resource)] as const),
    ),
    ...(await Promise.all(
      resources.map(
        async (resource) =>
          [
            `docs/reference/${resource.kind.toLowerCase()}.md`,
            await markdown(referencePage(resource)),
          ] as const,
      ),
    )),
    ["docs/reasons.md", await markdown(reasonsPage())],
  ]);
}

if (import.meta.main) await writeOrCheck(await generatedFiles());
