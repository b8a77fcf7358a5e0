import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { referencePython } from "../../integration/oms-interop/reference.ts";

/** The reference implementation in a warm process of its own. */
export interface Reference {
  /** Python with the reference installed, for its command line. */
  readonly python: string;
  /** Verifies a folder so many times; milliseconds each. */
  verify(directory: string, root: string, iterations: number): Promise<readonly number[]>;
  stop(): void;
}

/** @throws Error that says how to get the reference */
export async function startReference(): Promise<Reference> {
  const python = await referencePython();
  const child = spawn(python, [join(import.meta.dirname, "reference.py")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    python,
    async verify(directory, root, iterations) {
      child.stdin.write(`${JSON.stringify({ directory, root, iterations })}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error("the reference did not verify the skill; its reason stands above");
      return (JSON.parse(value) as readonly number[]).map((nanoseconds) => nanoseconds / 1e6);
    },
    stop: () => child.stdin.end(),
  };
}
