import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { runCommand, type Ran } from "../fixtures/run-command.ts";
import { startProduct, type Product } from "./admission/product.ts";
import { find, remove, removeOwn, type Part } from "./harness/api.ts";
import { apply } from "./harness/apply.ts";
import { kubeconfigOf } from "./harness/account.ts";
import { projectRoot } from "./harness/binaries.ts";
import { helm } from "./harness/cluster.ts";
import { installCrds } from "./harness/crds.ts";
import { createNamespace } from "./harness/namespaces.ts";

const name = "skill-admission-canary";
const home = "canary-home";

let product: Product | undefined;
let kubeconfig: string;
let made: readonly Part[];

/** The pod's own call, with the rights of its account alone. */
const ask = (...args: readonly string[]): Promise<Ran> =>
  runCommand([process.execPath, join(projectRoot, "dist/main.js"), "canary", ...args], {
    env: { ...process.env, KUBECONFIG: kubeconfig },
  });

beforeAll(async () => {
  await installCrds();
  await removeOwn();
  await createNamespace(home, { "pod-security.kubernetes.io/enforce": "restricted" });
  const args = ["template", "s", "charts/skill-admission", `--namespace=${home}`];
  const text = await helm([...args, "--show-only=templates/canary.yaml"]);
  made = parseAllDocuments(text).map((document) => document.toJS() as Part);
  const [pods, others] = [true, false].map((isPod) => made.filter(({ kind }) => (kind === "Pod") === isPod));
  // As Helm orders them; the pod itself is not let run here, where there is no node.
  await apply(...others!);
  expect(pods).toHaveLength(1);
  kubeconfig = await kubeconfigOf(home, name);
});

afterAll(async () => {
  await product?.remove();
  await removeOwn();
  await remove(`/api/v1/namespaces/${name}`);
});

describe("the canary of `helm test`, with no rights but its own", () => {
  it("fails clearly where nobody checks anything, though the policy is there", async () => {
    const { code, stderr } = await ask("--timeout", "5");
    expect(stderr).toContain("error: nothing is checked: ");
    expect(code).toBe(1);
  });

  it("fails where it may not ask", async () => {
    const { code, stderr } = await ask("--timeout", "5", "--namespace", "default");
    expect(code).toBe(3);
    expect(stderr).toContain("a pod without skills is refused, too");
    expect(stderr).toContain('cannot create resource "pods"');
  });

  it("sees that the webhook denies its unsigned skill, and leaves nothing", async () => {
    product = await startProduct();
    // A product that starts for tests finds no policies.
    await apply(...made.filter(({ kind }) => kind === "ClusterSkillPolicy"));
    const { code, stdout, stderr } = await ask("--timeout", "60");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^denied, as it must be: /);
    expect(stdout).toContain("canary UNSIGNED");
    expect(await find(`/api/v1/namespaces/${name}/pods/${name}`)).toBeUndefined();
  });
});
