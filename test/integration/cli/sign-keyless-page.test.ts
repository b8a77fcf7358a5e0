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

  it("has a job of GitHub Actions and a token in the environment taken up by the process", async () => {
    const services = `--fulcio-url ${server.url} --rekor-url ${server.url} --trusted-root trusted_root.json`;
    const script = `${alias}skill-admission sign incident-summary --force --keyless ${services}\n`;
    const env = { ...process.env, SIGSTORE_ID_TOKEN: "" };
    const byToken = {
      cwd: folder,
      env: { ...env, SIGSTORE_ID_TOKEN: tokenOf({ sub: identity, iss: issuer }) },
    };
    expect(await typed(script, byToken)).toContain(`signer    ${identity} (${issuer})\n`);
    const other = "https://token.actions.example.com";
    server.override.set("/job?audience=sigstore", () =>
      Promise.resolve({
        statusCode: 200,
        response: JSON.stringify({ value: tokenOf({ sub: identity, iss: other }) }),
      }),
    );
    const job = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${server.url}/job`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token",
    };
    expect(await typed(script, { cwd: folder, env: { ...env, ...job } })).toContain(
      `signer    ${identity} (${other})\n`,
    );
  });
});
