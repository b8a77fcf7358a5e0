/**
 * Builds the image: `npm run image -- [--builder docker|podman|buildah] [--tag REFERENCE] [--archive FILE]
 * [--build-arg NAME=VALUE]… [--print] [-- OPTION…]`. Arguments after `--` go to the builder. Revision and time are
 * those of the commit, or SOURCE_REVISION and SOURCE_DATE_EPOCH; see docs/image.md.
 * Example: `npm run image -- --tag skill-admission:dev --print`
 */
import { execFileSync, spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";

import type { Source } from "./image/build-arguments.ts";
import { builderCommands, builders, type Builder } from "./image/builder-commands.ts";

const project = join(import.meta.dirname, "..");

function fail(message: string): never {
  console.error(`error: ${message}`);
  process.exit(2);
}

function git(...args: readonly string[]): string | undefined {
  try {
    return execFileSync("git", ["-C", project, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return undefined;
  }
}

/** Marks a changed working tree as `-dirty`: the commit alone does not describe it. */
function revision(): string {
  const commit = git("rev-parse", "HEAD")?.trim();
  if (commit === undefined) return "unknown";
  return git("status", "--porcelain") === "" ? commit : `${commit}-dirty`;
}

function sourceOf(): Source {
  const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
    readonly version: string;
    readonly repository?: string | { readonly url: string };
  };
  const { repository } = manifest;
  const url = typeof repository === "object" ? repository.url : repository;
  const epoch = process.env["SOURCE_DATE_EPOCH"] ?? git("log", "-1", "--format=%ct")?.trim() ?? "";
  if (!/^\d{1,12}$/.test(epoch))
    fail(
      "when was this source made? Set SOURCE_DATE_EPOCH to seconds since 1970, or build in a git checkout",
    );
  return {
    version: manifest.version,
    revision: process.env["SOURCE_REVISION"] ?? revision(),
    epoch: Number(epoch),
    ...(url === undefined ? {} : { repository: url }),
  };
}

const inPath = (name: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Docker needs buildx: only BuildKit rewrites the layers' timestamps. */
const usable = (name: Builder): boolean =>
  inPath(name) && (name !== "docker" || spawnSync("docker", ["buildx", "version"]).status === 0);

function builderOf(wish: string | undefined): Builder {
  if (wish !== undefined)
    return builders.find((name) => name === wish) ?? fail(`--builder must be one of ${builders.join(", ")}`);
  const nothing = "install docker with buildx, podman or buildah: any one of them builds the image";
  return builders.find(usable) ?? fail(nothing);
}

function argumentsOf(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name = "", value = ""]: readonly string[] =
        /^(\w+)=(.+)$/.exec(pair) ?? fail(`--build-arg ${pair}: write NAME=VALUE`);
      return [name, value];
    }),
  );
}

function read() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        builder: { type: "string" },
        tag: { type: "string" },
        archive: { type: "string" },
        "build-arg": { type: "string", multiple: true, default: [] },
        print: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    return fail((error as Error).message);
  }
}

const { values, positionals } = read();
const source = sourceOf();
const builder = builderOf(values.builder);
const commands = builderCommands({
  builder,
  source,
  reference: values.tag ?? `localhost/skill-admission:${source.version}`,
  context: project,
  more: argumentsOf(values["build-arg"]),
  options: positionals,
  ...(values.archive === undefined ? {} : { archive: values.archive }),
});
for (const args of commands) {
  console.log([builder, ...args].join(" "));
  if (values.print) continue;
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(source.epoch) };
  const { status, error } = spawnSync(builder, args, { stdio: "inherit", env });
  if (error !== undefined) fail(`${builder} cannot be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
