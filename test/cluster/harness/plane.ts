import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "./binaries.ts";

/** This machine as the API server reaches it: webhooks run here, beside the tests. */
export interface Host {
  /** Name or address for the URLs of webhooks, which their certificates must be for. */
  readonly name: string;
  /** Address that a server here listens on to be reached under that name. */
  readonly listen: string;
}

/** A real Kubernetes API with its controllers, and without nodes, for one test run. */
export interface ControlPlane {
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly host: Host;
  /** Kills the API server at once, as a crash would. What it has stored stays. */
  killApiServer(): Promise<void>;
  /** Starts it again under the same address, and waits until it is ready. */
  startApiServer(): Promise<void>;
  /** The API server's audit log, by the policy that the documentation recommends. */
  auditLog(): Promise<string>;
  /** Ends it, and removes all that it left. */
  stop(): Promise<void>;
}

/** What the API server is to write into its audit log: what the documentation recommends. */
export const auditPolicy = (): Promise<string> =>
  readFile(join(projectRoot, "examples/audit/policy.yaml"), "utf8");
