import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { compileSnapshot } from "../../../src/policy/compile.ts";
import type { KubernetesObject } from "../../../src/workload/kubernetes-object.ts";
import { commandsOf } from "../../fixtures/documented.ts";

export const projectRoot = join(import.meta.dirname, "../../..");

/** The command under its own name, as docs/cli.md says. */
export const alias = `skill-admission() { "${process.execPath}" "${join(projectRoot, "dist/main.js")}" "$@"; }\n`;

/** What the trust root and the policy that a page shows come to. */
export async function snapshotOn(page: string): Promise<ReturnType<typeof compileSnapshot>> {
  const manifests = (await commandsOf(page, "yaml"))("SkillTrustRoot");
  const [trustRoot, policy] = parseAllDocuments(manifests).map(
    (document) => document.toJS() as KubernetesObject,
  );
  return compileSnapshot([policy!], [trustRoot!]);
}
