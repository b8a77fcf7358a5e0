import type { Agent } from "./agent.ts";
import { listedAgents } from "./listed-agents.ts";

/** Agents whose own pages or sources were read. */
const readAgents: readonly Agent[] = [
  {
    name: "several agents (Amp, Cline, Codex, Cursor, Gemini CLI, Goose, OpenCode, Pi, Warp, Zed)",
    source: "https://opencode.ai/docs/skills/",
    folders: [".agents", ".agent", ".config/agents"],
    roots: [".agent/workflows"],
  },
  {
    name: "Amazon Q Developer",
    source: "https://docs.aws.amazon.com/amazonq/latest/qdeveloper-ug/context-project-rules.html",
    folders: [".amazonq"],
  },
  { name: "Amp", source: "https://ampcode.com/manual", folders: [".amp", ".config/amp"] },
  {
    name: "Claude Code",
    source: "https://code.claude.com/docs/en/skills",
    folders: [".claude"],
    roots: [".claude/output-styles", "/etc/claude-code/.claude/skills"],
  },
  {
    name: "Cline",
    source: "https://docs.cline.bot/features/cline-rules",
    folders: [".cline"],
    roots: [".clinerules"],
  },
  {
    name: "Codex",
    source: "https://developers.openai.com/codex/skills",
    folders: [".codex"],
    roots: ["/etc/codex/skills"],
  },
  { name: "Crush", source: "https://github.com/charmbracelet/crush", folders: [".crush", ".config/crush"] },
  { name: "Cursor", source: "https://cursor.com/docs/context/skills", folders: [".cursor"] },
  { name: "Docker Agent", source: "https://github.com/docker/docker-agent", folders: [".cagent"] },
  {
    name: "docsclaw",
    source: "https://github.com/redhat-et/docsclaw",
    roots: ["/config/agent/skills"],
  },
  {
    name: "Droid",
    source: "https://docs.factory.ai/cli/configuration/custom-droids",
    folders: [".factory"],
    roots: [".factory/droids"],
  },
  { name: "Gemini CLI", source: "https://geminicli.com/docs/cli/skills/", folders: [".gemini"] },
  {
    name: "GitHub Copilot",
    source: "https://docs.github.com/en/copilot/concepts/agents/about-agent-skills",
    folders: [".copilot", ".github"],
    roots: [".copilot/installed-plugins", ".github/chatmodes", ".github/instructions"],
  },
  {
    name: "Goose",
    source: "https://block.github.io/goose/docs/guides/context-engineering/using-skills",
    folders: [".goose", ".config/goose", ".local/share/goose"],
  },
  { name: "gptme", source: "https://gptme.org/docs/skills.html", folders: [".gptme", ".config/gptme"] },
  {
    name: "Hermes",
    source: "https://hermes-agent.nousresearch.com/docs/user-guide/features/skills",
    folders: [".hermes"],
    roots: ["/opt/data/skills", "/opt/data/plugins"],
  },
  {
    name: "kagents (AgentTeam)",
    source: "https://github.com/amcheste/kagents",
    roots: ["/var/claude-skills"],
  },
  { name: "Kelos", source: "https://github.com/kelos-dev/kelos", roots: ["/kelos/plugin"] },
  { name: "Kiro", source: "https://kiro.dev/docs/steering/", folders: [".kiro"], roots: [".kiro/steering"] },
  { name: "konveyor", source: "https://github.com/konveyor/agentic-controller", roots: ["/opt/skills"] },
  {
    name: "kube-agents (AgentPlugin)",
    source: "https://github.com/gke-labs/kube-agents",
    roots: ["/opt/agent-plugins"],
  },
  {
    name: "Letta",
    source: "https://docs.letta.com/letta-code/skills",
    folders: [".letta"],
    roots: [".skills"],
  },
  {
    name: "NemoClaw",
    source: "https://github.com/NVIDIA/NemoClaw",
    roots: ["/sandbox/.openclaw-data/skills"],
  },
  {
    name: "OpenClaw",
    source: "https://docs.openclaw.ai/tools/skills",
    folders: [".openclaw", ".openclaw/workspace*", ".clawdbot", ".moltbot"],
    roots: ["/app/skills", ".openclaw/plugin-skills"],
  },
  {
    name: "OpenCode",
    source: "https://opencode.ai/docs/skills/",
    folders: [".opencode", ".config/opencode"],
    roots: [
      ...[".opencode/agent", ".opencode/command", ".opencode/plugin"],
      ...[".config/opencode/agent", ".config/opencode/command", ".config/opencode/plugin"],
    ],
  },
  { name: "OpenHands", source: "https://docs.openhands.dev/overview/skills", folders: [".openhands"] },
  {
    name: "OpenShell",
    source: "https://github.com/NVIDIA/OpenShell",
    roots: ["/etc/openshell/skills"],
  },
  {
    name: "Pi",
    source: "https://github.com/badlogic/pi-mono/blob/main/packages/coding-agent/docs/skills.md",
    folders: [".pi", ".pi/agent"],
  },
  {
    name: "Qwen Code",
    source: "https://qwenlm.github.io/qwen-code-docs/en/users/features/skills/",
    folders: [".qwen"],
  },
  {
    name: "Roo Code",
    source: "https://docs.roocode.com/features/skills",
    folders: [".roo"],
    roots: [".roo/skills-*", ".roo/rules-*"],
  },
  {
    name: "Windsurf",
    source: "https://docs.windsurf.com/windsurf/cascade/skills",
    folders: [".windsurf", ".codeium/windsurf"],
    roots: [".windsurf/workflows", ".codeium/windsurf/global_workflows"],
  },
];

/** Every known agent. */
export const agents: readonly Agent[] = [...readAgents, ...listedAgents];

/** Root of kagent's own containers only: elsewhere `/plugins` holds the plugins of other programs, such as Velero. */
export const kagent: {
  readonly source: string;
  readonly root: string;
  /** A container is kagent's own if its image's name has one of these parts, or one of its variables begins so. */
  readonly imageFolders: readonly string[];
  readonly variablePrefix: string;
} = {
  source: "https://github.com/kagent-dev/kagent/blob/main/go/core/pkg/env/kagent.go",
  root: "/plugins",
  imageFolders: ["kagent", "kagent-dev"],
  variablePrefix: "KAGENT_",
};
