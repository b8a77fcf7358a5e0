/** `skill-admission serve`, with a Lease that runs out sooner. Its argument is its flags as JSON. */
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import type * as Serve from "../../../src/compose/serve.ts";
import type * as Config from "../../../src/config.ts";
import { projectRoot } from "../harness/binaries.ts";
import { hurriedTimes } from "./times.ts";

enableCompileCache();
const built = (module: string): Promise<unknown> => import(join(projectRoot, "dist", module));
const [{ parseServeConfig }, { serve }] = (await Promise.all([
  built("config.js"),
  built("compose/serve.js"),
])) as [typeof Config, typeof Serve];

const config = parseServeConfig(JSON.parse(process.argv[2] ?? "") as Record<string, string>, {});
const [stop, hurry] = [new AbortController(), new AbortController()];
process.on("SIGTERM", () => stop.abort());
const build = { version: "0.0.0-test", revision: "unknown" };
const lease = { ...config.lease!, times: hurriedTimes };
await serve({ ...config, lease }, build, stop.signal, hurry.signal);
