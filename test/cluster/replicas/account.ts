import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../harness/binaries.ts";
import { kubectl } from "../harness/cluster.ts";

/** An account with no more rights than the documentation says are needed. */
export interface Account {
  readonly kubeconfig: string;
  remove(): Promise<void>;
}

/** The first object of this kind that a page of the documentation prints. */
async function documented(page: string, kind: string): Promise<string> {
  const text = await readFile(join(projectRoot, page), "utf8");
  const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
  const found = blocks.find((block) => block.includes(`kind: ${kind}\n`));
  if (found === undefined) throw new Error(`${page} has no ${kind}`);
  return found;
}

/** Makes the account of a replica: the ClusterRole of docs/cluster.md and the Role of docs/configuration.md. */
export async function replicaAccount(namespace: string): Promise<Account> {
  const name = "skill-admission";
  const role = await documented("docs/configuration.md", "Role");
  await kubectl(["apply", "-f", "-"], await documented("docs/cluster.md", "ClusterRole"));
  await kubectl(["apply", "-f", "-"], role.replace("namespace: skill-admission", `namespace: ${namespace}`));
  await kubectl(["-n", namespace, "create", "serviceaccount", name]);
  const account = `--serviceaccount=${namespace}:${name}`;
  await kubectl(["create", "clusterrolebinding", name, `--clusterrole=${name}`, account]);
  await kubectl(["-n", namespace, "create", "rolebinding", name, `--role=${name}`, account]);
  const token = (await kubectl(["-n", namespace, "create", "token", name])).trim();
  const flat = JSON.parse(await kubectl(["config", "view", "--flatten", "--raw", "-o", "json"])) as object;
  const folder = await mkdtemp(join(tmpdir(), "skill-admission-account-"));
  const kubeconfig = join(folder, "kubeconfig");
  const users = [{ name: "admin", user: { token } }];
  await writeFile(kubeconfig, JSON.stringify({ ...flat, users }), { mode: 0o600 });
  return {
    kubeconfig,
    remove: async () => {
      await kubectl(["delete", "clusterrole,clusterrolebinding", name]);
      await kubectl(["-n", namespace, "delete", "role,rolebinding,serviceaccount", name]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
