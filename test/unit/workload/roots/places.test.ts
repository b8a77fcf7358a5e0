import { describe, expect, it } from "vitest";
import type { SkillReference } from "../../../../src/skill/reference.ts";
import { findSkills } from "../../../../src/workload/find-skills.ts";
import { readPodSpec } from "../../../../src/workload/pod/pod-spec.ts";
import {
  claim,
  configMap,
  mount,
  objects,
  podWith,
  projected,
  volume,
  type Part,
} from "../../../fixtures/pods.ts";

const signed = configMap("signed", [["k", "SKILL.md"]]);
const read = objects({ signed: { k: "S" } });

const placed = ({ path, content }: SkillReference): string => {
  if (content.state !== "unverifiable") return `${path}: ${content.state}`;
  return `${path}: ${content.place?.rule ?? "always"}, ${content.place?.why ?? ""}`;
};

const placesOf = (
  mounts: readonly (readonly [type: Part, path: string])[],
  more: Part = {},
  policyRoots: readonly string[] = [],
): readonly string[] => {
  const volumes = mounts.map(([type], index) => volume(`v${index}`, type));
  const subject = podWith(
    volumes,
    mounts.map(([, path], index) => mount(`v${index}`, path)),
    more,
  );
  return findSkills(readPodSpec(subject), policyRoots, read).map(placed);
};

const home = (value: string): Part => ({ env: [{ name: "HOME", value }] });

describe("a place", () => {
  it.each<[path: string, more: Part, place: string]>([
    ["/skills", {}, "root, it is a skill root"],
    ["/x/skills/y", {}, "root, /x/skills is a skill root"],
    ["/root", {}, "above, it is a usual home"],
    ["/home/agent", {}, "above, it is a usual home"],
    ["/home", {}, "above, it is a usual home"],
    ["/work", home("/work"), "above, it is HOME (set in env)"],
    ["/work", home("/work/me"), "above, /work/me below it is HOME (set in env)"],
    ["/src", { workingDir: "/src" }, "above, it is the container's workingDir"],
    ["/src", { workingDir: "/src/a/b" }, "above, /src/a/b below it is the container's workingDir"],
    ["/x/.claude", {}, "above, it is a part of .claude, a folder of Claude Code"],
    ["/x/.config", {}, "above, it is a part of .config/agents, a folder of several agents"],
    ["/x/.codeium", {}, "above, it is a part of .codeium/windsurf, a folder of Windsurf"],
    ["/x/.openclaw/workspace-2", {}, "above, it is a part of .openclaw/workspace*, a folder of OpenClaw"],
    ["/opt", {}, "agentPrefix, /opt/data/skills below it is a skill root of Hermes"],
    ["/etc/codex", {}, "agentPrefix, /etc/codex/skills below it is a skill root of Codex"],
    ["/app", {}, "agentPrefix, /app/skills below it is a skill root of OpenClaw"],
    ["/app", { workingDir: "/app" }, "above, it is the container's workingDir"],
  ])("says why it counts: %s with %j", (path, more, place) => {
    expect(placesOf([[claim, path]], more)[0]).toContain(`${path}: ${place}`);
    expect(placesOf([[claim, path]], more)).toHaveLength(1);
  });

  it("may lie above the root of a policy", () => {
    expect(placesOf([[claim, "/srv"]], {}, ["/srv/lore"])).toEqual([
      "/srv: above, /srv/lore below it is a skill root of the policy",
    ]);
    expect(placesOf([[claim, "/x/.acme"]], {}, [".acme/lore"])).toEqual([
      "/x/.acme: above, it is a part of .acme/lore, a skill root of the policy",
    ]);
  });

  it.each(["/data", "/srv", "/mnt", "/tmp", "/var/lib/app", "/workspace", "/home/agent/data", "/usr/share"])(
    "of no note counts for nothing: %s",
    (path) => {
      expect(placesOf([[claim, path]], { ...home("/work"), workingDir: "/work" })).toEqual([]);
    },
  );
});

describe("a place beside a signed skill", () => {
  const skillAt = (path: string) => [signed, path] as const;

  it.each<[path: string, skill: string, place: string]>([
    ["/srv/agent/evil", "/srv/agent/x", "above, it lies beside the skill /srv/agent/x"],
    ["/srv/agent", "/srv/agent/x", "above, the skill /srv/agent/x lies below it"],
    ["/srv", "/srv/agent/x", "above, the skill /srv/agent/x lies below it"],
    ["/data", "/data/lore/x", "above, the skill /data/lore/x lies below it"],
    ["/opt/lore/evil", "/opt/lore/x", "above, it lies beside the skill /opt/lore/x"],
  ])("counts: %s beside %s", (path, skill, place) => {
    const around = placesOf([[claim, path], skillAt(skill)]);
    expect(around).toContain(`${skill}: resolved`);
    expect(around).toContain(`${path}: ${place}`);
  });

  it("counts though it shows keys only, for one may be SKILL.md", () => {
    const secret = { secret: { secretName: "s" } };
    expect(placesOf([[secret, "/srv/agent/evil"], skillAt("/srv/agent/x")])).toContain(
      "/srv/agent/evil: above, it lies beside the skill /srv/agent/x",
    );
  });

  it.each([
    ["/data/cache", "/data/x"],
    ["/app/cache", "/app/x"],
    ["/workspace/out", "/workspace/x"],
    ["/work/cache", "/work/x"],
    ["/home/agent/cache", "/home/agent/x"],
    ["/cache", "/x"],
    ["/srv/agent/deep/evil", "/srv/agent/x"],
    ["/srv/other", "/srv/agent/x"],
  ])("does not count: %s beside %s", (path, skill) => {
    expect(placesOf([[claim, path], skillAt(skill)], { workingDir: "/work" })).toEqual([
      `${skill}: resolved`,
    ]);
  });

  it("does not count for what the kubelet makes", () => {
    const token = projected({ serviceAccountToken: { path: "token" } });
    expect(placesOf([[token, "/srv/agent/token"], skillAt("/srv/agent/x")])).toEqual([
      "/srv/agent/x: resolved",
    ]);
  });
});
