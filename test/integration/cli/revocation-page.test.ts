import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandsOf, type, typed } from "../../fixtures/documented.ts";
import { alias, shellWithHome } from "./page.ts";

const page = "docs/revocation.md";

const shell = shellWithHome();

describe("docs/revocation.md", () => {
  it("revokes a file as it is typed, and shows what is printed", async () => {
    const commands = await commandsOf(page);
    const shown = await commandsOf(page, "text");
    const signed = await typed(alias + commands("skill-admission sign"), shell);
    expect(signed).toContain(shown("incident-summary  pass"));
    const home = { ...shell, cwd: shell.env["HOME"]! };
    const revoked = await type(alias + commands("SkillRevocationList"), home);
    expect(revoked).toEqual({ code: 1, out: shown("SEC-1234") });
    const short = await type(alias + commands("--revocations"), home);
    expect(short).toMatchObject({
      code: 1,
      out: expect.stringContaining("\n  REVOKED scripts/timeline.sh: ") as string,
    });
  });

  it("revokes a signer's certificate by its authority's list, as typed after the example of signing", async () => {
    const signing = await commandsOf("docs/formats/oms.md");
    await rm(join(shell.env["HOME"]!, "incident-summary"), { recursive: true, force: true });
    await typed(alias + signing("--public-key"), shell);
    const home = { ...shell, cwd: shell.env["HOME"]! };
    await typed(alias + signing("--certificate-chain"), home);
    const revoked = await type(alias + (await commandsOf(page))("-gencrl"), home);
    const shown = (await commandsOf(page, "text"))("list acme/ca");
    const today = new Date().toISOString().slice(0, 10);
    expect(revoked.code).toBe(1);
    expect(revoked.out).toContain(shown.replace("2026-11-21", today));
  });
});
