import { describe, expect, it } from "vitest";

import { buildProgram } from "../../../src/cli/program.ts";
import { serveOptions } from "../../../src/serve-options.ts";
import { examplesOf } from "../../fixtures/help-examples.ts";
import { commandNames, portsThatRefuse, run } from "./line.ts";

const examplesIn = async (command: string): Promise<readonly string[]> => {
  const serveFlags = () => Promise.resolve(serveOptions);
  return examplesOf((await run([command, "--help"], { serveFlags })).out);
};

/** The arguments of the one call of this program in an example, which may be a part of a pipe. */
const argumentsOf = (example: string): readonly string[] =>
  (/skill-admission ([^|>)]*)/.exec(example)?.[1] ?? "").trim().split(/\s+/);

/** The program with commands that end without doing anything. */
function parser() {
  const program = buildProgram(portsThatRefuse, () => undefined, serveOptions);
  for (const command of program.commands) command.action(() => undefined);
  return program;
}

describe.each(commandNames)("the examples of %s", (command) => {
  it("are calls that the command line understands", async () => {
    const own = (await examplesIn(command)).filter((example) => example.includes("skill-admission "));
    expect(own.length).toBeGreaterThan(1);
    for (const example of own) {
      expect(argumentsOf(example)[0]).toBe(command);
      await parser().parseAsync(argumentsOf(example), { from: "user" });
    }
  });

  it("show a value for every option that takes one", async () => {
    const shown = (await examplesIn(command)).flatMap(argumentsOf);
    const options = parser().commands.find((one) => one.name() === command)?.options ?? [];
    const silent = options
      .filter(({ required, argChoices }) => required && argChoices === undefined)
      .filter(({ short, long }) => !shown.some((word) => word === short || word === long))
      .filter(({ description }) => !description.includes("example: "))
      .map(({ long }) => long);
    expect(silent).toEqual([]);
  });
});

it("refuses an example with an option that does not exist", async () => {
  const program = parser();
  await expect(program.parseAsync(["verify", "my-skill", "--no-such"], { from: "user" })).rejects.toThrow();
});
