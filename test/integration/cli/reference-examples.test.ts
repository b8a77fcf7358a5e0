import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "./line.ts";
import { projectRoot } from "./page.ts";

interface Answer {
  readonly outcome: string;
  readonly findings: readonly { readonly policy: string; readonly code: string }[];
}

const inExamples = (path: string): string => join(projectRoot, "examples", path);
const policies = ["--policy", inExamples("reference")];

async function ask(...args: readonly string[]): Promise<Answer & { readonly err: string }> {
  const { out, err } = await run([...args, ...policies, "-o", "json"]);
  return { ...(JSON.parse(out.split("\n")[0]!) as Answer), err };
}

describe("the examples of the reference pages, all in force", () => {
  const applied = (pod: string) =>
    ask("apply", ...["namespace", pod].flatMap((file) => ["--resource", inExamples(`pods/${file}.yaml`)]));

  it("admit the skill that their key signed, and deny it once it is changed", async () => {
    const signed = await applied("signed");
    expect(signed).toMatchObject({ outcome: "allow" });
    const tampered = await applied("tampered");
    expect(tampered).toMatchObject({ outcome: "deny" });
    expect(JSON.stringify(tampered)).toContain("DIGEST_MISMATCH");
    // The trust root with a mirror is usable offline, by what stands beside it.
    expect(signed.err).toMatch(/^warning: SkillTrustRoot followed: .*; instance serves in its place\n$/);
  });

  it("accept the registry's skill by the policy that lists it alone, and without the signature by none", async () => {
    const objecting = async (skill: string) => {
      const { findings } = await ask("verify", inExamples(skill));
      return [...new Set(findings.map(({ policy }) => policy))];
    };
    const signed = await objecting("vett/skills/incident-summary");
    expect(signed).toContain("payments");
    const unsigned = await objecting("skills/incident-summary");
    expect(unsigned.filter((policy) => !signed.includes(policy))).toEqual(["from-the-registry"]);
  });
});
