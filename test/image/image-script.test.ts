import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const project = join(import.meta.dirname, "../..");
const script = join(project, "scripts/image.ts");
const run = (
  command: string,
  env: Readonly<Record<string, string>>,
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } =>
  spawnSync("/bin/sh", ["-c", command], {
    cwd: project,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], ...env },
  });

const image = (args: string, env: Readonly<Record<string, string>> = {}): ReturnType<typeof run> =>
  run(`'${process.execPath}' '${script}' --print --builder buildah ${args}`, {
    SOURCE_DATE_EPOCH: "1790000000",
    REGISTRY: "registry.example",
    HOME: "/home/me",
    ...env,
  });

/** What the documents tell people to type. */
const documented = ["README.md", "docs/image.md", "docs/install.md"].flatMap((name) =>
  [...readFileSync(join(project, name), "utf8").matchAll(/^npm run image(?: --)?(?= |$)(.*)$/gm)].map(
    ([line, args = ""]) => ({ name, line, args }),
  ),
);

describe("npm run image", () => {
  it("is in the documents", () => {
    expect(documented.length).toBeGreaterThan(6);
  });

  it.each(documented)("understands what $name says: $line", ({ args }) => {
    const { status, stdout, stderr } = image(args);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^buildah build .*--build-arg CREATED=2026-09-21T14:13:20Z /);
  });

  it("hands on arguments and what follows the second --", () => {
    const { stdout } = image(
      "--tag a:1 --build-arg BUILD_IMAGE=b@sha256:00 -- --secret id=npmrc,src=/x --squash",
    );
    expect(stdout).toContain("--build-arg BUILD_IMAGE=b@sha256:00 ");
    expect(stdout).toContain("--secret id=npmrc,src=/x --squash ");
    expect(stdout).toContain("--tag a:1 ");
  });

  it("takes the commit from the environment, where it says so", () => {
    expect(image("", { SOURCE_REVISION: "0123" }).stdout).toContain("SOURCE_REVISION=0123 ");
  });

  it("refuses to guess when a source without git was made", () => {
    const { status, stderr } = image("", { SOURCE_DATE_EPOCH: "", GIT_DIR: "/nowhere" });
    expect(status).toBe(2);
    expect(stderr).toContain("Set SOURCE_DATE_EPOCH");
  });

  it("takes the first builder that is there, docker only with buildx", async () => {
    const folder = await mkdtemp(join(tmpdir(), "skill-admission-builders-"));
    const program = async (name: string, code: number): Promise<void> => {
      await writeFile(join(folder, name), `#!/bin/sh\nexit ${code}\n`, { mode: 0o755 });
    };
    const chosen = (): ReturnType<typeof run> =>
      run(`'${process.execPath}' '${script}' --print`, { SOURCE_DATE_EPOCH: "1790000000", PATH: folder });
    try {
      expect(chosen().stderr).toContain("install docker with buildx, podman or buildah");
      await program("buildah", 0);
      await program("docker", 1);
      expect(chosen().stdout).toMatch(/^buildah build /);
      await program("docker", 0);
      expect(chosen().stdout).toMatch(/^docker buildx build /);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it.each([
    ["--builder kaniko", "--builder must be one of docker, podman, buildah"],
    ["--build-arg VERSION", "--build-arg VERSION: write NAME=VALUE"],
    ["--tga x", "Unknown option '--tga'"],
  ])("refuses %s", (args, message) => {
    const { status, stderr } = image(args);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });
});
