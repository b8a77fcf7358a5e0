import { basename, dirname, sep } from "node:path";

import { UsageError } from "../command-line.ts";

/** Commands that make objects of a folder, by the file that marks such a folder. */
const renderers: ReadonlyMap<string, (folder: string) => string> = new Map([
  ["Chart.yaml", (folder) => `helm template ${folder}`],
  ...["kustomization.yaml", "kustomization.yml", "Kustomization"].map(
    (name) => [name, (folder: string) => `kubectl kustomize ${folder}`] as const,
  ),
]);

/** Most commands that a message shows. */
const maxShown = 3;

/** Paths whose folders lie in no other one of them: a chart has charts of its own. */
function outermost(markers: readonly string[]): readonly string[] {
  const folders = markers.map((path) => `${dirname(path)}${sep}`);
  return markers.filter(
    (path) =>
      !folders.some(
        (folder) => `${dirname(path)}${sep}` !== folder && `${dirname(path)}${sep}`.startsWith(folder),
      ),
  );
}

/** Is a file the mark of a folder whose objects Helm or kustomize makes, such as `Chart.yaml`? */
export const marksRendered = (path: string): boolean => renderers.has(basename(path));

/**
 * Refuses folders of which Helm or kustomize makes the objects: their files are not what will be applied, and a verdict on
 * them would be about other objects.
 * @param markers paths of files that mark such a folder
 * @param path as it was named
 * @param call what reads standard input in its place: `apply -f -`
 * @throws UsageError where there are any
 */
export function refuseRendered(markers: readonly string[], path: string, call: string): void {
  const found = outermost(markers);
  const [first] = found;
  if (first === undefined) return;
  const commands = [...new Set(found.map((one) => renderers.get(basename(one))?.(dirname(one)) ?? ""))];
  const more = commands.length - maxShown;
  const isWhole = markers.some((marker) => marker === path || dirname(marker) === path.replace(/\/+$/, ""));
  throw new UsageError(
    `the files of ${path} are not what will be applied: ${basename(first) === "Chart.yaml" ? "Helm" : "kustomize"} makes that, by ${first}`,
    [
      "render it first:",
      ...commands.slice(0, maxShown).map((command) => `  ${command} | skill-admission ${call} …`),
      ...(more > 0 ? [`  and ${more} more`] : []),
      ...(isWhole ? [] : ["and name the plain manifests beside it by themselves"]),
    ].join("\n"),
  );
}
