import { describe, expect, it } from "vitest";
import { findSkills } from "../../../src/workload/find-skills.ts";
import { readPodSpec } from "../../../src/workload/pod/pod-spec.ts";
import {
  configMap,
  found,
  mount,
  objects,
  podWith,
  projected,
  volume,
  type Part,
} from "../../fixtures/pods.ts";

const optional = { optional: true };
const contents = { base: { run: "B", guard: "G" }, signed: { md: "S", run: "R" } };
const tree = [
  ["md", "SKILL.md"],
  ["run", "run"],
] as const;
const at = (...sources: readonly Part[]) =>
  podWith([volume("v", projected(...sources))], [mount("v", "/skills/x")]);

// The deletion of a ConfigMap is not reviewed; the kubelet takes what an optional one held out of running pods.
describe("an optional source", () => {
  it("is refused where it lies over a file that its deletion would uncover", () => {
    const pod = at(configMap("base", [["run", "run"]]), configMap("signed", tree, optional));
    expect(found(pod, contents)).toContain("/skills/x: unverifiable Projected");
    const detail = findSkills(readPodSpec(pod), [], objects(contents)).find(
      ({ content }) => content.state !== "resolved",
    );
    expect(detail!.content).toMatchObject({
      detail: expect.stringContaining("signed is optional and lies over a file of base") as string,
    });
  });

  it("is refused where it holds only a part of a skill", () => {
    const pod = at(configMap("signed", tree), configMap("base", [["guard", "guard"]], optional));
    expect(found(pod, contents)).toEqual([
      "/skills/x: SKILL.md=S guard=G run=R",
      "/skills/x: unverifiable Projected",
    ]);
  });

  it("passes where all of the skill is its own, so that nothing is left without it", () => {
    expect(found(at(configMap("signed", tree, optional)), contents)).toEqual(["/skills/x: SKILL.md=S run=R"]);
  });

  it("passes under another that is not optional", () => {
    const pod = at(configMap("base", [["run", "run"]], optional), configMap("signed", tree));
    expect(found(pod, contents)).toEqual(["/skills/x: SKILL.md=S run=R"]);
  });

  it("passes without the word", () => {
    const pod = at(configMap("base", [["run", "run"]]), configMap("signed", tree));
    expect(found(pod, contents)).toEqual(["/skills/x: SKILL.md=S run=R"]);
  });
});
