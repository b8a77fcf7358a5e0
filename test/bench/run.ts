/**
 * The benchmark: `npm run bench`, with `-- --only verification,reviews` for a part of it and `-- --record` to write the
 * figures into docs/evidence/benchmarks.md.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { machine } from "./machine.ts";
import { layOut, record, sectionIds, sectionMarkdown, type Section, type SectionId } from "./table.ts";

type Scenario = (scratch: string, progress: (text: string) => void) => Promise<Section>;

/** Loaded when they are run: one that cannot be run here must not keep the others from it. */
const scenarios: Readonly<Record<SectionId, () => Promise<Scenario>>> = {
  machine: () => Promise.resolve(() => Promise.resolve(machine())),
  verification: async () => (await import("./scenarios/verification.ts")).verification,
  reviews: async () => (await import("./scenarios/reviews.ts")).reviews,
  "api-server": async () => (await import("./scenarios/api-server.ts")).apiServer,
  memory: async () => (await import("./scenarios/memory.ts")).memory,
  hostile: async () => (await import("./scenarios/hostile.ts")).hostile,
  recheck: async () => (await import("./scenarios/recheck.ts")).recheck,
  fleet: async () => (await import("./scenarios/fleet.ts")).fleet,
};

const documentFile = join(import.meta.dirname, "../../docs/evidence/benchmarks.md");

const { values } = parseArgs({
  options: { only: { type: "string", multiple: true }, record: { type: "boolean", default: false } },
});

const isSection = (name: string): name is SectionId => (sectionIds as readonly string[]).includes(name);

function chosen(): readonly SectionId[] {
  const names = (values.only ?? []).flatMap((text) => text.split(","));
  const unknown = names.filter((name) => !isSection(name));
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(",")}: there are ${sectionIds.join(", ")}`);
  return names.length === 0
    ? sectionIds
    : ["machine", ...names.filter(isSection).filter((id) => id !== "machine")];
}

const terminal = process.stderr.isTTY;
const progress = (text: string): void => {
  if (terminal) process.stderr.write(`\r\u001b[K${text} `);
  else process.stderr.write(`${text}\n`);
};

async function runOne(id: SectionId): Promise<Section> {
  const scratch = await mkdtemp(join(tmpdir(), "skill-admission-bench-"));
  try {
    return await (
      await scenarios[id]()
    )(scratch, progress);
  } finally {
    if (terminal) process.stderr.write("\r\u001b[K");
    await rm(scratch, { recursive: true, force: true });
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

for (const id of chosen()) {
  const section = await runOne(id);
  console.log(await layOut(`## ${id}\n\n${sectionMarkdown(section)}\n`));
  // After each: a run that breaks off keeps what it had.
  if (values.record) {
    await writeFile(documentFile, await layOut(record(await readFile(documentFile, "utf8"), section)));
  }
}
