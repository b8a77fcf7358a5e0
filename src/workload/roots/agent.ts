/** An agent, and where it looks for instructions. docs/roots.md is generated from these. */
export interface Agent {
  readonly name: string;
  /** Page or file that says so. */
  readonly source: string;
  /**
   * Folders that the agent keeps its things in, in a home or project: skills, commands, plugins, … directly below
   * them are roots. `*` ends a component's name.
   */
  readonly folders?: readonly string[];
  /** Other roots: absolute, or in a home or project. */
  readonly roots?: readonly string[];
}
