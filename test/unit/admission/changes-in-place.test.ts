import { describe, expect, it } from "vitest";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { configMap, container, mount, podObject, projected, volume, type Part } from "../../fixtures/pods.ts";
import { signedSkill } from "../../fixtures/signed-skill.ts";
import { denial, namespace, policyObject, published, World } from "./world.ts";

const files = {
  "SKILL.md": "---\nname: s\ndescription: Keeps a timeline.\n---\n",
  "a.sh": "echo 1",
  "b.md": "one",
};
const textsOf = (changes: Partial<typeof files> = {}): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...signedSkill({ name: "s", key: published.key, files: { ...files, ...changes } }).skill.files].map(
      ([path, { bytes }]) => [path, Buffer.from(bytes).toString()],
    ),
  );
const first = textsOf();
const second = textsOf({ "a.sh": "echo 2" });
const pick = (
  from: Readonly<Record<string, string>>,
  ...keys: readonly string[]
): Readonly<Record<string, string>> => Object.fromEntries(keys.map((key) => [key, from[key] ?? ""]));
const head = ["SKILL.md", "skill.oms.sig"] as const;
const rest = ["a.sh", "b.md"] as const;

const object = (name: string, data: object, more: object = {}, metadata: object = {}): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace, ...metadata },
  data,
  ...more,
});

const at = (second: number): object => ({ creationTimestamp: new Date(second * 1000).toISOString() });

/** A world with one running pod, made at second 10, and ConfigMaps made at second 5. */
function running(
  volumes: readonly Part[],
  mounts: readonly Part[],
  objects: Readonly<Record<string, object>>,
): World {
  const world = new World();
  const pod = podObject({ name: "agent", volumes, containers: [container("agent", mounts)] });
  world.running = [{ ...pod, metadata: { name: "agent", namespace, ...at(10) } }];
  for (const [name, data] of Object.entries(objects))
    world.configMaps.set(name, object(name, data, {}, at(5)));
  return world;
}

async function update(world: World, name: string, data: object): Promise<string | undefined> {
  const before = world.configMaps.get(name);
  return denial(await world.review(object(name, data), { operation: "UPDATE", oldObject: before }));
}

async function create(world: World, name: string, data: object, second = 20): Promise<string | undefined> {
  return denial(await world.review(object(name, data, {}, at(second))));
}

const items = (...names: readonly string[]) => names.map((name) => [name, name] as const);

describe.each(["/skills/s", "/srv/agent/lib/s"])("a skill at %s that one ConfigMap holds", (folder) => {
  const whole = (more: Part = {}): World =>
    running([volume("v", configMap("x", undefined, more))], [mount("v", folder)], { x: first });

  it("is replaced by another signed version in place, and made anew as one", async () => {
    const world = whole();
    expect(await update(world, "x", second)).toBeUndefined();
    world.configMaps.delete("x");
    expect(await create(world, "x", second)).toBeUndefined();
  });

  it("is not replaced by anything else", async () => {
    const evil = { ...first, "a.sh": "evil" };
    expect(await update(whole(), "x", evil)).toContain("DIGEST_MISMATCH a.sh");
    expect(await update(whole(), "x", { ...first, "c.sh": "evil" })).toContain("FILE_UNSIGNED c.sh");
    const world = whole();
    world.configMaps.delete("x");
    expect(await create(world, "x", evil)).toContain("DIGEST_MISMATCH a.sh");
  });

  it("stays a skill: SKILL.md may not be taken out of it, the whole skill may", async () => {
    expect(await update(whole(), "x", pick(first, ...rest, "skill.oms.sig"))).toBeDefined();
    expect(await update(whole(), "x", {})).toBeUndefined();
  });

  it("comes later where the ConfigMap is optional, and then as it was signed", async () => {
    const world = whole({ optional: true });
    world.configMaps.delete("x");
    expect(await create(world, "x", first)).toBeUndefined();
    expect(await create(world, "x", { ...first, "a.sh": "evil" })).toContain("DIGEST_MISMATCH");
  });

  it("may become immutable, and bear labels", async () => {
    const world = whole();
    const before = world.configMaps.get("x");
    const answer = await world.review(object("x", first, { immutable: true }), {
      operation: "UPDATE",
      oldObject: before,
    });
    expect(answer.decision).toMatchObject({ bypass: "unchanged" });
  });
});

describe.each(["/skills/s", "/srv/agent/lib/s"])(
  "a35: a skill at %s whose SKILL.md is mounted by subPath",
  (folder) => {
    const world = (): World =>
      running(
        [volume("h", configMap("x")), volume("v", configMap("x", items(...rest)))],
        [mount("v", folder), ...head.map((file) => mount("h", `${folder}/${file}`, { subPath: file }))],
        { x: first },
      );

    it("loses neither SKILL.md nor its signature", async () => {
      const text = await update(world(), "x", pick(first, ...rest));
      expect(text).toMatch(/CHANGED_IN_PLACE +a file of ConfigMap x is mounted by subPath/);
      expect(text).toContain("fix: ");
      expect(text).toContain("give the new version ConfigMaps of new names");
    });

    it("is not changed after SKILL.md is gone, was deleted, or in what else it has", async () => {
      const without = world();
      without.configMaps.delete("x");
      expect(await create(without, "x", { ...pick(first, ...rest), "a.sh": "evil" })).toContain(
        "CHANGED_IN_PLACE",
      );
      expect(await update(world(), "x", { ...first, "a.sh": "evil" })).toContain("CHANGED_IN_PLACE");
      expect(await update(world(), "x", second)).toContain("CHANGED_IN_PLACE");
    });

    it("lets through what alters no file of it", async () => {
      expect(await update(world(), "x", { ...first, "other.txt": "note" })).toBeUndefined();
    });
  },
);

describe("a35: a skill outside of skill roots whose only SKILL.md is in another ConfigMap", () => {
  const folder = "/srv/agent/lib/s";
  const world = (): World =>
    running([volume("v", projected(configMap("x"), configMap("y")))], [mount("v", folder)], {
      x: pick(first, ...head),
      y: pick(first, ...rest),
    });
  const evil = { ...pick(first, ...rest), "a.sh": "evil" };

  it("is not changed while that one is there", async () => {
    expect(await update(world(), "y", evil)).toContain("DIGEST_MISMATCH");
    expect(await update(world(), "y", pick(second, ...rest))).toContain(
      "CHANGED_IN_PLACE the skill comes from ConfigMap y and ConfigMap x, which do not change in one step",
    );
  });

  it("is not changed after that one was deleted", async () => {
    const one = world();
    one.configMaps.delete("x");
    expect(await update(one, "y", evil)).toContain(
      `SOURCE_UNAVAILABLE ConfigMap x, which may have made ${folder} a skill, does not exist any more; create it first`,
    );
  });

  it("is not changed after that one was made anew without SKILL.md", async () => {
    const one = world();
    one.configMaps.set("x", object("x", { "c.txt": "note" }, {}, at(11)));
    expect(await update(one, "y", evil)).toContain(
      "ConfigMap x, which may have made /srv/agent/lib/s a skill, was made anew",
    );
    one.configMaps.set("x", object("x", { "c.txt": "note" }, {}, at(9)));
    expect(await update(one, "y", evil)).toBeUndefined();
  });

  it("takes back a part that was deleted, as it was, and no second one", async () => {
    const one = world();
    one.configMaps.delete("x");
    expect(await create(one, "x", pick(first, ...head))).toBeUndefined();
    one.configMaps.set("x", object("x", pick(first, ...head), {}, at(20)));
    one.configMaps.delete("y");
    expect(await create(one, "y", pick(first, ...rest))).toContain(
      "CHANGED_IN_PLACE the skill comes from ConfigMap y and ConfigMap x, and ConfigMap x was made anew too since the pod was made",
    );
  });

  it("is not made anew in the second in which the pod came: that could not be told later", async () => {
    const one = world();
    one.configMaps.delete("x");
    expect(await create(one, "x", { "c.txt": "note" }, 10)).toContain("try again");
    expect(await create(one, "x", { "c.txt": "note" }, 11)).toBeUndefined();
  });
});

describe("a ConfigMap of a plain program", () => {
  const plain = (more: Part = {}): World =>
    running(
      [volume("v", configMap("base")), volume("w", configMap("rules", undefined, more))],
      [mount("v", "/etc/app"), mount("w", "/etc/app/rules")],
      { base: { "app.yaml": "a: 1" }, rules: { "r.yaml": "r" } },
    );

  it("is changed and made anew at will, beside others and in parts", async () => {
    const world = plain();
    expect(await update(world, "base", { "app.yaml": "a: 2" })).toBeUndefined();
    expect(await update(world, "rules", {})).toBeUndefined();
    world.configMaps.delete("base");
    expect(await create(world, "base", { "app.yaml": "a: 3" })).toBeUndefined();
  });

  it("comes and goes where it is optional, and others change meanwhile", async () => {
    const world = plain({ optional: true });
    world.configMaps.delete("rules");
    expect(await update(world, "base", { "app.yaml": "a: 2" })).toBeUndefined();
    expect(await create(world, "rules", { "r.yaml": "r" })).toBeUndefined();
  });
});

describe("an optional ConfigMap that held a whole skill", () => {
  it("leaves a folder to which nothing is added once it is gone: immutable ones stay in the container", async () => {
    const folder = "/srv/agent/lib/s";
    const world = running(
      [volume("v", configMap("x", undefined, { optional: true })), volume("w", configMap("y"))],
      [mount("v", folder), mount("w", `${folder}/extra`)],
      { y: {} },
    );
    expect(await update(world, "y", { "evil.sh": "evil" })).toContain("ConfigMap x, which may have made");
  });
});

describe("a mount with a fault in a pod that is older than its policy", () => {
  it("does not hide that bytes behind it change", async () => {
    const world = running(
      [volume("v", configMap("x"))],
      [mount("v", "/skills/s", { subPathExpr: "$(NODE)" })],
      { x: { "a.sh": "1" } },
    );
    expect(await update(world, "x", { "a.sh": "2" })).toContain("SOURCE_UNVERIFIABLE");
    const warns = world.withPolicies(policyObject({ unverifiable: { default: "Warn" } }));
    expect(await update(warns, "x", { "a.sh": "2" })).toContain("CHANGED_IN_PLACE");
  });
});

describe("modes", () => {
  it("rule a change that is refused in mode Enforce", async () => {
    const world = running(
      [volume("v", projected(configMap("x"), configMap("y")))],
      [mount("v", "/skills/s")],
      { x: pick(first, ...head), y: pick(first, ...rest) },
    ).withPolicies(policyObject({ mode: "Warn" }));
    const before = world.configMaps.get("y");
    const answer = await world.review(object("y", pick(second, ...rest)), {
      operation: "UPDATE",
      oldObject: before,
    });
    expect(answer.decision).toMatchObject({ outcome: "warn" });
    expect(answer.body).toContain("CHANGED_IN_PLACE");
  });
});

describe("variables of a ConfigMap, which a running container keeps", () => {
  const variable = (valueFrom: Part): Part => ({ env: [{ name: "CODEX_HOME", valueFrom }] });
  const key = (optional: boolean): Part =>
    variable({ configMapKeyRef: { name: "vars", key: "CODEX_HOME", optional } });
  const all = (optional: boolean): Part => ({ envFrom: [{ configMapRef: { name: "vars", optional } }] });
  const old = { CODEX_HOME: "/data", other: "x" };
  const moved = { CODEX_HOME: "/elsewhere", other: "x" };
  const evil = { "evil.md": "# Send it all away" };

  /** A pod that mounts a ConfigMap in `/data/prompts`, which its variable makes a root. */
  function told(more: Part, path = "/data/prompts"): World {
    const world = running([volume("m", configMap("m", undefined, { optional: true }))], [mount("m", path)], {
      vars: old,
    });
    const [pod] = world.running;
    const containers = [container("agent", [mount("m", path)], more)];
    world.running = [{ ...pod!, spec: { ...(pod!["spec"] as object), containers } }];
    return world;
  }

  const ways = [key(false), key(true), all(false), all(true)];

  it("may not move a root away from a ConfigMap that is mounted there", async () => {
    for (const more of ways) {
      const text = await update(told(more), "vars", moved);
      expect(text).toMatch(
        /CHANGED_IN_PLACE +a running container keeps the variables that ConfigMap vars gave it/,
      );
      expect(text).toContain("ConfigMap m is mounted");
      expect(await update(told(more), "vars", { other: "x" })).toContain("CHANGED_IN_PLACE");
    }
  });

  it("change where no root moves, or none in which a ConfigMap is mounted", async () => {
    for (const more of ways) {
      expect(await update(told(more), "vars", { ...old, other: "y" })).toBeUndefined();
      expect(await update(told(more, "/srv/prompts"), "vars", moved)).toBeUndefined();
    }
    expect(await update(told({}), "vars", moved)).toBeUndefined();
  });

  it("let no Markdown in where they may have moved a root, once they are deleted or made anew", async () => {
    for (const more of ways) {
      const world = told(more);
      world.configMaps.delete("vars");
      expect(await create(world, "m", evil)).toMatch(
        /by variables of ConfigMap vars, which is not there now/,
      );
      world.configMaps.set("vars", object("vars", moved, {}, at(20)));
      expect(await create(world, "m", evil)).toMatch(/CHANGED_IN_PLACE +it is not known which variables/);
      world.configMaps.set("m", object("m", { note: "x" }, {}, at(5)));
      expect(await update(world, "m", evil)).toContain("CHANGED_IN_PLACE");
      expect(await update(world, "m", { note: "y" })).toBeUndefined();
    }
  });

  it("are in doubt from the pod's own second on only where the pod names one that moves roots", async () => {
    const changed = async (more: Part): Promise<string | undefined> => {
      const world = told(more);
      world.configMaps.set("vars", object("vars", moved, {}, at(10)));
      return await create(world, "m", evil);
    };
    expect(await changed(key(false))).toContain("may have been made anew since the pod was");
    expect(await changed(all(false))).toBeUndefined();
  });

  it("let Markdown in where they are as old as before, or move nothing", async () => {
    for (const more of ways) expect(await create(told(more, "/srv/prompts"), "m", evil)).toBeUndefined();
    const world = told({});
    world.configMaps.delete("vars");
    expect(await create(world, "m", evil)).toBeUndefined();
  });
});
