/** Folders that are roots wherever they lie. */
export const rootNames: ReadonlySet<string> = new Set(["skills", "skill"]);

/** Roots directly below a dot folder. */
export const dotFolderRootNames: ReadonlySet<string> = new Set([
  "commands",
  "agents",
  "microagents",
  "prompts",
  "rules",
]);

/** Every name of a root directly below a folder of the agents' table: `plugins` of other programs bring no skills. */
export const agentFolderRootNames: ReadonlySet<string> = new Set([
  ...rootNames,
  ...dotFolderRootNames,
  "plugins",
  "extensions",
]);

/** Whether a folder's name begins with exactly one dot: `..data` is the kubelet's own. */
export const isDotFolder = (name: string): boolean => name.startsWith(".") && !name.startsWith("..");

/** Whether a clean absolute path can hold a root of the rule or below a dot folder; spares most paths a closer look. */
export const mayHoldRoot = (path: string): boolean => path.includes("skill") || path.includes("/.");

/** The end of the deepest root of the rule among a path's components; 0: none. */
export function rootEndByRule(components: readonly string[]): number {
  for (let at = components.length - 1; at >= 0; at -= 1) {
    const name = components[at] ?? "";
    if (rootNames.has(name)) return at + 1;
    if (dotFolderRootNames.has(name) && isDotFolder(components[at - 1] ?? "")) return at + 1;
  }
  return 0;
}
