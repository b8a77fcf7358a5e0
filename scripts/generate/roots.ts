import type { Agent } from "../../src/workload/roots/agent.ts";
import { agents, kagent } from "../../src/workload/roots/agents.ts";
import { harmlessKubeletFolders, hostRuntimeFolders } from "../../src/workload/roots/host-runtime.ts";
import { movingVariables, type MovingVariable } from "../../src/workload/roots/moving-variables.ts";
import { agentFolderRootNames, dotFolderRootNames, rootNames } from "../../src/workload/roots/rule.ts";

const code = (text: string): string => `\`${text}\``;
const listed = (texts: Iterable<string>): string => [...texts].map(code).join(", ");
const link = (source: string): string => `[source](${source})`;
const byName = (one: { readonly name: string }, other: { readonly name: string }): number =>
  one.name.localeCompare(other.name, "en");

const agentRow = ({ name, folders = [], roots = [], source }: Agent): string =>
  `| ${name} | ${listed(folders)} | ${listed(roots)} | ${link(source)} |`;

function variableRow({ name, agent, standsFor, separator, source }: MovingVariable): string {
  const stands = { home: "the home", root: "a root itself" };
  const words = standsFor === "home" || standsFor === "root" ? stands[standsFor] : code(standsFor);
  const several = separator === undefined ? "" : `, several with ${code(separator)} between them`;
  return `| ${code(name)} | ${agent} | ${words}${several} | ${link(source)} |`;
}

const onlyAgentFolders = [...agentFolderRootNames].filter(
  (name) => !rootNames.has(name) && !dotFolderRootNames.has(name),
);

/** The page of skill roots, as Markdown. */
export const rootsPage = (): string =>
  [
    "<!-- Generated from src/workload/roots by `npm run generate`; changes here are lost. -->",
    "",
    "# Skill roots",
    "",
    "A skill root is a folder from which agents load instructions: every child of one is a skill, whatever its name. Roots follow from a rule, a table of agents,",
    "variables, and `skillRoots` of policies. [places.md](places.md) says what is made of them. A new agent is an entry in `src/workload/roots/agents.ts`, with the page that says",
    "where it looks.",
    "",
    "## Rule",
    "",
    `- Every folder named ${listed(rootNames)}, wherever it lies.`,
    `- ${listed(dotFolderRootNames)} directly below a folder whose name begins with exactly one dot: ${code("~/.acme/commands")} is a root, ${code("..data/commands")} is none.`,
    `- These names, and ${listed(onlyAgentFolders)}, directly below a folder of the table.`,
    "",
    "## Agents",
    "",
    "A folder counts in every home, project or other folder; names of the rule directly below it are roots. `*` ends a name. A folder is above a root, and so is every folder on",
    "the way to it: `.config` on the way to `.config/goose`. An absolute root counts in every container.",
    "",
    "| agent | folders | other roots | said by |",
    "|---|---|---|---|",
    ...[...agents].sort(byName).map(agentRow),
    "",
    `${code(kagent.root)} is a root in [kagent](${kagent.source})'s own containers only: those whose image's name has a part ${[...kagent.imageFolders].map(code).join(" or ")}, or that set a variable that begins with ${code(kagent.variablePrefix)}.`,
    "",
    "## Variables",
    "",
    "These variables of a container move roots. A value stands for the folder named here, with all that the table says of it.",
    "",
    "| variable | agent | stands for | said by |",
    "|---|---|---|---|",
    ...[...movingVariables].sort(byName).map(variableRow),
    "",
    "## Host paths of the runtime",
    "",
    "A host path at, below or above one of these reaches the files of other pods (`unverifiable.hostRuntime`). `/var/run` counts as `/run`. Sockets and device records of the",
    `kubelet do not count: ${listed(harmlessKubeletFolders)}.`,
    "",
    "| folder of the node | of | said by |",
    "|---|---|---|",
    ...hostRuntimeFolders.map(({ path, of, source }) => `| ${code(path)} | ${of} | ${link(source)} |`),
    "",
  ].join("\n");
