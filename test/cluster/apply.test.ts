import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Skill } from "../../src/skill/skill.ts";
import { commandsOf, type, typed, type Shell, type Typed } from "../fixtures/documented.ts";
import { examplesOf } from "../fixtures/help-examples.ts";
import { keylessSkill } from "../fixtures/keyless-skill.ts";
import { identity, issuer, testSigstore } from "../fixtures/sigstore.ts";
import { signedSkill, withFiles, type SignedSkill } from "../fixtures/signed-skill.ts";
import { endSharedProduct, startProduct } from "./admission/product.ts";
import {
  createNamespace,
  denial,
  enforce,
  pemOf,
  policy,
  ship,
  trustRoot,
  tryApply,
  type Part,
} from "./admission/world.ts";
import { documented, makeAccount, type Account } from "./harness/account.ts";
import { patch, pathOf, remove, removeOwn } from "./harness/api.ts";
import { apply } from "./harness/apply.ts";
import { projectRoot } from "./harness/binaries.ts";
import { installCrds } from "./harness/crds.ts";

const namespace = "payments";
const controller = "skill-admission";

let folder: string;
let role: Part;
let account: Account;
let shell: Shell;
let blocks: (words: string) => string;
let good: SignedSkill;
let changed: Skill;

/** A call of the program with the rights of the account. */
const asked = (args: string): Promise<Typed> => type(`skill-admission ${args}`, shell);

/** The line of a documented block that ends in a comment with these words. */
const lineOf = (block: string, words: string): string =>
  blocks(block)
    .split("\n")
    .find((line) => line.includes(words))!;

const teamPolicy = (over: Part = {}): Part =>
  policy(namespace, { publishers: [{ name: "team", publicKey: { pem: pemOf(good) } }], ...over });

beforeAll(async () => {
  // The pods of these tests come in unasked.
  await endSharedProduct();
  await installCrds();
  await removeOwn();
  folder = await mkdtemp(join(tmpdir(), "skill-admission-apply-"));
  const program = `#!/bin/sh\nexec "${process.execPath}" "${join(projectRoot, "dist/main.js")}" "$@"\n`;
  await writeFile(join(folder, "skill-admission"), program, { mode: 0o755 });
  blocks = await commandsOf("docs/cli.md");
  await Promise.all([createNamespace(namespace, namespace), createNamespace("elsewhere")]);
  await createNamespace(controller, namespace);
  role = await documented("docs/cli.md", "ClusterRole");
  account = await makeAccount("default", [role]);
  const env = { ...process.env, KUBECONFIG: account.kubeconfig, PATH: `${folder}:${process.env["PATH"]}` };
  shell = { cwd: folder, env };
  good = signedSkill();
  changed = withFiles(good.skill, { "extra.py": "x" });
  await apply(teamPolicy());
  await apply(
    ...ship(good.skill, namespace, "good").all,
    ...ship(changed, namespace, "bad").all,
    ...ship(changed, "elsewhere", "ungoverned").all,
    ...ship(changed, controller, "own").all,
  );
});

afterAll(async () => {
  await account.remove();
  await removeOwn();
  await rm(folder, { recursive: true, force: true });
});

describe("apply --cluster, with the rights that docs/cli.md names and no others", () => {
  it("judges what runs there as it is documented", async () => {
    const { code, out } = await type(lineOf("--as-mode", "made anew"), shell);
    expect(code, out).toBe(1);
    expect(out).toMatch(/^Pod payments\/good +pass +1 +payments$/m);
    expect(out).toMatch(/^Pod payments\/bad +FAIL +1 +payments$/m);
    expect(out).toContain("FILE_UNSIGNED extra.py");
    // Other tests leave pods in namespaces of their own.
    expect(out).toMatch(
      /^2 pods: 1 passed, 1 failed\n(?:only .* count as exempt.*\n)?not listed: 0 without skills, [1-9]\d* that no policy governs$/m,
    );
    expect(out).not.toMatch(/warning|error/);
  });

  it("judges one namespace, and as if every policy were in mode Enforce", async () => {
    await apply(teamPolicy({ mode: "Audit" }));
    const one = await type(lineOf("--as-mode", "in one namespace"), shell);
    expect(one.code, one.out).toBe(0);
    expect(one.out).toContain("FILE_UNSIGNED extra.py (tolerated)");
    const enforced = await type(lineOf("--as-mode", "no policy were in Audit"), shell);
    expect(enforced.code, enforced.out).toBe(1);
    await apply(teamPolicy());
  });

  it("judges by policies that are not there, and files by those that are", async () => {
    const next = teamPolicy({ skills: [{ names: ["nothing"] }] });
    await writeFile(join(folder, "next.yaml"), JSON.stringify(next));
    const future = await type(lineOf("next.yaml", "not there yet"), shell);
    expect([future.code, future.out]).toEqual([1, expect.stringContaining("SKILL_NOT_ALLOWED")]);
    const { configMaps, pod } = ship(changed, namespace, "bad");
    await typed("mkdir -p deploy", shell);
    await writeFile(
      join(folder, "deploy/pod.json"),
      JSON.stringify({ ...pod, metadata: { name: "new", namespace } }),
    );
    const file = await type(lineOf("next.yaml", "files by the policies"), shell);
    expect([file.code, file.out]).toEqual([1, expect.stringContaining("Pod payments/new  FAIL")]);
    expect(file.out).toContain(`Projected ${configMaps[0]!.metadata.name}`.slice(0, 20));
  });

  it("runs the examples of its help that need a cluster", async () => {
    const config = JSON.parse(await readFile(account.kubeconfig, "utf8")) as { contexts: readonly [object] };
    const contexts = [{ ...config.contexts[0], name: "staging" }];
    const staging = { ...config, contexts, "current-context": "another" };
    await writeFile(join(folder, "staging.yaml"), JSON.stringify(staging));
    const pod = JSON.stringify(ship(good.skill, namespace, "good").pod);
    await typed("mkdir -p deploy p", shell);
    await writeFile(join(folder, "deploy/pod.json"), pod);
    await writeFile(join(folder, "p/policy.json"), JSON.stringify(teamPolicy()));
    const help = await typed("skill-admission apply --help", shell);
    const examples = examplesOf(help).filter((one) => one.includes("--cluster"));
    expect(examples).toHaveLength(4);
    for (const example of examples) {
      const { code, out } = await type(`kubectl() { cat deploy/pod.json; }\n${example}`, shell);
      expect(code, `${example}\n${out}`).toBe(/--resource| -f /.test(example) ? 0 : 1);
      expect(out, example).toMatch(/^Pod payments\/good +pass/m);
      expect(out, example).not.toMatch(/^(?:error|warning): /m);
    }
  });

  it("follows pages", async () => {
    const many = Array.from({ length: 130 }, (_, index) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `plain-${index}`, namespace },
      spec: { containers: [{ name: "c", image: "example.invalid/c" }] },
    }));
    await Promise.all(many.map((pod) => apply(pod)));
    const { code, out } = await asked("apply --cluster -n payments");
    expect(code).toBe(1);
    expect(out).toContain("not listed: 130 without skills, 0 that no policy governs\n");
    await Promise.all(many.map((pod) => remove(`${pathOf(pod)}?gracePeriodSeconds=0`)));
  });

  it("does not judge a pod whose ConfigMap is gone, and judges the others", async () => {
    const gone = ship(good.skill, namespace, "gone");
    await apply(...gone.all);
    await remove(pathOf(gone.configMaps[0] as unknown as Part));
    const { code, out } = await asked("apply --cluster");
    expect([code, out]).toEqual([1, expect.stringMatching(/^3 pods: 1 passed, 1 failed, 1 not judged$/m)]);
    await remove(`${pathOf(gone.pod)}?gracePeriodSeconds=0`);
  });

  it("does not take a namespace that is not there for one without pods", async () => {
    const { code, out } = await asked("apply --cluster -n paymets");
    expect([code, out]).toEqual([3, "error: there is no Namespace paymets\n"]);
  });
});

describe("without one of the rights", () => {
  const rulesWithout = (resource: string): Part => ({
    rules: (role["rules"] as readonly { readonly resources: readonly string[] }[]).filter(
      ({ resources }) => !resources.includes(resource),
    ),
  });
  const user = 'User "system:serviceaccount:default:skill-admission"';

  it.each([
    ["pods", 'error: the pods could not be read: USER cannot list resource "pods"'],
    [
      "clusterskillpolicies",
      /error: the \w+ could not be read: USER cannot list resource "\w+" in API group "skill-admission.dev"/,
    ],
    ["configmaps", 'USER cannot get resource "configmaps"'],
    ["namespaces", 'Namespace payments could not be read: USER cannot get resource "namespaces"'],
  ])("%s: it ends with 3 and names the right and who lacks it", async (resource, message) => {
    await patch(pathOf(role), rulesWithout(resource));
    try {
      await expect.poll(async () => (await asked("apply --cluster")).code).toBe(3);
      const { out } = await asked("apply --cluster");
      const told = out.replaceAll(/\s+/g, " ").replaceAll(user, "USER");
      expect(told).toEqual(expect.stringMatching(message));
      expect(told).toContain("; grant that right (docs/cli.md has a ClusterRole)");
    } finally {
      await apply(role);
    }
  });
});

describe("a trusted root in an object of the controller's namespace", () => {
  it("is read with the right to just that object, and a policy without it does not judge", async () => {
    const sigstore = await testSigstore();
    const keyless = await keylessSkill(sigstore);
    const home = "apply-keyless";
    await createNamespace(home, home);
    const roots = { name: "roots", namespace: controller };
    await apply(
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: roots,
        data: { "root.json": JSON.stringify(sigstore.trustedRoot) },
      },
      trustRoot(home, {
        sigstore: [{ name: "s", trustedRootFrom: { configMap: { name: "roots", key: "root.json" } } }],
      }),
      policy(home, {
        publishers: [{ name: "ci", keyless: { trustRootRef: { name: home }, issuer, identity } }],
      }),
      ...ship(keyless, home, "keyless").all,
    );
    const judged = await asked(`apply --cluster -n ${home}`);
    expect([judged.code, judged.out]).toEqual([0, expect.stringContaining("1 pod: 1 passed")]);
    const other = await asked(`apply --cluster -n ${home} --controller-namespace elsewhere`);
    expect([other.code, other.out]).toEqual([3, expect.stringContaining("1 pod: 0 passed, 1 not judged")]);
    expect(other.out).toContain("there is no ConfigMap elsewhere/roots");
  });
});

describe("the webhook", () => {
  it("denies the same pod in the same words", { timeout: 120_000 }, async () => {
    const { out } = await asked("apply --cluster -n payments");
    const said = out.split("\n").filter((line) => / data-designer: /.test(line));
    expect(said).toHaveLength(1);
    const product = await startProduct();
    try {
      await enforce(teamPolicy());
      const { all } = ship(changed, namespace, "again");
      const words = denial(await tryApply(all));
      const [, finding = "none"] = / data-designer: (.*)$/.exec(said[0]!) ?? [];
      expect(words).toContain(finding.replaceAll(/ +/g, " ").trim());
    } finally {
      await product.remove();
    }
  });
});
