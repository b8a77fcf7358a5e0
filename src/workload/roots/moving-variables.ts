/** A variable by which an agent is told to look elsewhere. docs/roots.md is generated from these. */
export interface MovingVariable {
  readonly name: string;
  readonly agent: string;
  /** Page or file that says so. */
  readonly source: string;
  /** The folder that its value stands for: the home, a folder of the agents' table, or a root itself. */
  readonly standsFor: "home" | "root" | `.${string}`;
  /** Character between several values. */
  readonly separator?: string;
}

const listedIn =
  "https://github.com/vercel-labs/skills/blob/007a533297755fc506d18c15e5667b997e4387eb/src/agents.ts";
const claudeCode = "https://code.claude.com/docs/en/env-vars";
const openClaw = "https://docs.openclaw.ai/help/environment";

export const movingVariables: readonly MovingVariable[] = [
  { name: "AUTOHAND_HOME", agent: "Autohand Code CLI", source: listedIn, standsFor: ".autohand" },
  {
    name: "CLAUDE_CODE_PLUGIN_CACHE_DIR",
    agent: "Claude Code",
    source: claudeCode,
    standsFor: "root",
  },
  {
    name: "CLAUDE_CODE_PLUGIN_SEED_DIR",
    agent: "Claude Code",
    source: claudeCode,
    standsFor: "root",
    separator: ":",
  },
  { name: "CLAUDE_CONFIG_DIR", agent: "Claude Code", source: claudeCode, standsFor: ".claude" },
  { name: "CLAWDBOT_STATE_DIR", agent: "OpenClaw", source: openClaw, standsFor: ".clawdbot" },
  { name: "CODEWHALE_HOME", agent: "CodeWhale", source: listedIn, standsFor: ".codewhale" },
  {
    name: "CODEX_HOME",
    agent: "Codex",
    source: "https://developers.openai.com/codex/local-config",
    standsFor: ".codex",
  },
  {
    name: "COPILOT_HOME",
    agent: "GitHub Copilot",
    source: "https://docs.github.com/en/copilot/reference/copilot-cli-reference/cli-config-dir-reference",
    standsFor: ".copilot",
  },
  {
    name: "CRUSH_SKILLS_DIR",
    agent: "Crush",
    source: "https://github.com/charmbracelet/crush",
    standsFor: "root",
  },
  {
    name: "GEMINI_CLI_HOME",
    agent: "Gemini CLI",
    source: "https://github.com/google-gemini/gemini-cli/blob/main/packages/core/src/utils/paths.ts",
    standsFor: "home",
  },
  { name: "GROK_HOME", agent: "Grok Build", source: listedIn, standsFor: ".grok" },
  { name: "HERMES_HOME", agent: "Hermes", source: listedIn, standsFor: ".hermes" },
  {
    name: "KAGENT_SKILLS_FOLDER",
    agent: "kagent",
    source: "https://github.com/kagent-dev/kagent/blob/main/go/core/pkg/env/kagent.go",
    standsFor: "root",
  },
  {
    name: "KELOS_PLUGIN_DIR",
    agent: "Kelos",
    source: "https://github.com/kelos-dev/kelos",
    standsFor: "root",
  },
  { name: "OPENCLAW_HOME", agent: "OpenClaw", source: openClaw, standsFor: "home" },
  { name: "OPENCLAW_STATE_DIR", agent: "OpenClaw", source: openClaw, standsFor: ".openclaw" },
  {
    name: "OPENCODE_CONFIG_DIR",
    agent: "OpenCode",
    source: "https://opencode.ai/docs/config/",
    standsFor: ".config/opencode",
  },
  {
    name: "PI_CODING_AGENT_DIR",
    agent: "Pi",
    source: "https://github.com/badlogic/pi-mono/blob/main/packages/coding-agent/README.md",
    standsFor: ".pi/agent",
  },
  {
    name: "QWEN_HOME",
    agent: "Qwen Code",
    source: "https://github.com/QwenLM/qwen-code/blob/main/packages/core/src/config/storage.ts",
    standsFor: ".qwen",
  },
  {
    name: "SKILL_FOLDERS",
    agent: "rossoctl",
    source: "https://github.com/rossoctl/rossoctl",
    standsFor: "root",
    separator: ",",
  },
  {
    name: "USERPROFILE",
    agent: "agents on Windows",
    source: "https://nodejs.org/api/os.html#oshomedir",
    standsFor: "home",
  },
  { name: "VIBE_HOME", agent: "Mistral Vibe", source: listedIn, standsFor: ".vibe" },
  {
    name: "XDG_CONFIG_HOME",
    agent: "Amp, Crush, Goose, OpenCode and others",
    source: "https://specifications.freedesktop.org/basedir-spec/latest/",
    standsFor: ".config",
  },
  {
    name: "XDG_DATA_HOME",
    agent: "Goose",
    source: "https://specifications.freedesktop.org/basedir-spec/latest/",
    standsFor: ".local/share",
  },
];

/** Names of the variables that decide where roots are. */
export const rootVariables: ReadonlySet<string> = new Set([
  "HOME",
  ...movingVariables.map(({ name }) => name),
]);
