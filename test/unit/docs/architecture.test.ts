import { globSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";

interface Floors {
  readonly pureFloors: readonly (readonly string[])[];
  readonly adapterFloors: readonly (readonly string[])[];
  readonly compositionFloors: readonly (readonly string[])[];
  readonly roomsOf: (floors: readonly (readonly string[])[]) => readonly string[];
}

const { pureFloors, adapterFloors, compositionFloors, roomsOf } = createRequire(import.meta.url)(
  "../../../scripts/house-floors.cjs",
) as Floors;
const page = readFileSync("docs/architecture.md", "utf8");
const rows = [...page.matchAll(/^\| `([a-z]+)` +\| ([a-z]+) +\|/gm)].map(([, room, kind]) => [room!, kind!]);
const roomsThatAre = (wanted: string) => rows.filter(([, kind]) => kind === wanted).map(([room]) => room);

describe("docs/architecture.md", () => {
  it("lists every room of src, and no other", () => {
    const folders = readdirSync("src", { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(rows.map(([room]) => room).sort()).toEqual(folders.map(({ name }) => name).sort());
  });

  it("lists pure rooms in the order of their imports, and adapters as such", () => {
    expect(roomsThatAre("pure")).toEqual(roomsOf(pureFloors));
    expect([...roomsThatAre("adapter")].sort()).toEqual([...roomsOf(adapterFloors)].sort());
  });

  it("names the files that lie in no room", () => {
    const files = compositionFloors.flat().flatMap((name) => /^\{(.*)\}$/.exec(name)?.slice(1) ?? []);
    const [, paragraph = ""] = /^(Five files lie in no room[^]*?)\n\n/m.exec(page) ?? [];
    const named = [...paragraph.matchAll(/`([a-z-]+)\.ts`/g)].map(([, name]) => name!);
    expect(named.sort()).toEqual(files.sort());
  });

  it("draws functions that there are", () => {
    const [, picture = ""] = /```text\n([^]*?)```/.exec(page) ?? [];
    const drawn = [...picture.matchAll(/(?<![.\w])([a-zA-Z]+)\(\)/g)].map(([, name]) => name!);
    const source = globSync("src/**/*.ts").map((file) => readFileSync(file, "utf8"));
    const isExported = (name: string) =>
      source.some((text) => new RegExp(`^export (?:async )?(?:function|const) ${name}\\b`, "m").test(text));
    expect(drawn.length).toBeGreaterThan(10);
    expect(drawn.filter((name) => !isExported(name))).toEqual([]);
  });
});
