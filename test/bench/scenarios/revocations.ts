import { hash } from "node:crypto";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Load } from "../load/load.ts";
import { governance, list } from "../material/reviews.ts";
import { makeKey, sizes } from "../material/skills.ts";
import { startProduct, type Server } from "../servers/server.ts";
import { percent, type Aim, type Table } from "../table.ts";
import { podWith } from "../material/pod-with.ts";
import { columns, measureKinds, ratio, rows, type Kind } from "./side-by-side.ts";

const kinds = ["skills", "files", "certificates", "keys"] as const;
const lists = 10;
/** Of each kind in each list: the most that one list may hold. */
const perKind = 10_000 / kinds.length;
const total = `${(lists * kinds.length * perKind).toLocaleString("en-US")} revocations`;

/** Lists of digests that nothing here has. */
const revocations = (): readonly object[] =>
  Array.from({ length: lists }, (_, nth) => {
    const entries = (kind: string): readonly object[] =>
      Array.from({ length: perKind }, (_unused, at) => ({
        digest: `sha256:${hash("sha256", `${kind} ${nth} ${at}`, "hex")}`,
        reason: "CVE-2026-0001: leaks what it reads.",
      }));
    return {
      apiVersion: "skill-admission.dev/v1alpha1",
      kind: "SkillRevocationList",
      metadata: { name: `revoked-${nth}` },
      spec: Object.fromEntries(kinds.map((kind) => [kind, entries(kind)])),
    };
  });

/** Two folders that differ in the revocations alone, and a review that both admit. */
async function prepare(scratch: string): Promise<{ without: string; with: string; kind: Kind }> {
  const [without, beside] = [join(scratch, "none-revoked"), join(scratch, "revoked")];
  await mkdir(without);
  const key = makeKey();
  await writeFile(join(without, "policy.json"), list(governance(key.publicPem)));
  const reviews = join(scratch, "revoked.ndjson");
  const review = await podWith("reviewed", 1, { key, state: without }, { size: sizes.median });
  await writeFile(reviews, `${review}\n`);
  await cp(without, beside, { recursive: true });
  for (const [at, object] of revocations().entries())
    await writeFile(join(beside, `revoked-${at}.json`), JSON.stringify(object));
  const kind = { title: "one cached skill, admitted", expect: '"allowed":true', reviews };
  return { without, with: beside, kind };
}

/** Reviews while a hundred thousand things are revoked, beside a server of ours with no revocation at all, in turn. */
export async function revocationsTable(
  scratch: string,
  load: Load,
  progress: (text: string) => void,
): Promise<{ readonly table: Table; readonly aims: readonly Aim[] }> {
  progress(`reviews: preparing ${total}`);
  const prepared = await prepare(scratch);
  const started: Server[] = [];
  try {
    const bare = await startProduct(["--state", prepared.without]);
    started.push(bare);
    const ours = await startProduct(["--state", prepared.with]);
    started.push(ours);
    const measured = await measureKinds(load, { ours, bare }, [prepared.kind], progress);
    return {
      table: {
        columns: [...columns, "of none"],
        rows: measured.flatMap((each) => rows(each, [total, "none revoked"])),
      },
      aims: measured.map((each) => {
        const share = ratio(each);
        const { connections } = each;
        return {
          figure: `${total} in force, ${connections} connection${connections === 1 ? "" : "s"}: reviews per processor second, of those with none`,
          measured: percent(share),
          aim: "≥ 90 %",
          met: share >= 0.9,
        };
      }),
    };
  } finally {
    for (const server of started) await server.stop();
  }
}
