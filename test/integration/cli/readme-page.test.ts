import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { commandsOf, type, type Typed } from "../../fixtures/documented.ts";
import { shellWithHome } from "./page.ts";

const page = "README.md";

const shell = shellWithHome();

/** The only command of the page about its policy, on a pod of the examples. */
let judged: (pod: "signed" | "tampered") => Promise<Typed>;

beforeAll(async () => {
  const policy = join(shell.env["HOME"]!, "policy.yaml");
  await writeFile(policy, (await commandsOf(page, "yaml"))("kind: ClusterSkillPolicy"));
  const command = (await commandsOf(page))("--policy policy.yaml").replace("policy.yaml", policy);
  judged = (pod) => type(command.replace("tampered", pod), shell);
});

describe("the policy in the README", () => {
  it("works as it is pasted: denies a skill that was changed", async () => {
    const { code, out } = await judged("tampered");
    expect(out).toContain("payments incident-summary: DIGEST_MISMATCH scripts/timeline.sh");
    expect(code, out).toBe(1);
  });

  it("admits the skill as it was signed", async () => {
    const { code, out } = await judged("signed");
    expect(out).toContain("1 object: 1 passed");
    expect(code, out).toBe(0);
  });
});
