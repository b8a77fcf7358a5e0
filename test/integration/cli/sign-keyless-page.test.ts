import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandsOf, typed } from "../../fixtures/documented.ts";
import { identity, issuer } from "../../fixtures/sigstore.ts";
import { startSigstore, tokenOf, type SigstoreServer } from "../../fixtures/sigstore-server.ts";
import { alias, projectRoot } from "./page.ts";

const page = "docs/formats/sigstore.md";

let server: SigstoreServer;
let folder: string;

beforeAll(async () => {
  server = await startSigstore();
  folder = await mkdtemp(join(tmpdir(), "sign-keyless-page-"));
  await cp(join(projectRoot, "examples/skills/incident-summary"), join(folder, "incident-summary"), {
    recursive: true,
  });
  await writeFile(join(folder, "trusted_root.json"), JSON.stringify(server.sigstore.trustedRoot));
  await writeFile(join(folder, "token.jwt"), tokenOf({ sub: identity, iss: issuer }));
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

describe("docs/formats/sigstore.md on signing", () => {
  it("has an example that works as it is typed, and shows what it prints", async () => {
    const commands = (await commandsOf(page))("--keyless");
    const shown = (await commandsOf(page, "text"))("signed incident-summary");
    const shell = { cwd: folder, env: { ...process.env, SIGSTORE: server.url } };
    expect(await typed(alias + commands, shell)).toBe(shown);
  });
});
