import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { productionFlags } from "../../bench/servers/server.ts";

const root = join(import.meta.dirname, "../../..");
const textOf = (file: string): string => readFileSync(join(root, file), "utf8");

describe("the flags of Node that the benchmark measures with", () => {
  it("are those of the script that people call", () => {
    const { scripts } = JSON.parse(textOf("package.json")) as { readonly scripts: Record<string, string> };
    expect(scripts["skill-admission"]).toBe(`node ${productionFlags.join(" ")} dist/main.js`);
  });

  it("are those of the image", () => {
    const entrypoint = /^ENTRYPOINT (\[.*\])$/m.exec(textOf("Dockerfile"))?.[1] ?? "[]";
    expect((JSON.parse(entrypoint) as readonly string[]).filter((word) => word.startsWith("--"))).toEqual(
      productionFlags,
    );
  });
});
