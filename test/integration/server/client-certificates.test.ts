import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";

import "reflect-metadata";
import { SubjectAlternativeNameExtension } from "@peculiar/x509";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { startClientAuthority } from "../../../src/server/certificates/client-authority.ts";
import type { Answer } from "../../fixtures/answer.ts";
import {
  issueAuthority,
  issueCertificate,
  issueChain,
  type CertificateOptions,
  type IssuedCertificate,
} from "../../fixtures/certificates.ts";
import { httpsClient, rawConnection, untilClosed, type ClientPair } from "../../fixtures/https-client.ts";
import { realClock, startHarness, type Harness } from "./harness.ts";

const clientAuth = "1.3.6.1.5.5.7.3.2";
const serverAuth = "1.3.6.1.5.5.7.3.1";
const name = "kube-apiserver-webhooks";

const pairOf = ({ pem, keyPem }: IssuedCertificate): ClientPair => ({ cert: pem, key: keyPem });

describe("POST /validate, for clients with a certificate", () => {
  let folder: string;
  let authority: IssuedCertificate;
  /** A second authority. */
  let other: IssuedCertificate;
  let caFile: string;
  let harness: Harness;
  let ended: AbortController;
  let reviewed: number;
  let time: number;
  const problems: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "client-ca-"));
    [authority, other] = await Promise.all([
      issueAuthority({ subject: "CN=Clients" }),
      issueAuthority({ subject: "CN=Clients 2" }),
    ]);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const write = async (...authorities: readonly string[]): Promise<void> => {
    await writeFile(`${caFile}.new`, authorities.join("\n"));
    await rename(`${caFile}.new`, caFile);
  };
  const issue = async (options: CertificateOptions = {}): Promise<ClientPair> =>
    pairOf(
      await issueCertificate({
        subject: `CN=${name}`,
        issuer: authority,
        extendedKeyUsage: [clientAuth],
        ...options,
      }),
    );
  beforeEach(async () => {
    caFile = join(folder, "ca.crt");
    await write(authority.pem);
    ended = new AbortController();
    reviewed = 0;
    time = Date.now();
    problems.length = 0;
    const clock = { now: Date.now, sleep: () => realClock.sleep(20, ended.signal) };
    const clients = await startClientAuthority({
      caFile,
      names: [name, "spiffe://cluster/api"],
      clock,
      signal: ended.signal,
      report: (problem) => problems.push(String(problem)),
    });
    harness = await startHarness(
      () => {
        reviewed += 1;
        return Promise.resolve({ status: 200, body: "{}" });
      },
      { clients, now: () => time },
    );
  });
  afterEach(async () => {
    await harness.stop();
    ended.abort();
  });

  const ask = async (pair?: ClientPair): Promise<Answer> => {
    const client = httpsClient(harness.server.port, harness.ca, 1, pair);
    try {
      return await client.call({ body: "{}" });
    } finally {
      client.agent.destroy();
    }
  };
  const eventually = async (pair: ClientPair, status: number): Promise<void> => {
    let answer = await ask(pair);
    for (let i = 0; i < 100 && answer.status !== status; i += 1) {
      await sleep(20);
      answer = await ask(pair);
    }
    expect(answer.status, answer.body).toBe(status);
  };

  it("reviews for a certificate with one of the names: common name or alternative name", async () => {
    expect(await ask(await issue())).toMatchObject({ status: 200, body: "{}" });
    const alternatives = [
      { type: "dns", value: "elsewhere.example" },
      { type: "url", value: "spiffe://cluster/api" },
    ] as const;
    const extensions = [new SubjectAlternativeNameExtension([...alternatives])];
    expect((await ask(await issue({ subject: "CN=any", extensions }))).status).toBe(200);
    expect((await ask(await issue({ subject: `CN=${name}`, extendedKeyUsage: [] }))).status).toBe(200);
    const chain = await issueChain({
      root: { subject: "CN=Root" },
      leaf: { subject: `CN=${name}`, extendedKeyUsage: [clientAuth] },
    });
    const whole = { cert: `${chain.leaf.pem}\n${chain.intermediate.pem}`, key: chain.leaf.keyPem };
    await write(authority.pem, chain.root.pem, chain.intermediate.pem);
    await eventually(whole, 200);
    await eventually(pairOf(chain.leaf), 200);
    // An authority that only the client brings could not be taken out again.
    await write(authority.pem, chain.root.pem);
    await eventually(whole, 403);
  });

  it("tells a client without a certificate what is missing, and reviews nothing; probes go on without one", async () => {
    const { status, body } = await ask();
    expect(status).toBe(401);
    expect(body).toMatch(/^no client certificate came, so nothing is reviewed: give the API server/);
    expect(harness.refusals).toEqual([{ status: 401, message: body.trimEnd(), client: "127.0.0.1" }]);
    for (const path of ["/healthz", "/readyz"])
      expect((await harness.client.call({ method: "GET", path })).status).toBe(200);
    expect(reviewed).toBe(0);
  });

  it("does not wait for the body of whom it refuses", async () => {
    const socket = await rawConnection(harness.server.port, harness.ca);
    const closed = untilClosed(socket);
    socket.write(
      "POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    );
    expect(await closed).toMatch(/^HTTP\/1.1 401 /);
  });

  it("refuses certificates of other names, however close they come", async () => {
    const near = [
      `CN=${name}.example`,
      `CN=${name.toUpperCase()}`,
      "CN=system:node:worker-1, O=system:nodes",
      `O=${name}`,
      `CN="${name}, x"`,
    ];
    for (const subject of near) {
      const { status, body } = await ask(await issue({ subject }));
      expect(status, subject).toBe(403);
      expect(body).toMatch(/^the client certificate is for .*, whom --client-name does not name/);
    }
    const sans = [
      { type: "dns", value: `*.${name}` },
      { type: "dns", value: `x, DNS:${name}` },
      { type: "url", value: `urn:x, URI:spiffe://cluster/api` },
      { type: "email", value: `x@y.example, DNS:${name}` },
    ] as const;
    for (const san of sans) {
      const extensions = [new SubjectAlternativeNameExtension([san])];
      expect((await ask(await issue({ subject: "CN=x", extensions }))).status, san.value).toBe(403);
    }
    expect(reviewed).toBe(0);
  });

  it("refuses certificates that TLS does not take: of another authority, expired, early, for servers, self-signed", async () => {
    const bad: readonly [CertificateOptions, RegExp][] = [
      [{ issuer: other }, /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT/],
      [{ issuer: other, issuerName: "CN=Clients" }, /CERT_SIGNATURE_FAILURE/],
      [{ notBefore: -3, notAfter: -1 }, /CERT_HAS_EXPIRED/],
      [{ notBefore: 1 }, /CERT_NOT_YET_VALID/],
      [{ extendedKeyUsage: [serverAuth] }, /INVALID_PURPOSE/],
    ];
    for (const [options, code] of bad) {
      const { status, body } = await ask(await issue(options));
      expect([status, body]).toEqual([403, expect.stringMatching(code)]);
    }
    const own = pairOf(await issueCertificate({ subject: `CN=${name}`, extendedKeyUsage: [clientAuth] }));
    expect((await ask(own)).status).toBe(403);
    // A certificate of a leaf that signs as an authority.
    const leaf = await issueCertificate({ subject: `CN=${name}`, issuer: authority });
    const below = await issueCertificate({ subject: `CN=${name}`, issuer: leaf });
    expect((await ask({ cert: `${below.pem}\n${leaf.pem}`, key: below.keyPem })).status).toBe(403);
    expect(reviewed).toBe(0);
  });

  it("follows the file: a new authority counts from the next connection on, one that has gone counts no more, on open connections either", async () => {
    const [old, next] = await Promise.all([issue(), issue({ issuer: other })]);
    expect((await ask(next)).status).toBe(403);
    const open = httpsClient(harness.server.port, harness.ca, 1, old);
    expect((await open.call({ body: "{}" })).status).toBe(200);
    await write(authority.pem, other.pem);
    await eventually(next, 200);
    expect((await open.call({ body: "{}" })).status).toBe(200);
    expect((await ask(old)).status).toBe(200);
    await write(other.pem);
    await eventually(old, 403);
    // The connection from before, and the present authority in the chain that it sends would not help.
    const { status, body } = await open.call({ body: "{}" });
    expect([status, body]).toEqual([
      403,
      expect.stringMatching(/^the authority that issued the client certificate is not in --client-ca-file/),
    ]);
    expect((await ask(next)).status).toBe(200);
    open.agent.destroy();
    expect(problems).toEqual([]);
  });

  it("keeps what it has while the file cannot be used, and says so once", async () => {
    const pair = await issue();
    const leaf = await issueCertificate({ issuer: authority });
    for (const [text, said] of [
      ["", /must hold certificates of authorities, PEM, .*: 0 of 0 in it are/],
      [`${authority.pem}\n${leaf.pem}`, /: 1 of 2 in it are/],
    ] as const) {
      problems.length = 0;
      await write(text);
      while (problems.length === 0) await sleep(10);
      await sleep(100);
      expect(problems).toEqual([expect.stringMatching(said)]);
      expect((await ask(pair)).status).toBe(200);
    }
  });

  it("refuses over an open connection, once its certificate has expired", async () => {
    const open = httpsClient(harness.server.port, harness.ca, 1, await issue({ notAfter: 1 }));
    expect((await open.call({ body: "{}" })).status).toBe(200);
    time += 25 * 3600 * 1000;
    expect(await open.call({ body: "{}" })).toMatchObject({
      status: 403,
      body: expect.stringMatching(/^the client certificate has expired/) as string,
    });
    open.agent.destroy();
  });

  it("resumes no session, whatever TLS version: the certificate is looked at anew", async () => {
    const pair = await issue();
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const sessions: Buffer[] = [];
      const once = async (session?: Buffer): Promise<readonly [boolean, string]> => {
        const socket: TLSSocket = connect({
          host: "127.0.0.1",
          port: harness.server.port,
          ca: harness.ca,
          maxVersion: version,
          ...(session === undefined ? pair : { session }),
        });
        socket.on("session", (one: Buffer) => sessions.push(one));
        const closed = untilClosed(socket);
        let reused = false;
        socket.on("secureConnect", () => (reused = socket.isSessionReused()));
        socket.write(
          "POST /validate HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
        );
        const text = await closed;
        return [reused, text.slice(9, 12)];
      };
      expect(await once()).toEqual([false, "200"]);
      // Resumed, the session would stand for the certificate, which this client does not have.
      for (const session of [...sessions]) expect(await once(session)).toEqual([false, "401"]);
    }
    expect(reviewed).toBe(2);
  });
});

describe("startClientAuthority", () => {
  const start = (caFile: string): Promise<unknown> =>
    startClientAuthority({
      caFile,
      names: [name],
      clock: realClock,
      signal: AbortSignal.abort(),
      report: () => undefined,
    });

  it("does not start without the file, and names it", async () => {
    await expect(start("/nowhere/ca.crt")).rejects.toThrow(
      /cannot read --client-ca-file "\/nowhere\/ca.crt"/,
    );
  });
});
