import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

const main = join(import.meta.dirname, "../../../dist/main.js");
const address = "127.0.0.1";

let folder: string;
let child: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "skill-admission-ports-"));
  await writeFile(join(folder, "state.json"), '{"apiVersion":"v1","kind":"List","items":[]}');
});
afterEach(async () => {
  if (child?.exitCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await rm(folder, { recursive: true, force: true });
});

/** Starts the program. @returns its ports, webhook and metrics */
async function serve(...flags: readonly string[]): Promise<readonly number[]> {
  const where = [`--address=${address}`, "--port=0", `--metrics-address=${address}`, "--metrics-port=0"];
  const args = [main, "serve", `--state=${folder}`, ...where, ...flags];
  child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout! })) {
    const { msg, port, metricsPort } = JSON.parse(line) as Record<string, unknown>;
    if (msg === "serving") return [Number(port), Number(metricsPort)];
  }
  throw new Error("it ended before it served");
}

/** Result of another process of the same user listening on the same port. */
const share = (port: number): Promise<string> =>
  new Promise((resolve) => {
    const other = createServer();
    other.once("error", ({ message }) => resolve(message));
    other.listen({ host: address, port, reusePort: true }, () => other.close(() => resolve("shared")));
  });

describe("serve --exclusive-ports", () => {
  it("shares no port with others of the same user, when it is on", async () => {
    for (const port of await serve("--exclusive-ports=on")) expect(await share(port)).toMatch(/EADDRINUSE/);
  });

  it("shares them otherwise", async () => {
    for (const port of await serve()) expect(await share(port)).toBe("shared");
  });
});
