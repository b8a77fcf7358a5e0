import { existsSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type, typed, type Shell } from "../../fixtures/documented.ts";
import { projectRoot } from "./page.ts";

let home: string;
/** A machine without the clone and without a registry: nothing in PATH but the system, Node and the prefix. */
let shell: Shell;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "skill-admission-packed-"));
  const pack = `node scripts/pack.ts --to ${home}`;
  const path = `${dirname(process.execPath)}:${process.env["PATH"]}`;
  await typed(pack, { cwd: projectRoot, env: { ...process.env, PATH: path } });
  shell = {
    cwd: home,
    env: {
      HOME: home,
      npm_config_cache: join(home, "cache"),
      PATH: `${join(home, "prefix/bin")}:${path}`,
    },
  };
  await typed("npm install -g --offline --prefix prefix ./skill-admission-*.tgz", shell);
});

afterAll(() => rm(home, { recursive: true, force: true }));

/** Has the Node of a command call itself another version. */
const called = (version: string): string =>
  `export NODE_OPTIONS="--import data:text/javascript,Object.defineProperty(process,'version',{value:'${version}'})"\n`;

describe("the tarball of npm run pack, installed offline", () => {
  it("is a command by itself", async () => {
    const { version } = JSON.parse(await typed(`cat ${join(projectRoot, "package.json")}`, shell)) as {
      readonly version: string;
    };
    expect(await typed("skill-admission --version", shell)).toBe(`${version}\n`);
    expect((await typed("command -v skill-admission", shell)).trim()).toBe(
      join(home, "prefix/bin/skill-admission"),
    );
  });

  it("has all that its commands need", async () => {
    const { code, out } = await type(
      `mkdir my-skill; printf -- '---\\nname: my-skill\\ndescription: A skill.\\n---\\n# Demo\\n' >my-skill/SKILL.md
openssl ecparam -name prime256v1 -genkey -noout -out my.key; openssl pkey -in my.key -pubout -out my.pub
skill-admission sign my-skill --key my.key
skill-admission verify my-skill --public-key my.pub
skill-admission package my-skill --with-pod busybox >pod.yaml
cat >policy.yaml <<POLICY
apiVersion: skill-admission.dev/v1alpha1
kind: ClusterSkillPolicy
metadata: {name: mine}
spec: {publishers: [{name: me, publicKey: {pem: "$(sed 's/$/\\\\n/' my.pub | tr -d '\\n')"}}]}
POLICY
skill-admission apply --policy policy.yaml -f pod.yaml
skill-admission serve --help
echo x >>my-skill/SKILL.md
skill-admission verify my-skill --public-key my.pub`,
      shell,
    );
    expect(out).toContain("1 skill: 1 passed");
    expect(out).toContain("1 object: 1 passed");
    expect(out).toContain("--webhook-url");
    expect(out).toContain("DIGEST_MISMATCH SKILL.md");
    expect(code, out).toBe(1);
  });

  it("brings neither what only the clone needs nor a script that npm would run", async () => {
    const root = join(home, "prefix/lib/node_modules/skill-admission");
    const found = await typed(`ls -A ${root} ${root}/dist`, shell);
    expect(found).not.toMatch(/\.tsbuildinfo|test|src|scripts/);
    const manifest = JSON.parse(await typed(`cat ${root}/package.json`, shell)) as object;
    expect(manifest).not.toHaveProperty("scripts");
    expect(manifest).not.toHaveProperty("private");
    expect(existsSync(join(root, "node_modules/vitest"))).toBe(false);
  });

  it("says which Node it needs where an older one is there", async () => {
    expect(await type(`${called("v20.1.0")}skill-admission --version`, shell)).toEqual({
      code: 2,
      out: "error: skill-admission runs on Node 24 or newer, and this is v20.1.0\ninstall Node 24, and put it into PATH before the other\n",
    });
    expect(await type(`${called("v26.0.0")}skill-admission --version`, shell)).toMatchObject({ code: 0 });
  });
});

const packaged = join(projectRoot, `node_modules/node-${process.platform}-${process.arch}/bin/node`);

describe("the command of a clone", () => {
  it("runs on the Node among its packages where an older one is there", async () => {
    const launch = `node ${join(projectRoot, "bin/skill-admission.js")}`;
    // NODE_OPTIONS reaches the second Node, too, which does not look at its version.
    const { code, out } = await type(`${called("v20.1.0")}${launch} verify nowhere`, shell);
    if (existsSync(packaged))
      expect([code, out]).toEqual([2, expect.stringContaining("nowhere does not exist")]);
    else expect([code, out]).toEqual([2, expect.stringContaining("runs on Node 24 or newer")]);
    const skill = join(projectRoot, "examples/skills/incident-summary");
    const facts = await type(`${launch} verify ${skill}`, shell);
    expect([facts.code, facts.out]).toEqual([3, expect.stringContaining("1 skill: 0 passed, 1 not judged")]);
  });
});
