import type { Agent } from "./agent.ts";

/** The list by which the `skills` command installs skills for an agent. */
const source =
  "https://github.com/vercel-labs/skills/blob/007a533297755fc506d18c15e5667b997e4387eb/src/agents.ts";

const listed = (name: string, ...folders: readonly string[]): Agent => ({ name, source, folders });

/** Agents known from that list. */
export const listedAgents: readonly Agent[] = [
  listed("AdaL", ".adal"),
  listed("AiderDesk", ".aider-desk"),
  listed("Antigravity", ".gemini/antigravity", ".gemini/antigravity-cli"),
  listed("AstrBot", ".astrbot/data"),
  listed("Augment", ".augment"),
  listed("Autohand Code CLI", ".autohand"),
  listed("Bob", ".bob"),
  listed("CodeArts Agent", ".codeartsdoer"),
  listed("CodeBuddy", ".codebuddy"),
  listed("Codemaker", ".codemaker"),
  listed("Code Studio", ".codestudio"),
  listed("CodeWhale", ".codewhale"),
  listed("Command Code", ".commandcode"),
  listed("Continue", ".continue"),
  listed("Cortex Code", ".cortex", ".snowflake/cortex"),
  listed("Deep Agents", ".deepagents", ".deepagents/agent"),
  listed("Devin", ".devin", ".config/devin"),
  listed("Firebender", ".firebender"),
  listed("ForgeCode", ".forge"),
  listed("fx", ".fx"),
  listed("Grok Build", ".grok"),
  listed("iFlow CLI", ".iflow"),
  listed("inference.sh", ".inferencesh"),
  listed("Jazz", ".jazz"),
  listed("Junie", ".junie"),
  listed("Kilo Code", ".kilo", ".kilocode", ".config/kilo"),
  listed("Kimchi", ".kimchi", ".config/kimchi/harness"),
  listed("Kimi Code CLI", ".kimi", ".kimi-code"),
  listed("Kode", ".kode"),
  listed("Lingma", ".lingma"),
  listed("MCPJam", ".mcpjam"),
  listed("MiniMax Code", ".minimax"),
  listed("Mistral Vibe", ".vibe"),
  listed("Moxby", ".moxby"),
  listed("Mux", ".mux"),
  listed("Neovate", ".neovate"),
  listed("Ona", ".ona"),
  listed("Pochi", ".pochi"),
  listed("Posit Assistant", ".posit/assistant"),
  listed("Qoder", ".qoder", ".qoder-cn"),
  listed("Reasonix", ".reasonix"),
  listed("Rovo Dev", ".rovodev"),
  listed("Tabnine CLI", ".tabnine/agent"),
  listed("Terramind", ".terramind"),
  listed("Tinycloud", ".tinycloud"),
  listed("Trae", ".trae", ".trae-cn"),
  listed("ZCode", ".zcode"),
  listed("Zencoder", ".zencoder"),
];
