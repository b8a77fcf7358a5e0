import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { examplesOf } from "../../fixtures/help-examples.ts";
import { type, typed } from "../../fixtures/documented.ts";
import { run } from "./line.ts";
import { projectRoot, shellWithHome } from "./page.ts";

const { env } = shellWithHome();
const home = env["HOME"]!;
const shell = { cwd: home, env: { ...env, PATH: `${join(home, "bin")}:${env["PATH"]}` } };

/** Programs that an example hands its output to. */
const neighbours = `kubectl() { cat >/dev/null; }
jq() { cat >/dev/null; }
helm() { cat pod.yaml; }
`;

/** Files that the examples name, beside those that examples of `sign` make. */
const files = `mkdir -p pristine/scripts skills
printf -- '---\\nname: my-skill\\ndescription: A skill.\\n---\\n# Demo\\n' >pristine/SKILL.md
printf 'echo demo\\n' >pristine/scripts/run.sh
cat >pristine/skill_card.yaml <<'CARD'
schema_version: "1.0"
name: my-skill
version: "1"
author: Test
license: MIT
intent: Show.
permissions: [Read]
risks: [{description: None known., mitigation: Read it.}]
CARD
openssl ecparam -name prime256v1 -genkey -noout -out signer.key
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -subj /CN=Root \\
  -days 2 -addext keyUsage=critical,keyCertSign -out nv-agent-root-cert.pem 2>/dev/null
openssl req -new -key signer.key -subj /CN=Signer -out signer.csr
openssl x509 -req -in signer.csr -CA nv-agent-root-cert.pem -CAkey root.key -days 2 \\
  -extfile <(echo keyUsage=critical,digitalSignature) -out chain.pem 2>/dev/null
cat >revoked.yaml <<'LIST'
apiVersion: skill-admission.dev/v1alpha1
kind: SkillRevocationList
metadata: {name: security}
spec: {files: [{digest: "sha256:${"0".repeat(64)}", reason: example}]}
LIST
{ cat deploy/namespace.yaml; echo ---; cat deploy/pod.yaml; } >pod.yaml
`;

/** Examples that need a public service or a cluster. */
const needsMore = /--keyless|--identity|--cluster|--kubeconfig|--in-cluster/;

const examplesIn = async (command: string): Promise<readonly string[]> =>
  examplesOf((await run([command, "--help"])).out);

function freshSkill(): void {
  rmSync(join(home, "my-skill"), { recursive: true, force: true });
  cpSync(join(home, "pristine"), join(home, "my-skill"), { recursive: true });
}

beforeAll(async () => {
  cpSync(join(projectRoot, "examples/policies"), join(home, "policies"), { recursive: true });
  cpSync(join(projectRoot, "examples/pods/namespace.yaml"), join(home, "deploy/namespace.yaml"));
  cpSync(join(projectRoot, "examples/pods/signed.yaml"), join(home, "deploy/pod.yaml"));
  install();
  await typed(files, shell);
});

/** The program as a process of its own, so that a signal reaches it. */
function install(): void {
  mkdirSync(join(home, "bin"));
  const main = join(projectRoot, "dist/main.js");
  writeFileSync(join(home, "bin/skill-admission"), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`, {
    mode: 0o755,
  });
}

/** Signs the skills as an example supposes. */
const signFor = (example: string): string => {
  if (example.includes("skills/*"))
    return `rm -rf skills/my-skill; cp -r pristine skills/my-skill
skill-admission sign skills/my-skill --key signer.key --certificate-chain chain.pem`;
  const signed = "skill-admission sign my-skill --key my-skill.key";
  return example.includes("release.oms.sig")
    ? `${signed}; mv my-skill/skill.oms.sig my-skill/release.oms.sig`
    : signed;
};

/** The policies do not trust the keys of these tests: that is a violation. */
const expectedCode = (example: string): number =>
  example.includes("verify") && example.includes("--policy") ? 1 : 0;

describe("examples of the command line's help", () => {
  it("run as they are typed: sign, verify, package and apply", { timeout: 240_000 }, async () => {
    let count = 0;
    for (const command of ["sign", "verify", "package", "apply"]) {
      for (const example of (await examplesIn(command)).filter((one) => !needsMore.test(one))) {
        freshSkill();
        if (command === "verify" || command === "package") await typed(signFor(example), shell);
        const { code, out } = await type(neighbours + example, shell);
        expect(code, `${example}\n${out}`).toBe(expectedCode(example));
        expect(out, example).not.toMatch(/^(?:error|warning): /m);
        count += 1;
      }
    }
    expect(count).toBeGreaterThan(15);
  });

  it("run as they are typed: serve on the folder of examples", { timeout: 60_000 }, async () => {
    const [example = ""] = (await examplesIn("serve")).filter((one) => !needsMore.test(one));
    expect(example).toContain("--state examples/policies/");
    const stop = `& pid=$!
for _ in $(seq 300); do grep -q '"msg":"ready"' log && break; sleep 0.1; done
kill "$pid"; wait "$pid"; cat log`;
    const ports =
      "--address 127.0.0.1 --port 0 --metrics-address 127.0.0.1 --metrics-port 0 --grace-seconds 0";
    cpSync(join(projectRoot, "examples"), join(home, "examples"), { recursive: true });
    const { code, out } = await type(`${example} ${ports} >log ${stop}`, shell);
    expect(code, out).toBe(0);
    expect(out).toContain('"msg":"ready"');
  });
});
