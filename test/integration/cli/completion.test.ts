import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { serveOptions } from "../../../src/serve-options.ts";
import { run } from "./line.ts";
import { projectRoot } from "./page.ts";

let home: string;

const serveFlags = () => Promise.resolve(serveOptions);
const scriptFor = async (shell: string): Promise<string> => {
  const { code, out, err } = await run(["completion", shell], { serveFlags });
  expect([code, err]).toEqual([0, ""]);
  return out;
};

interface Shell {
  /** How it is started at a terminal, with its settings in a file. */
  readonly start: (settings: string) => readonly string[];
  /** Settings: the script, a prompt, and a program that prints its arguments. */
  readonly settings: (script: string) => string;
  /** How a page of the documentation or the help has people load the script. */
  readonly syntax: (script: string) => readonly string[];
}

const shown = `skill-admission() { printf '<%s>' "$@"; echo "<end>"; }`;

const shells: Readonly<Record<string, Shell>> = {
  bash: {
    start: (settings) => ["bash", "--noprofile", "--rcfile", settings, "-i"],
    settings: (script) => `source ${script}
bind 'set enable-bracketed-paste off'
${shown}
PS1='ready> '`,
    syntax: (script) => ["bash", "-n", script],
  },
  zsh: {
    start: (settings) => ["env", `ZDOTDIR=${settings}.d`, "zsh", "-d", "-i"],
    settings: (script) => `autoload -Uz compinit && compinit -u -D
source ${script}
unsetopt zle_bracketed_paste prompt_sp
${shown}
PS1='ready> '`,
    syntax: (script) => ["zsh", "-n", script],
  },
  fish: {
    start: (settings) => ["fish", "--no-config", "-i", "-C", `source ${settings}`],
    settings: (script) => `source ${script}
function skill-admission; printf '<%s>' $argv; echo '<end>'; end
function fish_prompt; echo -n 'ready> '; end`,
    syntax: (script) => ["fish", "-n", script],
  },
};

const isHere = (shell: string): boolean => {
  try {
    execFileSync(shell, ["-c", "true"]);
    return true;
  } catch {
    return false;
  }
};

const here = Object.keys(shells).filter(isHere);

/** Arguments of a call that is typed with the Tab key (`\t`), as the program gets them. */
async function typedInto(shell: string, line: string): Promise<readonly string[]> {
  const { start } = shells[shell]!;
  const typing = join(projectRoot, "test/fixtures/at-a-terminal.py");
  const args = [typing, `skill-admission ${line}`, ...start(join(home, `settings.${shell}`))];
  const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, TERM: "xterm", INPUTRC: "/dev/null" };
  const screen = await new Promise<string>((resolve, reject) => {
    execFile(process.env["PYTHON"] ?? "python3", args, { cwd: home, env }, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${stderr}${stdout}`)),
    );
  });
  const [, given = ""] = /((?:<[^<>]*>)+)<end>/.exec(screen) ?? [];
  return [...given.matchAll(/<([^<>]*)>/g)].map(([, argument = ""]) => argument);
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "completion-"));
  mkdirSync(join(home, "payments-skill"));
  mkdirSync(join(home, "policies"));
  writeFileSync(join(home, "payments.pub"), "");
  for (const [name, { settings }] of Object.entries(shells)) {
    writeFileSync(join(home, `script.${name}`), await scriptFor(name));
    writeFileSync(join(home, `settings.${name}`), `${settings(join(home, `script.${name}`))}\n`);
  }
  mkdirSync(join(home, "settings.zsh.d"));
  writeFileSync(join(home, "settings.zsh.d/.zshrc"), `source ${join(home, "settings.zsh")}\n`);
});

afterAll(() => rmSync(home, { recursive: true }));

it("is tried in bash, and in zsh and fish where they are", () => {
  const absent = Object.keys(shells).filter((shell) => !here.includes(shell));
  if (absent.length > 0) console.warn(`${absent.join(" and ")} not here: the completion for it is not tried`);
  expect(here).toContain("bash");
});

describe.each(here)("completion %s", (shell) => {
  it("writes a script that the shell can read", () => {
    const [program = "", ...args] = shells[shell]!.syntax(join(home, `script.${shell}`));
    expect(() => execFileSync(program, args)).not.toThrow();
  });

  it.each<[string, readonly string[]]>([
    ["ver\t", ["verify"]],
    ["pac\t--with\tbusybox", ["package", "--with-pod", "busybox"]],
    ["verify -o sar\t", ["verify", "-o", "sarif"]],
    ["apply --as-mode War\t", ["apply", "--as-mode", "Warn"]],
    ["verify --public-key payments.\t", ["verify", "--public-key", "payments.pub"]],
    ["apply -f pol\t", ["apply", "-f", "policies"]],
    ["sign payments-\t --form\tgu\t", ["sign", "payments-skill", "--format", "guide"]],
    ["serve --tuf-mir\thttp://x", ["serve", "--tuf-mirror", "http://x"]],
    ["completion fi\t", ["completion", "fish"]],
    ["help unr\t", ["help", "unregister"]],
  ])("completes %j", async (line, expected) => {
    const given = await typedInto(shell, line);
    // Behind a folder some shells leave a slash.
    expect(given.map((argument) => argument.replace(/(?<!\/)\/$/, ""))).toEqual(expected);
  });
});

it("completes what follows an equals sign in bash", async () => {
  expect(await typedInto("bash", "verify --output=sar\t")).toEqual(["verify", "--output=sarif"]);
});

it("has no completion for another shell", async () => {
  expect(await run(["completion", "tcsh"], { serveFlags })).toMatchObject({ code: 2, out: "" });
});
