import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { parseAllDocuments } from "yaml";
import { compileObjects } from "../../fixtures/compile.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { commandsOf, type Shell } from "../../fixtures/documented.ts";

export const projectRoot = join(import.meta.dirname, "../../..");

/** The command under its own name, as docs/cli.md says. */
export const alias = `skill-admission() { "${process.execPath}" "${join(projectRoot, "dist/main.js")}" "$@"; }\n`;

/** A shell at the project's root with a home folder of its own, removed after the test file. */
export function shellWithHome(): Shell {
  const home = mkdtempSync(join(tmpdir(), "skill-admission-page-"));
  afterAll(() => rm(home, { recursive: true, force: true }));
  return { cwd: projectRoot, env: { ...process.env, HOME: home } };
}

/** What the trust root and the policy that a page shows come to. */
export async function snapshotOn(page: string): Promise<ReturnType<typeof compileObjects>> {
  const manifests = (await commandsOf(page, "yaml"))("SkillTrustRoot");
  const [trustRoot, policy] = parseAllDocuments(manifests).map(
    (document) => document.toJS() as KubernetesObject,
  );
  return compileObjects([policy!], [trustRoot!]);
}
