import { execFile } from "node:child_process";
import { basename } from "node:path";
import { promisify } from "node:util";
import { assess } from "../../../src/evaluation/assess.ts";
import { SkillFile, skillSize, type Skill } from "../../../src/skill/skill.ts";
import { readSkillDirectory } from "../../../src/sources/directory.ts";
import { verifySignature } from "../../../src/signature/verify.ts";
import { trustOf } from "../../fixtures/certificates.ts";
import { mainFile } from "../servers/server.ts";
import { median, spread } from "../statistics.ts";
import { figure, time, type Aim, type Section } from "../table.ts";
import { cosignTable } from "../verification/cosign.ts";
import { floorOf } from "../verification/floor.ts";
import { guideTable } from "../verification/guide.ts";
import { keylessTable } from "../verification/keyless.ts";
import { startReference, type Reference } from "../verification/reference.ts";
import { readRoot, subjects, type Subject } from "../verification/subject.ts";
import { iterations, ratio, rounds, sum, timed } from "../verification/timing.ts";
import { trustCardTable } from "../verification/trust-card.ts";
import { vettTable } from "../verification/vett.ts";

const referenceIterations = 25;
const processRounds = 9;

const run = promisify(execFile);

/** What is timed of a skill in process; each call does all of it, nothing is remembered but the publisher's chain. */
type Work = "verification" | "assessment" | "from disk" | "unknown chain" | "signature check" | "SHA-256";

async function workOf({
  directory,
  root,
}: Subject): Promise<Readonly<Record<Work, () => void | Promise<void>>>> {
  const { name, files } = await readSkillDirectory(directory);
  const anchors = [await readRoot(root)];
  const trust = trustOf({ anchors });
  const now = Date.now();
  // Fresh files: a file remembers its digest.
  const fresh = (): Skill => ({
    name,
    files: new Map([...files].map(([path, { bytes }]) => [path, new SkillFile(bytes)])),
  });
  const must = ({ outcome }: { readonly outcome: string }): void => {
    if (outcome !== "signed") throw new Error(`${directory} is ${outcome}, and was to be signed`);
  };
  const floor = floorOf({ name, files });
  return {
    verification: () => must(verifySignature(fresh(), trust, now)),
    assessment: () => must(assess({ skill: fresh() }, trust, now).signature),
    "from disk": async () => must(verifySignature(await readSkillDirectory(directory), trust, now)),
    "unknown chain": () => must(verifySignature(fresh(), trustOf({ anchors }), now)),
    "signature check": floor.signature,
    "SHA-256": floor.digest,
  };
}

/** The median of each round. */
type Rounds = Readonly<Record<Work | "reference", number[]>>;

async function measure(subject: Subject, reference: Reference): Promise<Rounds> {
  const work = await workOf(subject);
  const names = Object.keys(work) as Work[];
  const found: Rounds = {
    verification: [],
    assessment: [],
    "from disk": [],
    "unknown chain": [],
    "signature check": [],
    "SHA-256": [],
    reference: [],
  };
  for (const name of names) for (let warm = 0; warm < 3; warm += 1) await timed(work[name]);
  await reference.verify(subject.directory, subject.root, 50);
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) found[name].push(median(await timed(work[name])));
    found.reference.push(
      median(await reference.verify(subject.directory, subject.root, referenceIterations)),
    );
  }
  return found;
}

interface Wall {
  readonly ours: number[];
  readonly theirs: number[];
  readonly node: number[];
}

/** Whole processes, from starting them to their end. */
async function measureProcesses({ directory, root }: Subject, { python }: Reference): Promise<Wall> {
  const wall = async (file: string, args: readonly string[]): Promise<number> => {
    const started = performance.now();
    await run(file, args);
    return performance.now() - started;
  };
  const ours = [mainFile, "verify", directory, "--certificate-chain", root];
  const signature = ["--signature", `${directory}/skill.oms.sig`, "--certificate_chain", root];
  const theirs = ["-m", "model_signing", "verify", "certificate", ...signature, directory];
  const found: Wall = { ours: [], theirs: [], node: [] };
  // The first round brings both into the page cache and does not count.
  for (let round = 0; round <= processRounds; round += 1) {
    const [one, other, empty] = [
      await wall(process.execPath, ours),
      await wall(python, theirs),
      await wall(process.execPath, ["--eval", "0"]),
    ];
    if (round === 0) continue;
    found.ours.push(one);
    found.theirs.push(other);
    found.node.push(empty);
  }
  return found;
}

interface Found {
  readonly subject: Subject;
  readonly inProcess: Rounds;
  readonly processes: Wall;
}

function aimsOf({ subject: { title }, inProcess, processes }: Found): readonly Aim[] {
  const floor = sum(inProcess["signature check"], inProcess["SHA-256"]);
  const overFloor = ratio(inProcess.verification, floor);
  const overReference = ratio(inProcess.reference, inProcess["from disk"]);
  const overProcess = ratio(processes.theirs, processes.ours);
  const times = (value: number): string => `${figure(value)}×`;
  return [
    {
      figure: `${title}: verification in process, over the floor`,
      measured: times(overFloor),
      aim: "≤ 1.5×",
      met: overFloor <= 1.5,
    },
    {
      figure: `${title}: faster than the reference, both in process and from disk`,
      measured: times(overReference),
      aim: "≥ 4×",
      met: overReference >= 4,
    },
    {
      figure: `${title}: faster than the reference's command line, whole process`,
      measured: times(overProcess),
      aim: "≥ 4×",
      met: overProcess >= 4,
    },
  ];
}

function rowsOf({ subject, inProcess, processes }: Found): readonly (readonly string[])[] {
  const floor = sum(inProcess["signature check"], inProcess["SHA-256"]);
  const of = (
    what: string,
    values: readonly number[],
    under: readonly number[] = floor,
  ): readonly string[] => [
    subject.title,
    what,
    time(median(values)),
    `±${Math.round(spread(values) * 100)} %`,
    `${figure(ratio(values, under))}×`,
  ];
  return [
    of("floor: one signature check", inProcess["signature check"]),
    of("floor: SHA-256 of all bytes", inProcess["SHA-256"]),
    of("verification, bytes in memory, known chain", inProcess.verification),
    of("the same with the card read, as a review does it", inProcess.assessment),
    of("the same as the first, but the chain seen for the first time", inProcess["unknown chain"]),
    of("the same as the first, but read from disk", inProcess["from disk"]),
    of("reference (Python), from disk", inProcess.reference),
    of("whole process: skill-admission verify", processes.ours, processes.node),
    of("whole process: model_signing verify", processes.theirs, processes.node),
    of("whole process: Node alone", processes.node, processes.node),
  ];
}

const describe = async ({ title, directory }: Subject): Promise<string> => {
  const skill = await readSkillDirectory(directory);
  return `${title} is ${basename(directory)}: ${skill.files.size} files, ${Math.round(skillSize(skill) / 1024)} KiB.`;
};

/** Verification of one skill, beside the least that must be done and beside the reference implementation. */
export async function verification(scratch: string, progress: (text: string) => void): Promise<Section> {
  progress("verification: preparing the reference");
  const reference = await startReference();
  try {
    const found: Found[] = [];
    const all = await subjects(scratch);
    for (const subject of all) {
      progress(`verification: ${subject.title}, in process`);
      const inProcess = await measure(subject, reference);
      progress(`verification: ${subject.title}, whole processes`);
      found.push({ subject, inProcess, processes: await measureProcesses(subject, reference) });
    }
    return {
      id: "verification",
      aims: found.flatMap(aimsOf),
      tables: [
        { columns: ["Skill", "What", "Time", "Spread", "Ratio"], rows: found.flatMap(rowsOf) },
        await guideTable(progress),
        await trustCardTable(progress),
        await keylessTable(progress),
        await cosignTable(progress),
        await vettTable(progress),
      ],
      notes: [
        `${(await Promise.all(all.map(describe))).join(" ")} Both are signed under a chain of three certificates.`,
        `Medians of ${rounds} rounds of ${iterations} verifications (the reference: ${referenceIterations}), in turn within each round. Ratios are to the floor, those of whole processes to Node that starts and ends. No evidence is remembered between verifications; the publisher's chain is, where nothing else is said.`,
      ],
    };
  } finally {
    reference.stop();
  }
}
