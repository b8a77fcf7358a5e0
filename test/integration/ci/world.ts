import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll } from "vitest";

import { clusterSkillPolicy } from "../../fixtures/resources.ts";
import { toolPath } from "../../cluster/harness/binaries.ts";
import { type, typed, type Shell, type Typed } from "../../fixtures/documented.ts";

export const projectRoot = join(import.meta.dirname, "../../..");
export const examples = join(projectRoot, "examples/ci");

/** A repository with two skills, a README beside them, policies and manifests. */
export interface World {
  readonly home: string;
  /** Puts everything back as it was: signed, and nothing left by a step before. */
  reset(): void;
  /** Changes a byte of a skill, and of the ConfigMap that carries it. */
  tamper(): void;
  has(path: string): boolean;
  read(path: string): string;
  write(path: string, text: string): void;
  /** Runs a step as CI does: bash, ended by the first failure. */
  step(script: string, env?: Readonly<Record<string, string>>): Promise<Typed>;
}

const skillText = (name: string): string => `---\nname: ${name}\ndescription: A skill.\n---\n# Demo\n`;

/** Installs what the pieces install, the tarball, as its test has it, in no time. */
const npm = `#!/bin/sh
[ "$1 $2" = "install --global" ] && [ "$3" = tools/skill-admission-0.1.0.tgz ] && [ $# -eq 3 ] && exit 0
echo "npm was not to be called with: $*" >&2
exit 9
`;

async function fill(at: string, shell: Shell): Promise<void> {
  for (const name of ["one", "two"]) {
    mkdirSync(join(at, "skills", name), { recursive: true });
    writeFileSync(join(at, "skills", name, "SKILL.md"), skillText(name));
  }
  writeFileSync(join(at, "skills/README.md"), "# Skills\n");
  mkdirSync(join(at, "policies"));
  mkdirSync(join(at, "deploy"));
  await typed(
    `openssl ecparam -name prime256v1 -genkey -noout -out ../my.key
openssl pkey -in ../my.key -pubout -out ../my.pub
for one in skills/*/; do skill-admission sign "$one" --key ../my.key; done
skill-admission package skills/one --with-pod busybox >deploy/one.yaml`,
    { ...shell, cwd: at },
  );
  const pem = readFileSync(join(at, "../my.pub"), "utf8");
  const policy = clusterSkillPolicy("mine", { publishers: [{ name: "me", publicKey: { pem } }] });
  writeFileSync(join(at, "policies/mine.json"), JSON.stringify(policy));
}

function programs(bin: string): void {
  mkdirSync(bin);
  const program = `#!/bin/sh\nexec "${process.execPath}" "${join(projectRoot, "dist/main.js")}" "$@"\n`;
  writeFileSync(join(bin, "skill-admission"), program, { mode: 0o755 });
  writeFileSync(join(bin, "npm"), npm, { mode: 0o755 });
}

/** Makes one for a test file, which removes it at its end. */
export async function makeWorld(): Promise<World> {
  const root = mkdtempSync(join(tmpdir(), "skill-admission-ci-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const [home, pristine] = [join(root, "work"), join(root, "pristine")];
  programs(join(root, "bin"));
  const path = `${join(root, "bin")}:${dirname(await toolPath("kubectl"))}:${process.env["PATH"]}`;
  const shell: Shell = { cwd: home, env: { ...process.env, HOME: root, PATH: path } };
  mkdirSync(pristine);
  await fill(pristine, shell);
  const read = (file: string): string => readFileSync(join(home, file), "utf8");
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(home, file)), { recursive: true });
    writeFileSync(join(home, file), text);
  };
  return {
    home,
    read,
    write,
    has: (file) => existsSync(join(home, file)),
    reset: () => {
      rmSync(home, { recursive: true, force: true });
      cpSync(pristine, home, { recursive: true });
    },
    tamper: () => {
      for (const file of ["skills/one/SKILL.md", "deploy/one.yaml"])
        write(file, read(file).replace("# Demo", "# Evil"));
    },
    step: (script, env = {}) => type(script, { ...shell, env: { ...shell.env, ...env } }),
  };
}
