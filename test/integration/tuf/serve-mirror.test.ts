import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publicGoodRoot } from "../../../src/signature/sigstore/root/public-good-root.ts";
import { issueAuthority, issueCertificate, servedAt } from "../../fixtures/certificates.ts";
import { freePort } from "../../fixtures/free-port.ts";
import { TufRepository } from "../../fixtures/tuf-repository.ts";
import { tufServer, type TufServer } from "../../fixtures/tuf-server.ts";
import { skillTrustRoot } from "../../fixtures/resources.ts";

const main = join(import.meta.dirname, "../../../dist/main.js");

let folder: string;
let mirror: TufServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skill-admission-mirror-"));
  const authority = await issueAuthority();
  const leaf = await issueCertificate({
    issuer: authority,
    subject: "CN=mirror",
    extendedKeyUsage: ["1.3.6.1.5.5.7.3.1"],
    extensions: [servedAt("127.0.0.1")],
  });
  const repository = new TufRepository();
  repository.publish(publicGoodRoot);
  mirror = await tufServer(repository.files, { key: leaf.keyPem, cert: leaf.pem });
  await writeFile(join(folder, "authority.crt"), authority.pem);
  const tuf = { mirror: mirror.url, root: repository.root };
  await writeFile(
    join(folder, "root.json"),
    JSON.stringify(skillTrustRoot("r", { sigstore: [{ name: "s", tuf }] })),
  );
});

afterAll(async () => {
  await mirror.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the program until the work is done. */
async function serving(
  environment: Readonly<Record<string, string>>,
  work: (read: () => Promise<string>, log: () => string) => Promise<void>,
): Promise<void> {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const ports = [`--port=${port}`, `--metrics-port=${metricsPort}`, "--grace-seconds=0"];
  const args = [main, "serve", "--state", folder, "--address=127.0.0.1", ...ports];
  const child: ChildProcess = spawn(process.execPath, [...args, `--tuf-mirror=${mirror.url}`], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  let log = "";
  child.stdout?.on("data", (part: Buffer) => (log += part.toString()));
  child.stderr?.on("data", (part: Buffer) => (log += part.toString()));
  try {
    await work(
      async () =>
        (await fetch(`http://127.0.0.1:${metricsPort}/metrics`).catch(() => undefined))?.text() ?? "",
      () => log,
    );
    child.kill("SIGTERM");
    expect((await ended)[0]).toBe(0);
  } finally {
    child.kill("SIGKILL");
  }
}

describe("serve with a private TUF mirror", () => {
  it("takes its authority from NODE_EXTRA_CA_CERTS", async () => {
    await serving({ NODE_EXTRA_CA_CERTS: join(folder, "authority.crt") }, async (read) => {
      await expect
        .poll(read, { timeout: 60_000 })
        .toMatch(/^skill_admission_trusted_root_mirror_up\{root="r\/s"\} 1$/m);
      await expect
        .poll(read)
        .toMatch(/^skill_admission_trusted_root_refreshed_timestamp_seconds\{root="r\/s"\} 1\.?\d+/m);
    });
  });

  it("starts, is ready and trusts nothing of it, where that authority is not known", async () => {
    await serving({ NODE_EXTRA_CA_CERTS: "" }, async (read, log) => {
      await expect.poll(log, { timeout: 60_000 }).toMatch(/the TUF mirror https:.*certificate/);
      await expect.poll(log, { timeout: 60_000 }).toContain('"msg":"ready"');
      await expect.poll(read).toMatch(/^skill_admission_trusted_root_mirror_up\{root="r\/s"\} 0$/m);
    });
  });
});
