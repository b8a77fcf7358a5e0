import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { api, pathOf, remove, type Part } from "./api.ts";
import { apply } from "./apply.ts";
import { projectRoot } from "./binaries.ts";
import { kubeconfig as administrators } from "./opened.ts";

/** A ServiceAccount with some rights and no others. */
export interface Account {
  /** Path of a kubeconfig with a token of it. */
  readonly kubeconfig: string;
  /** Takes it away with its rights. */
  remove(): Promise<void>;
}

/** The first object of this kind that a page of the documentation prints. */
export async function documented(page: string, kind: string): Promise<Part> {
  const text = await readFile(join(projectRoot, page), "utf8");
  const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
  const found = blocks.find((block) => block.includes(`kind: ${kind}\n`));
  if (found === undefined) throw new Error(`${page} has no ${kind}`);
  return parse(found) as Part;
}

/** A new token of a ServiceAccount. */
async function tokenOf(namespace: string, name: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  return (await api<{ readonly status: { readonly token: string } }>(path, { method: "POST", body })).status
    .token;
}

/** Gives a ServiceAccount the rights of a ClusterRole, or of a Role of its namespace. */
function bindingOf(role: Part, namespace: string, name: string): Part {
  const { kind, metadata } = role as { readonly kind: string; readonly metadata: { readonly name: string } };
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: `${kind}Binding`,
    metadata: { name, ...(kind === "Role" && { namespace }) },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: metadata.name },
    subjects: [{ kind: "ServiceAccount", name, namespace }],
  };
}

/** The administrator's kubeconfig with a token in place of the administrator's key. */
async function withToken(token: string): Promise<string> {
  const config = JSON.parse(await readFile(administrators, "utf8")) as {
    readonly users: readonly [{ readonly name: string }];
  };
  const path = join(await mkdtemp(join(tmpdir(), "skill-admission-account-")), "kubeconfig");
  const users = [{ name: config.users[0].name, user: { token } }];
  await writeFile(path, JSON.stringify({ ...config, users }), { mode: 0o600 });
  return path;
}

/** Path of a kubeconfig with a token of a ServiceAccount, in a folder of its own. */
export const kubeconfigOf = async (namespace: string, name: string): Promise<string> =>
  withToken(await tokenOf(namespace, name));

/** Makes the account `skill-admission` with these roles, a ClusterRole or Roles of its namespace. */
export async function makeAccount(namespace: string, roles: readonly Part[]): Promise<Account> {
  const name = "skill-admission";
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } };
  const made = [...roles, account, ...roles.map((role) => bindingOf(role, namespace, name))];
  await apply(...made);
  const kubeconfig = await kubeconfigOf(namespace, name);
  return {
    kubeconfig,
    remove: async () => {
      await Promise.all(made.map((object) => remove(pathOf(object))));
      await rm(join(kubeconfig, ".."), { recursive: true, force: true });
    },
  };
}
