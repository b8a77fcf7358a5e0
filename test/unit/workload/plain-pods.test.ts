import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findSkills } from "../../../src/workload/find-skills.ts";
import { readPodSpec } from "../../../src/workload/pod/pod-spec.ts";
import {
  configMap,
  container,
  emptyDir,
  mount,
  objects,
  pod,
  projected,
  shown,
  volume,
} from "../../fixtures/pods.ts";
import { runs } from "../../fixtures/property-runs.ts";

const types = {
  configMap: configMap("cm", [["k", "file"]]),
  hidden: configMap("cm", [["k", ".claude/skills/x/file"]]),
  secret: { secret: { secretName: "s", items: [{ key: "k", path: "x/SKILL.md" }] } },
  keys: { secret: { secretName: "s" } },
  token: projected({ serviceAccountToken: { path: "token" } }),
  mixed: projected({ serviceAccountToken: { path: "token" } }, { secret: { name: "s" } }),
  emptyDir,
  claim: { persistentVolumeClaim: { claimName: "c" } },
  runtime: { hostPath: { path: "/var/lib/kubelet/pods" } },
};

const paths = [
  "/var/run/secrets/kubernetes.io/serviceaccount",
  "/data",
  "/tmp",
  "/skills/x",
  "/opt",
  "/etc/passwd",
  "/plugins",
  "/x/.claude/commands",
  "/home/agent/.claude",
  "/srv/roots/x",
  "/data/SKILL.md",
  "/moved/skills/x",
  "/moved",
  "/opt/.claude/..data/skills",
] as const;

const name = fc.constantFrom(...(Object.keys(types) as (keyof typeof types)[]));

describe("findSkills without anything that was read", () => {
  it("comes to the same by its short way as by the long one", () => {
    const pods = fc.record({
      mounts: fc.uniqueArray(fc.record({ name, path: fc.constantFrom(...paths) }), {
        selector: ({ path }) => path,
        maxLength: 3,
      }),
      env: fc.constantFrom(
        [],
        [{ name: "CODEX_HOME", value: "/moved" }],
        [{ name: "HOME", valueFrom: {} }],
        [{ name: "HOME", value: "/data" }],
        [{ name: "KAGENT_NAME", value: "x" }],
      ),
      envFrom: fc.constantFrom([], [], [{ secretRef: { name: "s" } }]),
      terminationMessagePath: fc.constantFrom("/dev/termination-log", "/skills/x/SKILL.md", "/data/log"),
    });
    let none = 0;
    let some = 0;
    fc.assert(
      fc.property(pods, ({ mounts, env, envFrom, terminationMessagePath }) => {
        const subject = pod({
          volumes: Object.entries(types).map(([key, type]) => volume(key, type)),
          containers: [
            container(
              "a",
              mounts.map(({ name: key, path }) => mount(key, path)),
              { env, envFrom, terminationMessagePath },
            ),
          ],
        });
        const short = findSkills(readPodSpec(subject), ["/srv/roots"], new Map()).map(shown);
        const long = findSkills(readPodSpec(subject), ["/srv/roots"], objects({ unrelated: {} })).map(shown);
        if (long.length === 0) none += 1;
        else some += 1;
        expect(short).toEqual(long);
      }),
      runs(1000),
    );
    expect(Math.min(none, some)).toBeGreaterThan(0);
  });
});
