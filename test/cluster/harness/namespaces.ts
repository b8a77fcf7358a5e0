import { find, put } from "./api.ts";
import { namespaceContents } from "./api-access.ts";
import { until } from "./process.ts";

/** Waits until a namespace that was just made takes pods, as it does when its controllers have seen it. */
export async function takesPods(name: string): Promise<void> {
  for (const path of namespaceContents(name))
    await until(`there is ${path}`, async () => (await find(path)) !== undefined);
}

/** Makes a namespace with these labels, whatever was there, and waits until it takes pods. */
export async function createNamespace(
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  await put({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
  await takesPods(name);
}
