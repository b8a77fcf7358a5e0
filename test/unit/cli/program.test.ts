import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { UsageError, type CommandLine, type ServeFlag } from "../../../src/cli/command-line.ts";
import { commandNames, refuse, run as runLine } from "./line.ts";

const serveFlags: readonly ServeFlag[] = [
  {
    flag: "--state <dir>",
    description: "Run on this folder",
    env: "SKILL_ADMISSION_STATE",
    example: "examples/policies/",
  },
  {
    flag: "--metrics-port <number>",
    description: "Port",
    env: "SKILL_ADMISSION_METRICS_PORT",
    default: "9090",
    example: "9100",
  },
];

const run = (args: readonly string[], over: Partial<CommandLine> = {}) =>
  runLine(args, { serveFlags: () => Promise.resolve(serveFlags), ...over });

describe("runCommandLine", () => {
  it("names its version", async () => {
    expect(await run(["--version"])).toEqual({ code: 0, out: "1.2.3\n", err: "" });
  });

  it.each(commandNames)("explains %s with examples, within 80 columns", async (command) => {
    const { code, out, err } = await run([command, "--help"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain(`Usage: skill-admission ${command}`);
    expect(out).toContain("Examples:\n  ");
    for (const text of out.split("\n")) expect(text.length).toBeLessThanOrEqual(80);
  });

  it("has a command for each module of commands, each with a row in docs/cli.md", () => {
    const modules = readdirSync("src/cli/commands").filter((file) => file !== "options.ts");
    expect(modules.sort()).toEqual(commandNames.map((name) => `${name}.ts`).sort());
    const rows = readFileSync("docs/cli.md", "utf8").matchAll(/^\| (?:\[)?`([a-z]+)[ `]/gm);
    expect([...rows].map(([, name]) => name)).toEqual(expect.arrayContaining([...commandNames]));
  });

  it("lists every command in its own help", async () => {
    const { out } = await run(["--help"]);
    for (const command of commandNames) expect(out).toMatch(new RegExp(`^  ${command} `, "m"));
  });

  it.each([
    [[]],
    [["verify"]],
    [["verify", "x", "--no-such-option"]],
    [["verify", "x", "-o", "xml"]],
    [["verify", "x", "--public-key", "a", "--certificate-chain", "b"]],
    [["verify", "x", "--public-key", "a", "--policy", "b"]],
    [["apply", "--policy", "p"]],
    [["apply", "--resource", "r"]],
    [["sign", "x"]],
    [["sign", "x", "y", "--key", "k"]],
    [["package"]],
    [["package", "x", "--with-pod", "i", "--pod-snippet"]],
    [["unknown"]],
    [["serve", "--port", "1"]],
  ])("ends with 2 and says what is wrong on standard error for %j", async (args) => {
    const { code, out, err } = await run(args);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).not.toBe("");
  });

  it("hands serve exactly the flags that were given, and returns its exit code", async () => {
    let given: unknown;
    const serve = (flags: unknown) => {
      given = { ...(flags as object) };
      return Promise.resolve(7);
    };
    expect((await run(["serve", "--metrics-port", "1"], { serve })).code).toBe(7);
    expect(given).toEqual({ metricsPort: "1" });
  });

  it("asks for the flags of serve only when it is called", async () => {
    const flags = { serveFlags: refuse };
    expect((await run(["verify", "--help"], flags)).code).toBe(0);
  });

  it("says what happened first and what to do last, for a call that cannot be carried out", async () => {
    const serve = () => Promise.reject(new UsageError("the folder is empty", "fill it"));
    expect(await run(["serve"], { serve })).toEqual({
      code: 2,
      out: "",
      err: "error: the folder is empty\nfill it\n",
    });
  });

  it("shows what a name in an error would do to the terminal", async () => {
    const serve = () => Promise.reject(new UsageError("a\u001b[2J\u202e.yaml is none\nof ours"));
    expect((await run(["serve"], { serve })).err).toBe("error: a\\u001b[2J\\u202e.yaml is none\nof ours\n");
  });

  it("lets a fault of its own through", async () => {
    await expect(run(["serve"], { serve: () => Promise.reject(new TypeError("bug")) })).rejects.toThrow(
      "bug",
    );
  });
});
