import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerTo, type Answer } from "../conformance/verify-bundle.ts";
import { runCommand } from "../fixtures/run-command.ts";
import { newKey, sha256Of, signArtifact, statementAbout } from "../fixtures/sigstore-artifact.ts";
import { identity, issuer, testSigstore } from "../fixtures/sigstore.ts";

const client = join(import.meta.dirname, "../conformance/client.ts");
const artifact = Buffer.from("an artifact\n");
const digest = `sha256:${sha256Of(artifact)}`;
const who = ["--certificate-identity", identity, "--certificate-oidc-issuer", issuer];
const key = newKey();

const before = process.cwd();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "conformance-"));
  const sigstore = await testSigstore();
  const write = (name: string, text: string | Uint8Array) => writeFile(join(folder, name), text);
  const writeJson = (name: string, value: object) => write(name, JSON.stringify(value));
  await write("a.txt", artifact);
  await write("b.txt", "another\n");
  await write("key.pub", key.publicKey.export({ type: "spki", format: "pem" }));
  await write("other.pub", newKey().publicKey.export({ type: "spki", format: "pem" }));
  await writeJson("root.json", sigstore.trustedRoot);
  await writeJson("bundle.json", await signArtifact(sigstore, artifact));
  await writeJson("keyed.json", await signArtifact(sigstore, artifact, { key }));
  const statement = statementAbout(sha256Of(artifact));
  await writeJson("said.json", await signArtifact(sigstore, artifact, { statement, entry: "dsse 0.0.1" }));
  // A file whose name is a digest is a file.
  await write(`sha256:${"00".repeat(32)}`, artifact);
  process.chdir(folder);
});

afterAll(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true, force: true });
});

const rooted = ["--trusted-root", "root.json"];
const verify = (bundle: string, ...args: readonly string[]): Answer =>
  answerTo(["verify-bundle", "--bundle", bundle, ...args], Date.now());

describe("verify-bundle", () => {
  it.each<[string, readonly string[]]>([
    ["a file by an identity", ["bundle.json", ...who, ...rooted, "a.txt"]],
    ["a digest by an identity", ["bundle.json", ...who, ...rooted, digest]],
    ["a file by a key", ["keyed.json", "--key", "key.pub", ...rooted, "a.txt"]],
    ["a digest by a key", ["keyed.json", "--key", "key.pub", ...rooted, digest]],
    ["a file that a statement is about", ["said.json", ...who, ...rooted, "a.txt"]],
    ["a digest that a statement is about", ["said.json", ...who, ...rooted, digest]],
    ["a file whose name is a digest", ["bundle.json", ...who, ...rooted, `sha256:${"00".repeat(32)}`]],
  ])("ends with 0 for %s", (_what, [bundle = "", ...args]) => {
    expect(verify(bundle, ...args)).toMatchObject({ code: 0 });
  });

  it.each<[string, readonly string[], string]>([
    ["another file", ["bundle.json", ...who, ...rooted, "b.txt"], "BAD_SIGNATURE"],
    ["another digest", ["bundle.json", ...who, ...rooted, `sha256:${"11".repeat(32)}`], "BAD_SIGNATURE"],
    ["another file than the statement's", ["said.json", ...who, ...rooted, "b.txt"], "BAD_SIGNATURE"],
    ["another key", ["keyed.json", "--key", "other.pub", ...rooted, "a.txt"], "BAD_SIGNATURE"],
    [
      "a key for a certificate's bundle",
      ["bundle.json", "--key", "key.pub", ...rooted, "a.txt"],
      "signed by",
    ],
    ["an identity for a key's bundle", ["keyed.json", ...who, ...rooted, "a.txt"], "UNTRUSTED_SIGNER"],
    ["another root", ["bundle.json", ...who, "a.txt"], "in no trusted Sigstore root"],
    [
      "a part of the identity",
      ["bundle.json", "--certificate-identity", identity.slice(0, -1), ...who.slice(2), ...rooted, "a.txt"],
      "signed by",
    ],
    [
      "a pattern for the identity",
      ["bundle.json", "--certificate-identity", ".*", ...who.slice(2), ...rooted, "a.txt"],
      "signed by",
    ],
    [
      "another issuer",
      ["bundle.json", ...who.slice(0, 2), "--certificate-oidc-issuer", `${issuer}/`, ...rooted, "a.txt"],
      "signed by",
    ],
    [
      "a root that is none",
      ["bundle.json", ...who, "--trusted-root", "bundle.json", "a.txt"],
      "UnusableTrust",
    ],
    ["a bundle that is none", ["root.json", ...who, ...rooted, "a.txt"], "UNSUPPORTED_FORMAT"],
  ])("ends with 1 for %s", (_what, [bundle = "", ...args], said) => {
    const result = verify(bundle, ...args);
    expect(result.code).toBe(1);
    expect(result.said).toContain(said);
  });

  it.each<[string, readonly string[], string]>([
    ["a key beside an identity", ["bundle.json", ...who, "--key", "key.pub", "a.txt"], "either --key"],
    ["an identity without its issuer", ["bundle.json", ...who.slice(0, 2), "a.txt"], "either --key"],
    ["nobody", ["bundle.json", "a.txt"], "either --key"],
    ["no artifact", ["bundle.json", ...who], "one file or digest"],
    ["two artifacts", ["bundle.json", ...who, "a.txt", "b.txt"], "one file or digest"],
    ["an unknown option", ["bundle.json", ...who, "--offline", "a.txt"], "--offline"],
    ["a file that is not there", ["bundle.json", ...who, ...rooted, "c.txt"], "cannot read c.txt"],
    ["a digest that is too short", ["bundle.json", ...who, ...rooted, digest.slice(0, -1)], "cannot read"],
    [
      "the staging instance without its root",
      ["bundle.json", "--staging", ...who, "a.txt"],
      "--trusted-root",
    ],
  ])("ends with 2 for %s", (_what, [bundle = "", ...args], said) => {
    const result = verify(bundle, ...args);
    expect(result.code).toBe(2);
    expect(result.said).toContain(said);
  });

  it("takes the staging instance by the root that is given", () => {
    const asked = ["verify-bundle", "--staging", "--bundle", "bundle.json", ...who, ...rooted, "a.txt"];
    expect(answerTo(asked, Date.now())).toMatchObject({ code: 0 });
  });

  it("signs nothing", () => {
    expect(answerTo(["sign-bundle", "--bundle", "x", "a.txt"], Date.now())).toMatchObject({ code: 2 });
  });
});

describe("the executable, as the suite starts it,", () => {
  it.each<[string, number, readonly string[]]>([
    ["proved", 0, ["bundle.json", ...who, ...rooted, "a.txt"]],
    ["refused", 1, ["bundle.json", ...who, ...rooted, "b.txt"]],
    ["a wrong call", 2, ["bundle.json", "a.txt"]],
  ])("ends with what is answered: %s, %i", async (_what, code, [bundle = "", ...args]) => {
    const answer = verify(bundle, ...args);
    expect(answer.code).toBe(code);
    expect(
      await runCommand([process.execPath, client, "verify-bundle", "--bundle", bundle, ...args]),
    ).toMatchObject({
      code,
      stdout: code === 0 ? `${answer.said}\n` : "",
      stderr: code === 0 ? "" : `${answer.said}\n`,
    });
  });
});
