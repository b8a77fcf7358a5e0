/**
 * Writes what is made from the schemas of the custom resources and from the reason codes: the CRDs, their reference
 * pages, and docs/reasons.md. With `--check` it writes nothing and fails where a file is not as it would be written.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { format, resolveConfig } from "prettier";
import { crdYaml, group } from "./generate/crd.ts";
import { reasonsPage } from "./generate/reasons.ts";
import { referencePage } from "./generate/reference.ts";
import { resources } from "./generate/resources.ts";

const root = join(import.meta.dirname, "..");

/** Every generated file by its path in the repository. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const config = await resolveConfig(join(root, "docs/reasons.md"));
  const markdown = (text: string): Promise<string> => format(text, { ...config, parser: "markdown" });
  return new Map([
    ...resources.map(
      (resource) => [`manifests/crds/${group}_${resource.plural}.yaml`, crdYaml(resource)] as const,
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

async function writeAll(files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

/** Paths whose file is missing or differs. */
async function stale(files: ReadonlyMap<string, string>): Promise<readonly string[]> {
  const checked = await Promise.all(
    [...files].map(async ([path, text]) => {
      const found = await readFile(join(root, path), "utf8").catch(() => undefined);
      return found === text ? [] : [path];
    }),
  );
  return checked.flat();
}

if (import.meta.main) {
  const files = await generatedFiles();
  if (process.argv.includes("--check")) {
    const paths = await stale(files);
    if (paths.length > 0) {
      console.error(`not as generated: ${paths.join(", ")}; run "npm run generate"`);
      process.exitCode = 1;
    }
  } else {
    await writeAll(files);
  }
}
