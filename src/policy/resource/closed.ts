import { z } from "zod";
import { ancestorsOf } from "../../workload/pod/container-path.ts";
import { absoluteAgentRoots } from "../../workload/roots/moved-roots.ts";
import { asSet, celRule } from "./schema/constraints.ts";
import { labelSelector } from "./schema/label-selector.ts";

const roots = absoluteAgentRoots.map(({ path }) => path);
const prefixes = [...new Set(roots.flatMap(ancestorsOf))].filter(
  (path) => !path.includes("/.") && path !== "/",
);

/** The same pattern for RE2 and in this process, without a backslash. */
const literal = (path: string): string => path.replaceAll(".", "[.]");

/** Homes, folders above an agent's root, and roots: by name, or by the agents' table. */
const rootOrAbove = `^(/root|/home(/[^/]+)?|${prefixes.map(literal).join("|")})$|/skills?(/|$)|^(${roots
  .filter((path) => !/\/skills?(\/|$)/.test(path))
  .map(literal)
  .join("|")})(/|$)`;

const isRootOrAbove = new RegExp(rootOrAbove);

/** Printable ASCII, without empty components, and without dot folders, which agents look into, but `.cache`. */
const folder = "^(/([ --0-~][ -.0-~]*|[.]cache))+$";

const isFolder = new RegExp(folder);

const dataFolder = celRule(
  celRule(z.string().max(256), {
    rule: `self.matches('${folder}')`,
    message:
      "is no folder for data: write it from / (/data), in ASCII, with no empty parts, no dot folders but .cache, and no slash at the end",
    namesValue: true,
    check: (path) => isFolder.test(path),
  }),
  {
    rule: `!self.matches('${rootOrAbove}')`,
    message:
      "is a skill root or a home, or lies above one, where a mount could bring in skills: name a folder elsewhere, such as /data",
    namesValue: true,
    check: (path) => !isRootOrAbove.test(path),
  },
);

/** The section `closed` of a policy. */
export const closedSection = z.strictObject({
  podSelector: labelSelector.describe(
    "Pods that are closed, by their labels; `{}`: all that the policy governs.",
  ),
  data: asSet(z.array(dataFolder).max(32))
    .default([])
    .describe(
      "Folders at and below which anything may be mounted, such as `/data`: no skill roots, homes, or folders above them, in the pod's own containers either. Left out: none.",
    ),
});

/** A `data` folder that lies at, above or below an absolute skill root of the same policy. */
export const dataApartFromRoots = {
  rule: "!has(self.closed) || !has(self.skillRoots) || !has(self.closed.data) || self.closed.data.all(folder, self.skillRoots.all(root, root != folder && !root.startsWith(folder + '/') && !folder.startsWith(root + '/')))",
  message: "a folder of closed.data lies at, above or below one of skillRoots; name another folder",
  check: ({
    closed,
    skillRoots = [],
  }: {
    readonly closed?: { readonly data: readonly string[] };
    readonly skillRoots?: readonly string[];
  }): boolean =>
    (closed?.data ?? []).every((folder) =>
      skillRoots.every(
        (root) => root !== folder && !root.startsWith(`${folder}/`) && !folder.startsWith(`${root}/`),
      ),
    ),
};
