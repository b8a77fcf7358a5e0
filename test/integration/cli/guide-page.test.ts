import { describe, expect, it } from "vitest";
import { commandsOf, type, typed } from "../../fixtures/documented.ts";
import { alias, shellWithHome, snapshotOn } from "./page.ts";

const page = "docs/formats/guide.md";

const shell = shellWithHome();

describe("docs/formats/guide.md", () => {
  it("has a worked example that works as it is typed, and shows what it prints", async () => {
    const commands = await commandsOf(page);
    const shown = await commandsOf(page, "text");
    const signed = await typed(alias + commands("openssl genpkey"), shell);
    expect(signed).toContain(shown("incident-summary  pass"));

    const home = { ...shell, cwd: shell.env["HOME"]! };
    expect(await typed(commands("openssl pkeyutl"), home)).toContain(shown("Verified Successfully"));

    const changed = await type(alias + commands("evil.invalid"), home);
    expect(changed).toEqual({ code: 1, out: shown("incident-summary  FAIL") });
  });

  it("has a trust root and a policy that can be used", async () => {
    const snapshot = await snapshotOn(page);
    expect(snapshot.problems).toEqual([]);
    expect(snapshot.trust.keys[0]?.key.asymmetricKeyType).toBe("ed25519");
  });
});
