import { inject } from "vitest";
import type { Host } from "./plane.ts";

/** Each worker has a control plane to itself. */
const worker = process.env["VITEST_POOL_ID"] ?? "1";

/** Has the process that keeps the control plane do something. @throws Error with what it said where it could not */
export async function ask(path: string): Promise<string> {
  const response = await fetch(`${inject("controlPlaneUrl")}/${worker}${path}`, { method: "POST" });
  const said = await response.text();
  if (!response.ok) throw new Error(said);
  return said;
}

/** This worker's control plane, which the first file that needs it starts. */
export const { kubeconfig, host } = JSON.parse(await ask("/open")) as {
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** This machine as the API server reaches it. */
  readonly host: Host;
};
