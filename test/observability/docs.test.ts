import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { metrics, metricsPage } from "../../scripts/generate/metrics.ts";
import { projectRoot } from "../cluster/harness/binaries.ts";

const read = (path: string): Promise<string> => readFile(join(projectRoot, path), "utf8");

async function pages(): Promise<readonly string[]> {
  const names = await readdir(join(projectRoot, "docs"), { recursive: true });
  const found = names.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`);
  return ["README.md", "CHANGELOG.md", ...found];
}

describe("the documentation", () => {
  it("names no metric that there is not", async () => {
    const known = new Set(metrics.map(({ name }) => name));
    const histograms = new Set(metrics.filter(({ type }) => type === "histogram").map(({ name }) => name));
    for (const page of await pages()) {
      for (const name of (await read(page)).match(/\bskill_admission_\w+/g) ?? []) {
        const base = name.replace(/_(?:bucket|sum|count)$/, "");
        expect(known.has(name) || histograms.has(base), `${name} in ${page}`).toBe(true);
      }
    }
  });

  it("says of every metric what it is, and of every label what it can be", () => {
    const page = metricsPage();
    expect(metrics.length).toBeGreaterThan(20);
    for (const { name, help, labels, buckets, type } of metrics) {
      expect(page).toContain(`| \`${name}\` | ${type} |`);
      expect(help.length, name).toBeGreaterThan(10);
      for (const label of labels) expect(page).toContain(`| \`${label}\` | `);
      expect(buckets.length > 0, name).toBe(type === "histogram");
    }
  });

  it("leads only to sections that there are", async () => {
    for (const page of ["docs/operations.md", "docs/metrics.md"]) {
      const text = await read(page);
      for (const [, path = "", anchor] of text.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)) {
        const target = path === "" ? page : join("docs", path);
        const headings = (await read(target)).matchAll(/^#+ (.+)$/gm);
        if (anchor === undefined) continue;
        const anchors = [...headings].map(([, heading = ""]) =>
          heading
            .toLowerCase()
            .replaceAll(/[^\w\- ]/g, "")
            .replaceAll(" ", "-"),
        );
        expect(anchors, `${page}: ${path}#${anchor}`).toContain(anchor);
      }
    }
  });
});
