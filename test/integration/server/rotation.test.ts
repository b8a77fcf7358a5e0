import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, describe, expect, it } from "vitest";

import {
  createCertificateHolder,
  type ServingCertificate,
} from "../../../src/server/certificates/certificate-source.ts";
import { startCertificateFiles } from "../../../src/server/certificates/from-files.ts";
import { issuer } from "../../../src/server/certificates/issuer.ts";
import { carryOut } from "../../../src/server/certificates/rotation.ts";
import { bundleOf, type CertificateState } from "../../../src/server/certificates/state.ts";
import { httpsClient } from "../../fixtures/https-client.ts";
import { realClock, startHarness, type Harness } from "./harness.ts";

const names = ["127.0.0.1"];
const review = async (): Promise<{ status: number; body: string }> => {
  await sleep(2);
  return { status: 200, body: "{}" };
};

const servingOf = (state: CertificateState): ServingCertificate => ({
  ...state.leaf,
  caBundle: bundleOf(state),
  notAfter: 0,
});

const step = (kind: "create" | "announce" | "promote" | "reissue", state?: CertificateState) =>
  carryOut(kind, state, issuer, { names, now: Date.now() });

describe("setSecureContext", () => {
  let harness: Harness | undefined;
  afterEach(() => harness?.stop());

  it("exchanges authority and leaf while reviews flow, and not one fails, whichever bundle the caller trusts", async () => {
    const created = await step("create");
    const announced = await step("announce", created);
    const promoted = await step("promote", announced);
    const certificates = createCertificateHolder(servingOf(created), (error) =>
      expect(error).toBeUndefined(),
    );
    harness = await startHarness(review, { certificates });
    const { port } = harness.server;
    let flowing = true;
    let served = 0;
    const failures: unknown[] = [];
    const flow = async (bundle: () => string, keepAlive: boolean): Promise<void> => {
      let client = httpsClient(port, bundle());
      while (flowing) {
        await client.call({ body: "{}" }).then(
          ({ status }) => (status === 200 ? (served += 1) : failures.push(status)),
          (error: unknown) => failures.push(error),
        );
        if (keepAlive) continue;
        client.agent.destroy();
        client = httpsClient(port, bundle());
      }
      client.agent.destroy();
    };
    const current = (): string => certificates.current().caBundle ?? "";
    const flows = [flow(current, true), flow(current, false), flow(() => bundleOf(announced), false)];
    const soFar = async (): Promise<void> => {
      const before = served;
      while (served < before + 30 && failures.length === 0) await sleep(5);
    };
    await soFar();
    for (const next of [announced, promoted, await step("reissue", promoted)]) {
      certificates.set(servingOf(next));
      await soFar();
    }
    // A caller with the bundle of before the announcement rejects the server.
    const outdated = httpsClient(port, bundleOf(created));
    await expect(outdated.call({ body: "{}" })).rejects.toThrow(/certificate/);
    const newest = httpsClient(port, promoted.issuing.cert);
    expect((await newest.call({ body: "{}" })).status).toBe(200);
    flowing = false;
    await Promise.all(flows);
    expect(failures).toEqual([]);
    expect(harness.faults).toEqual([]);
  });

  it("keeps the present certificate, and reports, when the next one cannot be used", async () => {
    const created = await step("create");
    const certificates = createCertificateHolder(servingOf(created), () => undefined);
    harness = await startHarness(review, { certificates });
    certificates.set({ ...servingOf(created), cert: "garbled" });
    expect(harness.faults).toHaveLength(1);
    const client = httpsClient(harness.server.port, bundleOf(created));
    expect((await client.call({ body: "{}" })).status).toBe(200);
    client.agent.destroy();
  });
});

describe("startCertificateFiles", () => {
  const folders: string[] = [];
  const ended = new AbortController();
  afterEach(async () => {
    ended.abort();
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  });

  it("reads the pair again, keeps the present one while the files do not fit, and says what is wrong once", async () => {
    const folder = await mkdtemp(join(tmpdir(), "certificates-"));
    folders.push(folder);
    const certFile = join(folder, "tls.crt");
    const keyFile = join(folder, "tls.key");
    const write = async (path: string, text: string): Promise<void> => {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    };
    const problems: string[] = [];
    let polls = 0;
    const options = {
      certFile,
      keyFile,
      signal: ended.signal,
      clock: {
        now: () => Date.now(),
        sleep: async (_milliseconds: number, signal: AbortSignal) => {
          await realClock.sleep(5, signal);
          polls += 1;
        },
      },
      report: (problem: unknown) => problems.push(String(problem)),
    };
    await expect(startCertificateFiles(options)).rejects.toThrow(/cannot read --tls-cert-file ".*tls.crt"/);
    const first = await step("create");
    const second = await step("create");
    await write(certFile, first.leaf.cert);
    await write(keyFile, second.leaf.key);
    await expect(startCertificateFiles(options)).rejects.toThrow(
      /the key does not belong to the certificate/,
    );
    await write(keyFile, first.leaf.key);
    const source = await startCertificateFiles(options);
    expect(source.current()).toMatchObject({ cert: first.leaf.cert, key: first.leaf.key });
    expect(source.current().caBundle).toBeUndefined();
    const changes: ServingCertificate[] = [];
    source.onChange((next) => changes.push(next));
    await write(certFile, second.leaf.cert);
    const since = polls;
    while (polls < since + 5) await sleep(5);
    expect(problems).toHaveLength(1);
    expect(source.current().cert).toBe(first.leaf.cert);
    await write(keyFile, second.leaf.key);
    while (changes.length === 0) await sleep(5);
    expect(changes).toMatchObject([{ cert: second.leaf.cert, key: second.leaf.key }]);
    expect(problems).toHaveLength(1);
  });

  it("serves by another authority only once callers trust it, and says meanwhile what they should trust", async () => {
    const folder = await mkdtemp(join(tmpdir(), "certificates-"));
    folders.push(folder);
    const write = async (state: CertificateState): Promise<void> => {
      const files = { "tls.crt": state.leaf.cert, "tls.key": state.leaf.key, "ca.crt": state.issuing.cert };
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    };
    const [first, second] = [await step("create"), await step("create")];
    await write(first);
    let trusted = "";
    let polls = 0;
    const stop = new AbortController();
    const problems: string[] = [];
    const source = await startCertificateFiles({
      certFile: join(folder, "tls.crt"),
      keyFile: join(folder, "tls.key"),
      caFile: join(folder, "ca.crt"),
      signal: stop.signal,
      published: (bundle) => bundle.trim() === trusted.trim(),
      clock: {
        now: () => Date.now(),
        sleep: async (_milliseconds, signal) => {
          await realClock.sleep(5, signal);
          polls += 1;
        },
      },
      report: (problem) => problems.push(String(problem)),
    });
    expect(source.current()).toMatchObject({ cert: first.leaf.cert, caBundle: first.issuing.cert.trim() });
    await write(second);
    while (source.current().caBundle !== second.issuing.cert.trim()) await sleep(5);
    const since = polls;
    while (polls < since + 5) await sleep(5);
    expect(source.current().cert).toBe(first.leaf.cert);
    trusted = second.issuing.cert;
    while (source.current().cert !== second.leaf.cert) await sleep(5);
    expect(source.current()).toMatchObject({ key: second.leaf.key, caBundle: second.issuing.cert.trim() });
    stop.abort();
  });

  it("refuses an authority that the certificate does not come from", async () => {
    const folder = await mkdtemp(join(tmpdir(), "certificates-"));
    folders.push(folder);
    const [state, other] = [await step("create"), await step("create")];
    const paths = { certFile: join(folder, "c"), keyFile: join(folder, "k"), caFile: join(folder, "a") };
    await writeFile(paths.certFile, state.leaf.cert);
    await writeFile(paths.keyFile, state.leaf.key);
    for (const ca of [other.issuing.cert, "garbled", ""]) {
      await writeFile(paths.caFile, ca);
      const { signal } = new AbortController();
      const options = { ...paths, signal, clock: realClock, report: () => undefined };
      await expect(startCertificateFiles(options)).rejects.toThrow(
        /--tls-ca-file ".*a" holds no authority, PEM, that issued the certificate/,
      );
    }
    const { signal } = new AbortController();
    const options = { ...paths, signal, clock: realClock, report: () => undefined };
    const unreadable = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    await writeFile(paths.caFile, state.issuing.cert + unreadable);
    await expect(startCertificateFiles(options)).rejects.toThrow(/holds a certificate that cannot be read/);
    await writeFile(paths.caFile, state.issuing.cert + other.issuing.cert);
    const source = await startCertificateFiles(options);
    expect(source.current().caBundle?.match(/BEGIN/g)).toHaveLength(2);
  });
});
