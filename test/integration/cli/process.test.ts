import { clusterSkillPolicy } from "../../fixtures/resources.ts";
import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

const main = join("dist", "main.js");
let home: string;

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const run = (args: readonly string[], stdin = "", env: Readonly<Record<string, string>> = {}) =>
  new Promise<Ended>((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { env: { ...process.env, ...env } },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
    child.stdin?.end(stdin);
  });

function put(path: string, content: string): string {
  mkdirSync(join(home, path, ".."), { recursive: true });
  writeFileSync(join(home, path), content);
  return join(home, path);
}

beforeAll(() => {
  if (!existsSync(main)) throw new Error("dist/main.js is missing: npm run build");
  home = mkdtempSync(join(tmpdir(), "process-"));
  put("demo/SKILL.md", "---\nname: demo\ndescription: A skill.\n---\n# Demo\n");
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  put(
    "my.key",
    privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "p" }) as string,
  );
  put("my.pub", publicKey.export({ type: "spki", format: "pem" }) as string);
});

afterAll(() => {
  rmSync(home, { recursive: true });
});

describe("the process", () => {
  it("signs, verifies, packs and reviews, with nothing but text and exit codes between the steps", async () => {
    const [skill, pub] = [join(home, "demo"), join(home, "my.pub")];
    const signed = await run(["sign", skill, "--key", join(home, "my.key")], "", {
      SKILL_ADMISSION_KEY_PASSPHRASE: "p",
    });
    expect(signed).toMatchObject({ code: 0, err: "" });
    expect(await run(["verify", skill, "--public-key", pub])).toMatchObject({ code: 0, err: "" });
    const packed = await run(["package", skill, "--with-pod", "busybox"]);
    expect(packed.code).toBe(0);
    const spec = {
      publishers: [{ name: "me", publicKey: { pem: (await import("node:fs")).readFileSync(pub, "utf8") } }],
    };
    const policy = put("p.json", JSON.stringify(clusterSkillPolicy("p", spec)));
    const apply = ["apply", "--policy", policy, "--resource", "-", "-o", "json"];
    const admitted = await run(apply, packed.out);
    expect([admitted.code, admitted.err]).toEqual([0, ""]);
    expect(JSON.parse(admitted.out)).toMatchObject({ outcome: "allow", skills: [{ skill: "demo" }] });
    expect((await run(apply, packed.out.replace("# Demo", "# Evil"))).code).toBe(1);
  });

  it("ends with 2 for a wrong call and 3 with nobody to trust", async () => {
    expect((await run(["verify"])).code).toBe(2);
    expect((await run(["verify", join(home, "no")])).code).toBe(2);
    expect((await run(["verify", join(home, "demo")])).code).toBe(3);
  });

  it("writes neither colour nor progress into pipes", async () => {
    const { out, err } = await run([
      "verify",
      join(home, "demo"),
      join(home, "demo"),
      "--public-key",
      join(home, "my.pub"),
    ]);
    expect(out + err).not.toContain("\u001b");
    expect(err).toBe("");
  });
});
