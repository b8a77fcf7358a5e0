import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTrustedRoot } from "../../../src/signature/sigstore/root/trusted-root.ts";
import type { SignatureEvidence } from "../../../src/signature/signature-evidence.ts";
import { verifySignature } from "../../../src/signature/verify.ts";
import { trustOf } from "../../fixtures/certificates.ts";
import { readTree } from "../../fixtures/corpus.ts";
import { identity, issuer } from "../../fixtures/sigstore.ts";
import { startSigstore, tokenOf, type SigstoreServer } from "../../fixtures/sigstore-server.ts";
import { skillOf } from "../../fixtures/signed-skill.ts";
import { run } from "../cli/line.ts";
import { startReference, type Reference, type ReferenceResult } from "./reference.ts";

let reference: Reference;
let folder: string;
let server: SigstoreServer;

beforeAll(async () => {
  reference = await startReference();
  folder = await mkdtemp(join(tmpdir(), "keyless-interop-"));
  server = await startSigstore();
}, 300_000);

afterAll(async () => {
  await reference.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function put(path: string, content: string | Uint8Array): Promise<string> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

/** A skill in a folder, and where it is to be signed. */
async function arrange(at: string, timestamps: boolean) {
  const skill = skillOf("data-designer");
  for (const [path, { bytes }] of skill.files) await put(`${at}/${skill.name}/${path}`, bytes);
  const service = (url: string) => ({
    url,
    majorApiVersion: 1,
    validFor: { start: "2024-01-01T00:00:00Z" },
    operator: "test",
  });
  const tsa = { tsaUrls: [service(`${server.url}/api/v1/timestamp`)], tsaConfig: { selector: "ANY" } };
  const config = {
    mediaType: "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
    trustedRoot: server.sigstore.trustedRoot,
    signingConfig: {
      mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
      caUrls: [service(server.url)],
      oidcUrls: [service(server.url)],
      rekorTlogUrls: [service(server.url)],
      rekorTlogConfig: { selector: "ANY" },
      ...(timestamps ? tsa : {}),
    },
  };
  const directory = join(folder, at, skill.name);
  return {
    directory,
    signature: join(directory, "skill.oms.sig"),
    config: await put(`${at}/trust-config.json`, JSON.stringify(config)),
  };
}

type Arranged = Awaited<ReturnType<typeof arrange>>;

const verifyByReference = (
  { directory, signature, config }: Arranged,
  who = identity,
): Promise<ReferenceResult> =>
  reference.run([
    ...["verify", "sigstore", "--signature", signature, "--trust_config", config],
    ...["--identity", who, "--identity_provider", issuer, directory],
  ]);

function verify({ directory }: Arranged): SignatureEvidence {
  const root = readTrustedRoot(JSON.stringify(server.sigstore.trustedRoot), ["ours"]);
  return verifySignature(readTree(directory), { ...trustOf({}), sigstore: [root] }, Date.now());
}

describe("we sign without a key, the reference verifies", () => {
  it.each([
    ["a log entry", false],
    ["a log entry and a timestamp", true],
  ])("with %s", async (at, timestamps) => {
    const arranged = await arrange(at, timestamps);
    const { directory, config } = arranged;
    const { code, err } = await run(["sign", directory, "--keyless", "--trust-config", config], {
      identityToken: tokenOf({ sub: identity, iss: issuer }),
    });
    expect([code, err]).toEqual([0, ""]);
    expect(verify(arranged)).toMatchObject({ outcome: "signed", signer: { identity, issuer } });
    const good = await verifyByReference(arranged);
    expect(good.output).toContain("Verification succeeded");
    expect(good.ok).toBe(true);
    expect((await verifyByReference(arranged, `${identity}.1`)).ok).toBe(false);
    await writeFile(join(directory, "SKILL.md"), "# other\n");
    expect((await verifyByReference(arranged)).output).toMatch(/Hash mismatch for \\?'SKILL\.md/);
    expect(verify(arranged)).toMatchObject({ outcome: "tampered" });
  });
});
