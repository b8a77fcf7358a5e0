import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../fixtures/run-command.ts";
import { connectByKubeconfig } from "../../../src/cluster/live/api/connection.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skill-admission-kubeconfig-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const written = async (text: string): Promise<string> => {
  const file = join(folder, "kubeconfig");
  await writeFile(file, text);
  return file;
};

describe("connectByKubeconfig", () => {
  it("connects to the cluster of the current context", async () => {
    const file = await written(
      JSON.stringify({
        clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:6443/" } }],
        users: [{ name: "u", user: {} }],
        contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
        "current-context": "x",
      }),
    );
    const connection = await connectByKubeconfig(file);
    expect(connection.server).toBe("https://127.0.0.1:6443");
    connection.close();
  });

  it("connects by the context that is named, and says so where there is none of that name", async () => {
    const cluster = (name: string, port: number) => ({
      name,
      cluster: { server: `https://127.0.0.1:${port}` },
    });
    const context = (name: string) => ({ name, context: { cluster: name, user: "u" } });
    const file = await written(
      JSON.stringify({
        clusters: [cluster("a", 1), cluster("b", 2)],
        users: [{ name: "u", user: {} }],
        contexts: [context("a"), context("b")],
        "current-context": "a",
      }),
    );
    const connection = await connectByKubeconfig(file, "b");
    expect(connection.server).toBe("https://127.0.0.1:2");
    connection.close();
    await expect(connectByKubeconfig(file, "c")).rejects.toThrow(
      /kubeconfig has no context c; see kubectl config get-contexts$/,
    );
  });

  it("ends apply with 2, when there is none", async () => {
    const command = [
      process.execPath,
      join(import.meta.dirname, "../../../dist/main.js"),
      "apply",
      "--cluster",
    ];
    const { code, stdout, stderr } = await runCommand(command, { env: { HOME: folder } });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^error: no kubeconfig: .*; name one with --kubeconfig\n/);
  });

  it("says so at once, when there is none, rather than to ask whatever listens on port 8080", async () => {
    const command = [process.execPath, join(import.meta.dirname, "../../../dist/main.js"), "unregister"];
    const { code, stderr } = await runCommand(command, { env: { HOME: folder } });
    expect(stderr).toMatch(/^error: no kubeconfig: .*; name one with --kubeconfig\n/);
    expect(code).toBe(2);
  });

  it.each([
    [
      "no such file",
      () => Promise.resolve(join(folder, "nowhere")),
      /kubeconfig .*nowhere cannot be read: .*; name another/,
    ],
    [
      "no YAML",
      () => written("clusters: ["),
      /kubeconfig .* cannot be read: .*; name another with --kubeconfig/s,
    ],
    [
      "no cluster",
      () => written("{}"),
      /its current context names no cluster; choose one with kubectl config/,
    ],
  ])("says what is wrong with %s, and what to do", async (_what, file, says) => {
    await expect(connectByKubeconfig(await file())).rejects.toThrow(says);
  });
});
