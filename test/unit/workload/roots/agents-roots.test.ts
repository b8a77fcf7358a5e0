import { describe, expect, it } from "vitest";
import { agents } from "../../../../src/workload/roots/agents.ts";
import { movingVariables } from "../../../../src/workload/roots/moving-variables.ts";
import { hostRuntimeFolders } from "../../../../src/workload/roots/host-runtime.ts";
import { configMap, claim, found, mount, podWith, volume } from "../../../fixtures/pods.ts";

const at = (path: string, type: Parameters<typeof volume>[1] = claim, roots: readonly string[] = []) =>
  found(podWith([volume("v", type)], [mount("v", path)]), {}, roots);

/** Every folder into which the `skills` command of vercel-labs/skills installs for all projects (007a5332). */
const installed =
  ".aider-desk/skills .config/agents/skills .gemini/antigravity/skills .gemini/antigravity-cli/skills .astrbot/data/skills .autohand/skills .augment/skills .bob/skills .claude/skills .openclaw/skills .clawdbot/skills .moltbot/skills .codeartsdoer/skills .codebuddy/skills .codemaker/skills .codestudio/skills .codewhale/skills .codex/skills .commandcode/skills .continue/skills .snowflake/cortex/skills .cortex/skills .config/crush/skills .crush/skills .cursor/skills .deepagents/agent/skills .config/devin/skills .devin/skills .agents/skills .factory/skills .firebender/skills .forge/skills .fx/skills .gemini/skills .copilot/skills .config/goose/skills .goose/skills .grok/skills .hermes/skills .inferencesh/skills .jazz/skills .junie/skills .iflow/skills .kilo/skills .kimchi/skills .config/kimchi/harness/skills .kiro/skills .kode/skills .lingma/skills .mcpjam/skills .minimax/skills .vibe/skills .moxby/skills .mux/skills .config/opencode/skills .openhands/skills .ona/skills .pi/skills .pi/agent/skills .posit/assistant/skills .qoder/skills .qoder-cn/skills .qwen/skills .reasonix/skills .rovodev/skills .roo/skills .tabnine/agent/skills .terramind/skills .tinycloud/skills .trae/skills .trae-cn/skills .codeium/windsurf/skills .windsurf/skills .zcode/skills .zencoder/skills .neovate/skills .pochi/skills .adal/skills".split(
    " ",
  );

/** Other folders that agents read: commands, plugins, extensions, agents, prompts, rules, skills under other names. */
const others =
  ".claude/commands .claude/agents .claude/plugins .agent/skills .codex/prompts .cursor/commands .cursor/plugins .cursor/rules .github/skills .github/agents .gemini/extensions .gemini/commands .config/opencode/skill .config/opencode/agent .config/opencode/commands .opencode/skills .opencode/skill .config/amp/skills .amp/skills .kilocode/skills .config/kilo/skills .roo/skills-code .letta/skills .skills .openhands/microagents .qwen/extensions .factory/droids .kimi/skills .cline/skills .clinerules .clinerules/skills .openclaw/workspace/skills .openclaw/workspace-two/skills .openclaw/plugin-skills .deepagents/skills .nanobot/workspace/skills .vtcode/skills .omp/skills .zeroclaw/workspace/skills .picoclaw/workspace/skills .aider/skills .warp/skills .laravel-boost/skills .gptme/skills .config/gptme/skills .local/share/goose/skills .agents/plugins .copilot/installed-plugins .codex/plugins .cagent/skills .windsurf/workflows .kiro/steering .claude/output-styles .acme/commands .acme/rules .acme/prompts .acme/agents .acme/microagents".split(
    " ",
  );

/** Roots outside of homes and projects. */
const absolute =
  "/usr/local/lib/node_modules/openclaw/skills /app/skills/x /app/.claude/skills/x /etc/claude-code/.claude/skills/x /etc/claude-code/skills /opt/openclaw/skills /home/node/clawd/skills /workspace/skills /opt/hermes/skills /opt/data/skills /opt/data/plugins /mnt/skills /mnt/skills/public /var/lib/skills /agent/skills /root/skills /openhands/skills /.openhands/skills /etc/openclaw/skills /usr/share/agents/skills /etc/opencode/skills /etc/xdg/agents/skills /etc/codex/skills /kelos/plugin /var/claude-skills /opt/agent-plugins /data/skill/x".split(
    " ",
  );

describe("skill roots", () => {
  it.each([...installed, ...others])("hold in a home and in a project: %s", (root) => {
    for (const base of ["/home/agent", "/workspace/repo", "/root"]) {
      expect(at(`${base}/${root}`)).toEqual([`${base}/${root}: unverifiable PersistentVolumeClaim`]);
      expect(at(`${base}/${root}/evil`)).toEqual([
        `${base}/${root}/evil: unverifiable PersistentVolumeClaim`,
      ]);
      expect(at(`${base}/${root}/evil/scripts`)).toEqual([
        `${base}/${root}/evil: unverifiable PersistentVolumeClaim`,
      ]);
    }
  });

  it.each(absolute)("hold at %s", (root) => {
    expect(at(root)).toHaveLength(1);
  });

  it.each([
    "/home/agent/.acme/plugins",
    "/home/agent/.acme/extensions",
    "/data/plugins",
    "/plugins",
    "/extensions",
    "/data/commands",
    "/data/agents",
    "/data/prompts",
    "/etc/rules",
    "/x/..data/commands",
    "/x/..commands",
    "/x/.hidden/deep/commands",
    "/data/myskills",
    "/data/skills-cache",
    "/data/Skills",
    "/home/agent/.claude/projects",
    "/home/agent/.github/workflows",
    "/home/agent/.openclaw-cache/x",
    "/opt/agent",
    "/etc/app",
  ])("do not hold at %s", (path) => {
    expect(at(path)).toEqual([]);
  });

  it("take every child for a skill, whatever its name", () => {
    const markdown = podWith([volume("v", configMap("cm"))], [mount("v", "/root/.claude/commands")]);
    expect(found(markdown, { cm: { "deploy.md": "Deploy." } })).toEqual([
      "/root/.claude/commands/deploy.md: deploy.md=Deploy.",
    ]);
    const elsewhere = podWith([volume("v", configMap("cm"))], [mount("v", "/root/claude/commands")]);
    expect(found(elsewhere, { cm: { "deploy.md": "Deploy." } })).toEqual([]);
  });

  it("read a ConfigMap whose items lie in one, wherever the volume is mounted", () => {
    const volumes = [volume("v", configMap("cm", [["k", ".claude/commands/deploy.toml"]]))];
    expect(found(podWith(volumes, [mount("v", "/data")]), { cm: { k: "x" } })).toEqual([
      "/data/.claude/commands/deploy.toml: deploy.toml=x",
    ]);
  });

  it("may be named by a policy, absolute and in any folder", () => {
    const roots = ["/srv/lore", ".acme/lore"];
    for (const path of ["/srv/lore", "/srv/lore/x", "/x/.acme/lore", "/home/a/.acme/lore/x/y"]) {
      expect(at(path, claim, roots)).toHaveLength(1);
      expect(at(path)).toEqual([]);
    }
    for (const path of ["/srv", "/x/.acme"]) {
      expect(at(path, claim, roots)).toEqual([`${path}: unverifiable PersistentVolumeClaim`]);
      expect(at(path)).toEqual([]);
    }
    for (const path of ["/srv/lores", "/x/acme/lore", "/x/.acme/lores", "/x/.acme2/lore"])
      expect(at(path, claim, roots)).toEqual([]);
  });
});

describe("the tables", () => {
  it("say of every agent and variable where that is said", () => {
    for (const { source } of [...agents, ...movingVariables, ...hostRuntimeFolders])
      expect(source).toMatch(/^https:\/\/\S+$/);
  });

  it("name each agent and variable once, and folders that begin with a dot folder", () => {
    const names = (entries: readonly { readonly name: string }[]) => entries.map(({ name }) => name);
    for (const all of [names(agents), names(movingVariables)]) expect(new Set(all).size).toBe(all.length);
    for (const { folders = [], roots = [] } of agents) {
      expect(folders.length + roots.length).toBeGreaterThan(0);
      for (const folder of folders) expect(folder).toMatch(/^\.[^./][^/]*(\/[^./][^/]*)*$/);
      for (const root of roots) expect(root).toMatch(/^(\/[^/]+)+$|^\.[^./][^/]*(\/[^./][^/]*)*$/);
    }
  });

  it("hold no root twice", () => {
    const roots = agents.flatMap(({ folders = [], roots: own = [] }) => [...folders, ...own]);
    expect(roots.filter((root, index) => roots.indexOf(root) !== index)).toEqual([]);
  });
});
