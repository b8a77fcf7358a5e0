import { join } from "node:path";

import { beforeAll, beforeEach, describe, expect, it } from "vitest";

import { pythonWith } from "../../set-up/python.ts";
import { examples, makeWorld, projectRoot, type World } from "./world.ts";

let world: World;
let preCommit: string;

const git = "git -c user.name=Test -c user.email=test@example.com";

beforeAll(async () => {
  world = await makeWorld();
  const requirements = join(import.meta.dirname, "requirements.txt");
  const python = await pythonWith(requirements, join(projectRoot, ".cache/pre-commit"));
  preCommit = `"${python}" -m pre_commit`;
});

/** A repository of the skills, and one of hooks. */
beforeEach(async () => {
  world.reset();
  const { code, out } = await world.step(`${git} init -q . && ${git} add -A && ${git} commit -qm skills
mkdir ../hooks 2>/dev/null && cd ../hooks && cp ${examples}/pre-commit/.pre-commit-hooks.yaml . &&
  ${git} init -q . && ${git} add -A && ${git} commit -qm hooks || true`);
  expect(code, out).toBe(0);
});

const local = `cp ${examples}/pre-commit/.pre-commit-config.yaml . && ${git} add -A && `;
const ways: readonly (readonly [string, () => string])[] = [
  [".pre-commit-config.yaml", () => `${local}${preCommit} run --all-files --verbose`],
  [".pre-commit-hooks.yaml", () => `${preCommit} try-repo ../hooks --all-files --verbose`],
];

it("is what pre-commit takes", async () => {
  const { code, out } = await world.step(
    `${preCommit} validate-config ${examples}/pre-commit/.pre-commit-config.yaml
${preCommit} validate-manifest ${examples}/pre-commit/.pre-commit-hooks.yaml`,
  );
  expect(code, out).toBe(0);
});

describe.each(ways)("the hooks of %s", (_file, command) => {
  it("pass", async () => {
    const { code, out } = await world.step(command());
    expect(code, out).toBe(0);
    expect(out).toMatch(/^verify skills\.+Passed$/m);
    expect(out).toMatch(/^judge manifests by policies\.+Passed$/m);
    expect(out).toContain("2 skills: 2 passed");
    expect(out).toContain("1 object: 1 passed");
  });

  it("refuse what was changed", async () => {
    world.tamper();
    const { code, out } = await world.step(command());
    expect(code).toBe(1);
    expect(out).toMatch(/^verify skills\.+Failed$/m);
    expect(out).toMatch(/^judge manifests by policies\.+Failed$/m);
    expect(out).toContain("DIGEST_MISMATCH SKILL.md");
  });
});

it("refuses a commit, and asks only about what is in it", async () => {
  await world.step(`${local}${git} commit -qm hooks && ${preCommit} install`);
  world.write("notes.txt", "nothing of skills\n");
  const other = await world.step(`${git} add notes.txt && ${git} commit -m notes`);
  expect(other.code, other.out).toBe(0);
  expect(other.out).toContain("(no files to check)Skipped");
  world.tamper();
  const { code, out } = await world.step(`${git} add -A && ${git} commit -m evil`);
  expect([code, out]).toEqual([1, expect.stringContaining("DIGEST_MISMATCH")]);
});
