import { describe, expect, it } from "vitest";
import { commandsOf, type, typed } from "../../fixtures/documented.ts";
import { alias, shellWithHome, snapshotOn } from "./page.ts";

const page = "docs/formats/trust-card.md";

const shell = shellWithHome();

describe("docs/formats/trust-card.md", () => {
  it("has a worked example that works as it is typed, and shows what it prints", async () => {
    const commands = await commandsOf(page);
    const shown = await commandsOf(page, "text");
    expect(await typed(alias + commands("openssl genpkey"), shell)).toContain(
      shown("incident-summary  pass"),
    );

    const home = { ...shell, cwd: shell.env["HOME"]! };
    const changed = await type(alias + commands("evil.invalid"), home);
    expect(changed).toEqual({ code: 1, out: shown("incident-summary  FAIL") });
  });

  it("has a trust root and a policy that can be used", async () => {
    const snapshot = await snapshotOn(page);
    expect(snapshot.problems).toEqual([]);
    expect(snapshot.policies[0]!.publishers.map(({ kind }) => kind)).toEqual(["key", "keyless"]);
  });
});
