import { execFileSync } from "node:child_process";
import { cpus, totalmem, type } from "node:os";
import type { Section } from "./table.ts";

/** The commit that is measured, or nothing outside a repository. */
function revision(): readonly string[] {
  try {
    const text = execFileSync("git", ["log", "-1", "--format=%h of %cs"], {
      encoding: "utf8",
      stdio: "pipe",
    });
    return [`commit ${text.trim()}`];
  } catch {
    return [];
  }
}

/** The machine in general words: enough to judge the figures by, nothing that names it. */
export function machine(): Section {
  const processors = cpus();
  const model = (processors[0]?.model ?? "unknown").trim();
  return {
    id: "machine",
    aims: [],
    tables: [],
    notes: [
      `${processors.length} × ${model === "" ? "unknown" : model}, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, ${type()}`,
      `Node ${process.versions.node} (V8 ${process.versions.v8}, OpenSSL ${process.versions.openssl})`,
      ["recorded", new Date().toISOString().slice(0, 10), ...revision()].join(", "),
    ],
  };
}
