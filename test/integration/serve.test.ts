import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { freePort } from "../fixtures/free-port.ts";
import { httpsClient } from "../fixtures/https-client.ts";
import { patience } from "../fixtures/patience.ts";
import { podReview } from "../fixtures/review.ts";
import type { Answer } from "../fixtures/answer.ts";
import { changed, configMapOf, policyObject, podFor, published } from "../unit/admission/world.ts";

const main = join(import.meta.dirname, "../../dist/main.js");

let folder: string;
let child: ChildProcess | undefined;
let log = "";
let port: number;
let metricsPort: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "skill-admission-serve-"));
  [port, metricsPort] = [await freePort(), await freePort()];
  log = "";
});

afterEach(async () => {
  if (child?.exitCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await rm(folder, { recursive: true, force: true });
});

const state = (): string => join(folder, "state.json");
const caFile = (): string => join(folder, "ca.crt");

async function writeState(...objects: readonly object[]): Promise<void> {
  const namespace = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "payments", labels: { tenant: "payments" } },
  };
  await writeFile(
    state(),
    JSON.stringify({ apiVersion: "v1", kind: "List", items: [namespace, ...objects] }),
  );
}

function start(...flags: readonly string[]): ChildProcess {
  child = spawn(process.execPath, [main, "serve", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout?.on("data", (part: Buffer) => (log += part.toString()));
  child.stderr?.on("data", (part: Buffer) => (log += part.toString()));
  return child;
}

const serveState = (graceSeconds = "0"): ChildProcess =>
  start(
    ...[
      "--state",
      folder,
      "--address",
      "127.0.0.1",
      "--port",
      String(port),
      "--metrics-address",
      "127.0.0.1",
    ],
    ...[
      "--metrics-port",
      String(metricsPort),
      "--ca-file",
      caFile(),
      "--grace-seconds",
      graceSeconds,
      "--log-level",
      "info",
    ],
  );

/** Calls over a new connection: the server may have been replaced, with another certificate. */
async function call(path: string, body?: string): Promise<Answer> {
  const client = httpsClient(port, await readFile(caFile(), "utf8"));
  try {
    return await client.call(body === undefined ? { method: "GET", path } : { path, body });
  } finally {
    client.agent.destroy();
  }
}

const ready = (): Promise<void> =>
  expect.poll(async () => (await call("/readyz").catch(() => ({ status: 0 }))).status).toBe(200);

async function reviewed(pod: object): Promise<boolean> {
  const { body } = await call("/validate?timeout=5s", JSON.stringify(podReview(pod)));
  return (JSON.parse(body) as { response: { allowed: boolean } }).response.allowed;
}

describe("serve --state", () => {
  const good = configMapOf(published.skill);
  const bad = configMapOf(changed);

  it("reviews over HTTPS with a certificate that its own CA file vouches for, and follows the folder", async () => {
    await writeState(policyObject(), good.object);
    serveState();
    await ready();
    expect(await reviewed(podFor(good.items))).toBe(true);
    await writeState(policyObject(), bad.object);
    await expect.poll(() => reviewed(podFor(good.items))).toBe(false);
    await vi.waitFor(async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      expect(metrics).toMatch(/^skill_admission_requests_total\{.*decision="deny".*\} \d/m);
      expect(metrics).toMatch(
        /skill_admission_verification_duration_seconds_count\{format="oms",outcome="tampered"\} [1-9]/,
      );
      expect(metrics).toMatch(/skill_admission_policies\{.*\} 1/);
      const denied = log.split("\n").find((line) => line.includes('"decision":"deny"'));
      expect(JSON.parse(denied ?? "{}")).toMatchObject({
        namespace: "payments",
        name: "etl",
        verdicts: [{ policy: "payments" }],
      });
    }, patience);
  });

  it("keeps its policies when their file stops making sense, and says so", async () => {
    await writeState(policyObject(), bad.object);
    serveState();
    await ready();
    await writeFile(state(), "{ not json");
    await expect.poll(async () => (await call("/readyz")).status).toBe(503);
    expect((await call("/readyz")).body).toContain("state.json");
    expect(await reviewed(podFor(good.items))).toBe(false);
    await unlink(state());
    await writeState(policyObject(), good.object);
    await expect.poll(() => reviewed(podFor(good.items))).toBe(true);
  });

  it.each(["metrics", "reviews"])("ends by itself, when the port for %s is another's", async (which) => {
    await writeState(policyObject());
    const taken = createServer().listen(which === "metrics" ? metricsPort : port, "127.0.0.1");
    await once(taken, "listening");
    try {
      const [code] = (await once(serveState(), "close")) as [number | null];
      expect(code).toBeGreaterThan(0);
      expect(log).toMatch(/cannot listen on 127\.0\.0\.1 port \d+: .*EADDRINUSE/);
    } finally {
      taken.close();
    }
  });

  it("refuses to start on policies that cannot be read", async () => {
    await writeFile(state(), "{ not json");
    const [code] = (await once(serveState(), "close")) as [number];
    expect(code).not.toBe(0);
    expect(log).toContain("state.json");
  });

  it("stops at SIGTERM with exit code 0, the reviews in flight answered", async () => {
    await writeState(policyObject(), good.object);
    const server = serveState("5");
    await ready();
    const ended = once(server, "exit");
    const reviews = Array.from({ length: 20 }, () => reviewed(podFor(good.items)));
    server.kill("SIGTERM");
    expect(await Promise.all(reviews)).not.toContain(false);
    expect((await call("/readyz")).body).toContain("shutting down");
    expect(await ended).toEqual([0, null]);
  });

  it("lists everything that is wrong with its call, and exits with 2", async () => {
    const [code] = (await once(start("--port", "x", "--timeout", "99"), "close")) as [number];
    expect(code).toBe(2);
    expect(log).toContain("--port");
    expect(log).toContain("--timeout");
  });
});
