import { describe, expect, it } from "vitest";

import { progress, tableOutput } from "../../../../src/cli/report/progress.ts";

function terminal(isTerminal: boolean, columns?: number) {
  const written: string[] = [];
  return { written, write: (text: string) => void written.push(text), isTerminal, columns };
}

describe("progress", () => {
  it("shows one line that does not outgrow the terminal, and clears it", () => {
    const stderr = terminal(true, 40);
    const shown = progress(stderr, 2);
    shown.step("x".repeat(100));
    shown.clear();
    expect(stderr.written[0]).toBe(`\r\u001b[K1/2 ${"x".repeat(35)}`);
    expect(stderr.written.at(-1)).toBe("\r\u001b[K");
  });

  it("follows a total that becomes known on the way", () => {
    const stderr = terminal(true, 80);
    let total = 1;
    const shown = progress(stderr, () => total);
    shown.step("a");
    total = 200;
    shown.step("b");
    expect(stderr.written).toEqual(["\r\u001b[K1/1 a", "\r\u001b[K2/200 b"]);
  });

  it("writes nothing where standard error is no terminal, or there is one step only", () => {
    const pipe = terminal(false);
    progress(pipe, 5).step("a");
    const single = terminal(true);
    progress(single, 1).step("a");
    expect([...pipe.written, ...single.written]).toEqual([]);
  });
});

describe("tableOutput", () => {
  it("uses colour and the terminal's width on a terminal only", () => {
    expect(tableOutput({ stdout: terminal(true, 120), colour: true })).toMatchObject({
      width: 120,
      colour: true,
    });
    expect(tableOutput({ stdout: terminal(true, 120), colour: false })).toMatchObject({ colour: false });
    expect(tableOutput({ stdout: terminal(false, 120), colour: true })).toMatchObject({
      width: 80,
      colour: false,
    });
  });
});
