import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parseAllDocuments } from "yaml";
import { patience } from "../fixtures/patience.ts";
import { clusterSkillPolicy } from "../fixtures/resources.ts";
import { runCommand, type Ran } from "../fixtures/run-command.ts";
import { publishers } from "../unit/policy/resource-cases.ts";
import { kubeconfigOf } from "./harness/account.ts";
import { removeOwn, type Part } from "./harness/api.ts";
import { apply } from "./harness/apply.ts";
import { projectRoot } from "./harness/binaries.ts";
import { helm, kubectl, tryKubectl } from "./harness/cluster.ts";
import { installCrds } from "./harness/crds.ts";
import { createNamespace } from "./harness/namespaces.ts";
import { endSharedProduct } from "./admission/product.ts";

const namespace = "readers";
const developer = `system:serviceaccount:${namespace}:dev`;
const developers = `system:serviceaccounts:${namespace}`;

const binding = (kind: "RoleBinding" | "ClusterRoleBinding", name: string): Part => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind,
  metadata: { name: `readers-${name}`, ...(kind === "RoleBinding" && { namespace }) },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
  subjects: [{ kind: "ServiceAccount", name: "dev", namespace }],
});

/** What the chart makes for people, with these groups as readers. */
async function rolesFor(...readers: readonly string[]): Promise<readonly Part[]> {
  const text = await helm([
    "template",
    "skill-admission",
    "charts/skill-admission",
    "--namespace=skill-admission",
    "--show-only=templates/rbac.yaml",
    ...readers.map((reader, index) => `--set=rbac.readers[${index}]=${reader}`),
  ]);
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Part)
    .filter((object) => JSON.stringify(object["metadata"]).includes('"skill-admission-view"'));
}

const may = async (user: string, verb: string, resource: string): Promise<boolean> =>
  (await tryKubectl(["auth", "can-i", verb, `${resource}.skill-admission.dev`, `--as=${user}`])).code === 0;

let kubeconfig: string;
const ask = (): Promise<Ran> =>
  runCommand(
    [process.execPath, join(projectRoot, "dist/main.js"), "apply", "--cluster", "--namespace", namespace],
    { env: { ...process.env, KUBECONFIG: kubeconfig } },
  );

beforeAll(async () => {
  await endSharedProduct();
  await installCrds();
  await removeOwn();
  await createNamespace(namespace);
  const skill = "---\nname: etl\ndescription: An example.\n---\n";
  await apply(
    ...(await rolesFor()),
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "dev", namespace } },
    binding("RoleBinding", "view"),
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "etl", namespace },
      data: { "SKILL.md": skill },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "agent", namespace },
      spec: {
        serviceAccountName: "dev",
        containers: [
          {
            name: "agent",
            image: "example.invalid/agent",
            volumeMounts: [{ name: "etl", mountPath: "/skills/etl" }],
          },
        ],
        volumes: [{ name: "etl", configMap: { name: "etl" } }],
      },
    },
    clusterSkillPolicy("readers", {
      mode: "Enforce",
      publishers,
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    }),
  );
  kubeconfig = await kubeconfigOf(namespace, "dev");
});

afterAll(async () => {
  await rm(join(kubeconfig, ".."), { recursive: true, force: true });
  await kubectl([
    "delete",
    "clusterrole,clusterrolebinding",
    "skill-admission-view",
    "readers-view",
    "--ignore-not-found",
  ]);
  await removeOwn();
});

describe("a developer who may view one namespace", () => {
  it("is told which right is missing, for policies lie in no namespace", async () => {
    const { code, stderr } = await ask();
    expect(code).toBe(3);
    expect(stderr).toContain(`User "${developer}" cannot list resource "clusterskillpolicies"`);
    expect(stderr).toContain("docs/cli.md");
  });

  it("sees by what a pod was denied, and checks it, as one of the chart's readers", async () => {
    await apply(...(await rolesFor(developers)));
    await vi.waitFor(async () => expect((await ask()).code).toBe(1), patience);
    const { stdout, stderr } = await ask();
    expect(stdout).toContain("UNSIGNED");
    expect(stderr).not.toContain("cannot");
    const asReader = await tryKubectl(["get", "cskp,sktr,skrl", "--kubeconfig", kubeconfig, "-o", "name"]);
    expect(asReader).toMatchObject({ code: 0, stdout: expect.stringContaining("/readers\n") as string });
    const write = ["delete", "cskp", "readers", "--kubeconfig", kubeconfig, "--dry-run=server"];
    expect((await tryKubectl(write)).stderr).toContain("forbidden");
  });
});

describe("whoever may view the whole cluster", () => {
  const plurals = ["clusterskillpolicies", "skilltrustroots", "skillrevocationlists"];

  it.each(["view", "edit", "admin"])(
    "reads policies, trust roots and lists with the role %s",
    async (role) => {
      const user = `somebody-who-may-${role}`;
      const name = `readers-${role}`;
      await kubectl(["create", "clusterrolebinding", name, `--clusterrole=${role}`, `--user=${user}`]);
      try {
        for (const plural of plurals)
          await vi.waitFor(
            async () => expect([plural, await may(user, "list", plural)]).toEqual([plural, true]),
            patience,
          );
        for (const plural of plurals) {
          for (const verb of ["create", "update", "patch", "delete"])
            expect([verb, plural, await may(user, verb, plural)]).toEqual([verb, plural, false]);
        }
      } finally {
        await kubectl(["delete", "clusterrolebinding", name]);
      }
    },
  );
});
