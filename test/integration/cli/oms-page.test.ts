import { describe, expect, it } from "vitest";
import { commandsOf, typed } from "../../fixtures/documented.ts";
import { alias, shellWithHome } from "./page.ts";

const page = "docs/formats/oms.md";

const shell = shellWithHome();

describe("docs/formats/oms.md", () => {
  it("has worked examples by key and by certificate that work as they are typed", async () => {
    const commands = await commandsOf(page);
    const shown = await commandsOf(page, "text");
    const byKey = await typed(alias + commands("--public-key"), shell);
    expect(byKey).toContain(shown("my-pub"));
    const home = { ...shell, cwd: shell.env["HOME"]! };
    const byCertificate = await typed(alias + commands("--certificate-chain"), home);
    expect(byCertificate).toContain(shown("Acme Skills Signer"));
  });

  it("takes NVIDIA's root out of the example, whose fingerprint stands beside it", async () => {
    const fingerprint = await typed((await commandsOf(page))("nvidia-root.pem"), shell);
    const digest = /=([0-9A-F:]+)\n$/.exec(fingerprint)?.[1] ?? "none";
    const root = await typed("grep -o 'SHA-256 [0-9A-F:]*' examples/policies/trust-roots.yaml", shell);
    expect(root).toBe(`SHA-256 ${digest}\n`);
  });
});
