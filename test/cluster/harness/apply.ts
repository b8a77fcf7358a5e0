import { request } from "node:https";
import { text } from "node:stream/consumers";
import { connectByKubeconfig } from "../../../src/cluster/live/api/connection.ts";
import type { Ran } from "../../fixtures/run-command.ts";
import { kubeconfig } from "./opened.ts";
import { pathOf, type Part } from "./api.ts";

/** How an apply ended: `code` and `stderr` as kubectl has them, with the API server's own words and none of kubectl's. */
export type Applied = Pick<Ran, "code" | "stderr">;

interface Answer {
  readonly warnings: readonly string[];
  /** The API server's message where it refused. */
  readonly message?: string;
}

const connection = await connectByKubeconfig(kubeconfig);

/** The text of a `Warning` header, `299 - "text"`. Node reads headers as Latin-1; the API server writes UTF-8. */
const warningText = (header: string): string => {
  const quoted = /^299 - "(.*)"$/s.exec(Buffer.from(header, "latin1").toString("utf8"))?.[1] ?? header;
  return quoted.replaceAll(/\\(.)/g, "$1");
};

/** By the plain protocol: the product's client gives no warnings, and cuts what it was refused with. */
async function serverSideApply(object: Part, more: string): Promise<Answer> {
  const url = `${connection.server}${pathOf(object)}?fieldManager=tests&force=true${more}`;
  const { headers, ...options } = await connection.options(false);
  return await new Promise((resolve, reject) => {
    const outgoing = request(url, {
      ...options,
      method: "PATCH",
      headers: { ...(headers as object), "content-type": "application/apply-patch+yaml" },
      timeout: 40_000,
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error(`no answer in 40 s: ${url}`)));
    outgoing.once("error", reject);
    outgoing.once("response", (response) => {
      const accepted = (response.statusCode ?? 0) < 300;
      const warnings = (response.headersDistinct["warning"] ?? []).map(warningText);
      text(response).then((body) => {
        if (accepted) resolve({ warnings });
        else resolve({ warnings, message: (JSON.parse(body) as { readonly message: string }).message });
      }, reject);
    });
    outgoing.end(JSON.stringify(object));
  });
}

/**
 * Applies objects in turn, as `kubectl apply --server-side` does, without a process for each. Does not throw when they are
 * refused. Where kubectl's words or ways are what a test is about, `kubectl` is right.
 */
export async function tryApply(
  objects: readonly Part[],
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<Applied> {
  const warnings = new Set<string>();
  const refusals: string[] = [];
  for (const object of objects) {
    const answer = await serverSideApply(object, dryRun ? "&dryRun=All" : "");
    for (const one of answer.warnings) warnings.add(`Warning: ${one}\n`);
    if (answer.message !== undefined) refusals.push(`${answer.message}\n`);
  }
  return { code: refusals.length === 0 ? 0 : 1, stderr: [...warnings, ...refusals].join("") };
}

/** Applies objects in turn. @throws Error with what the API server said where it refused one */
export async function apply(...objects: readonly object[]): Promise<void> {
  const { code, stderr } = await tryApply(objects as readonly Part[]);
  if (code !== 0) throw new Error(`the API server refused: ${stderr}`);
}
