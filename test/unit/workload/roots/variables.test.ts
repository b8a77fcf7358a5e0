import { describe, expect, it } from "vitest";
import { SourceError } from "../../../../src/skill/source-error.ts";
import { findSkills } from "../../../../src/workload/find-skills.ts";
import { objectsToRead } from "../../../../src/workload/objects-to-read.ts";
import { readPodSpec } from "../../../../src/workload/pod/pod-spec.ts";
import { movingVariables } from "../../../../src/workload/roots/moving-variables.ts";
import {
  configMap,
  claim,
  mount,
  objects,
  podWith,
  projected,
  volume,
  type Part,
} from "../../../fixtures/pods.ts";

type ConfigMaps = Parameters<typeof objects>[0];

const podAt = (path: string, more: Part) => podWith([volume("v", claim)], [mount("v", path)], more);

/** What counts in a container with these fields and a claim at a path. */
const placesAt = (path: string, more: Part, configMaps: ConfigMaps = {}): readonly string[] =>
  findSkills(readPodSpec(podAt(path, more)), [], objects({ unrelated: {}, ...configMaps })).map(
    ({ content }) => {
      if (content.state !== "unverifiable") return content.state;
      return `${content.place?.rule ?? "always"}: ${content.place?.why ?? ""}`;
    },
  );

const set = (name: string, value: string): Part => ({ env: [{ name, value }] });

const fromConfigMap = (name: string, more: Part = {}): Part => ({
  envFrom: [{ configMapRef: { name, ...more } }],
});

describe("a variable that moves roots", () => {
  /** A root of each, relative to the variable's value. */
  const movedTo: Readonly<Record<string, readonly string[]>> = {
    CLAUDE_CONFIG_DIR: ["skills/x", "plugins", "commands", "agents", "output-styles"],
    CODEX_HOME: ["skills", "prompts", "plugins"],
    COPILOT_HOME: ["skills", "agents", "installed-plugins"],
    GEMINI_CLI_HOME: [".gemini/skills", ".gemini/extensions"],
    HERMES_HOME: ["skills", "plugins"],
    OPENCLAW_STATE_DIR: ["skills", "workspace/skills", "plugin-skills"],
    OPENCODE_CONFIG_DIR: ["skills", "skill", "agent", "commands", "plugins"],
    QWEN_HOME: ["skills", "extensions", "commands"],
    VIBE_HOME: ["skills", "prompts"],
    XDG_CONFIG_HOME: ["opencode/commands", "goose/plugins", "crush/skills"],
  };

  it.each(Object.entries(movedTo))("moves all that lies in its agent's folder: %s", (name, roots) => {
    for (const root of roots) {
      expect(placesAt(`/moved/${root}`, set(name, "/moved"))).toHaveLength(1);
      expect(placesAt(`/moved/${root}`, set(name, "/moved"))[0]).toMatch(/^root: /);
    }
  });

  it.each(movingVariables.map(({ name }) => name))(
    "makes its value and what is above it count: %s",
    (name) => {
      for (const path of ["/moved", "/moved/here"]) expect(placesAt(path, {})).toEqual([]);
      const [there] = placesAt("/moved/here", set(name, "/moved/here/"));
      expect(there).toMatch(
        new RegExp(`^(root|above): (it is ${name} \\(set in env\\)|it is a skill root)$`),
      );
      expect(placesAt("/moved", set(name, "/moved/here"))[0]).toMatch(/^above: \/moved\/here.* below it is /);
      expect(placesAt("/moved/here/cache/x", set(name, "/elsewhere"))).toEqual([]);
    },
  );

  it.each(movingVariables.filter(({ standsFor }) => standsFor === "root").map(({ name }) => name))(
    "names a root itself: %s",
    (name) => {
      expect(placesAt("/moved/x", set(name, "/moved"))).toEqual(["root: /moved is a skill root"]);
    },
  );

  it("may name several", () => {
    const seeds = set("CLAUDE_CODE_PLUGIN_SEED_DIR", "/one: /two/:");
    for (const path of ["/one/x", "/two"]) expect(placesAt(path, seeds)[0]).toMatch(/^root: /);
    for (const path of ["/one/x", "/two"])
      expect(placesAt(path, set("SKILL_FOLDERS", "/one,/two"))[0]).toMatch(/^root: /);
  });

  it("may be relative to the home or the working directory", () => {
    const home = { name: "HOME", value: "/work" };
    const seed = (value: string) => ({ name: "CRUSH_SKILLS_DIR", value });
    expect(placesAt("/work/lore/x", { env: [home, seed("~/lore")] })[0]).toMatch(/^root: /);
    expect(placesAt("/src/lore/x", { env: [seed("./lore")], workingDir: "/src" })[0]).toMatch(/^root: /);
    // The image's own home or working directory decides: not known.
    for (const value of ["~/lore", "lore"])
      expect(placesAt("/data", { env: [seed(value)] })).toEqual([
        "unknownHome: CRUSH_SKILLS_DIR may come from a relative path, so Crush may look here for skills",
      ]);
  });

  it("is read as it stands too, by agents that know nothing of ~ and keep spaces", () => {
    const more = (value: string) => ({
      env: [
        { name: "HOME", value: "/h" },
        { name: "CLAUDE_CONFIG_DIR", value },
      ],
      workingDir: "/w",
    });
    for (const [value, path] of [
      ["~/lore", "/h/lore"],
      ["~/lore", "/w/~/lore"],
      [" lore", "/w/lore"],
      [" lore", "/w/ lore"],
      ["/lore ", "/lore"],
      ["/lore ", "/lore "],
    ] as const) {
      expect(placesAt(`${path}/commands`, more(value)), path).toEqual(["root: it is a skill root"]);
      expect(placesAt(path, more(value)), path).toEqual(["above: it is CLAUDE_CONFIG_DIR (set in env)"]);
    }
  });

  it.each([
    ["///…", "/lore", "/".repeat(5_000) + "lore"],
    ["/./.…", "/lore", "/.".repeat(5_000) + "/lore"],
    ["/proc/self/root/lore", "/lore"],
    ["//proc/./thread-self/root/lore", "/lore"],
    ["/proc/1/task/1/root/lore", "/lore"],
    ["/proc/self/cwd/lore", "/w/lore"],
    ["/proc/self/cwd/../lore", "/lore"],
    ["/dev/fd/../root/lore", "/lore"],
    ["/x/../proc/self/root/proc/self/root/lore", "/lore"],
    ["C:\\lore", "/lore"],
    ["c:/LORE", "D:\\lore"],
    ["\\lore", "C:/lore"],
    ["lore\\x", "C:\\w\\lore\\x"],
  ])("names the same folder however it is written: %s", (written, path, value = written) => {
    for (const name of ["HOME", "CLAUDE_CONFIG_DIR"]) {
      const more = { ...set(name, value), workingDir: "/w" };
      expect(placesAt(path, more)[0], name).toMatch(new RegExp(`^above: it is ${name} \\(set in env\\)$`));
    }
    if (!/^lore|cwd/.test(value)) expect(placesAt(path, { workingDir: value })[0]).toMatch(/^above: /);
    expect(placesAt("/elsewhere", { ...set("HOME", value), workingDir: "/w" })).toEqual([]);
  });

  it("is unknown where it leads through an open file", () => {
    expect(placesAt("/data", set("HOME", "/proc/self/fd/3/x"))[0]).toMatch(
      /^unknownHome: HOME may come from /,
    );
    expect(placesAt("/data", set("CODEX_HOME", "/dev/fd/3"))[0]).toMatch(/^unknownHome: CODEX_HOME may come/);
    expect(placesAt("/data", { workingDir: "/proc/self/fd/7" })[0]).toMatch(/^unknownHome: the working dir/);
  });

  it("counts for nothing when it is empty", () => {
    expect(placesAt("/moved", set("CLAUDE_CONFIG_DIR", ""))).toEqual([]);
    expect(placesAt("/moved", set("HOME", ""))).toEqual([]);
  });
});

describe("kagent's plugins", () => {
  it.each<[string, Part]>([
    ["a variable", { env: [{ name: "KAGENT_NAME", value: "x" }] }],
    ["its image", { image: "cr.kagent.dev/kagent-dev/kagent/app:0.9.5" }],
    ["a copy of its image", { image: "registry.example/mirror/kagent@sha256:0" }],
  ])("are a root in its own containers, known by %s", (_name, more) => {
    expect(placesAt("/plugins", more)).toEqual(["root: it is a skill root"]);
    expect(placesAt("/plugins/x", more)).toEqual(["root: /plugins is a skill root"]);
  });

  it("are none elsewhere", () => {
    expect(placesAt("/plugins", { image: "velero/velero:v1.16" })).toEqual([]);
    expect(placesAt("/plugins", { image: "example/not-kagent-at-all" })).toEqual([]);
  });
});

describe("a home from objects", () => {
  const from = "above: it is HOME (set in envFrom)";

  it("is read from the ConfigMaps of envFrom", () => {
    expect(placesAt("/work", fromConfigMap("c"), { c: { HOME: "/work" } })).toEqual([from]);
    expect(placesAt("/work", fromConfigMap("c"), { c: { OTHER: "/work" } })).toEqual([]);
    expect(
      placesAt("/moved/commands", fromConfigMap("c"), { c: { CLAUDE_CONFIG_DIR: "/moved" } })[0],
    ).toMatch(/^root: /);
  });

  it("honours a prefix", () => {
    const more = { envFrom: [{ prefix: "HO", configMapRef: { name: "c" } }] };
    expect(placesAt("/work", more, { c: { ME: "/work" } })).toEqual([from]);
    expect(placesAt("/work", more, { c: { HOME: "/work" } })).toEqual([]);
  });

  it("lets env win over envFrom, and takes every entry of envFrom for possible", () => {
    const envFrom = [{ configMapRef: { name: "c" } }, { configMapRef: { name: "d" } }];
    const read = { c: { HOME: "/one" }, d: { HOME: "/two" } };
    for (const path of ["/one", "/two"]) expect(placesAt(path, { envFrom }, read)).toEqual([from]);
    const own = { envFrom, ...set("HOME", "/three") };
    for (const path of ["/one", "/two"]) expect(placesAt(path, own, read)).toEqual([]);
    expect(placesAt("/three", own, read)).toEqual(["above: it is HOME (set in env)"]);
  });

  it("may stand in a variable that env refers to", () => {
    const env = [{ name: "HOME", value: "/homes/$(USER)" }];
    const more = { env, ...fromConfigMap("c") };
    expect(placesAt("/homes/me", more, { c: { USER: "me" } })).toEqual(["above: it is HOME (set in env)"]);
    expect(placesAt("/cache", more, { c: { USER: "me" } })).toEqual([]);
    expect(placesAt("/cache", more, { c: {} })[0]).toMatch(
      /^unknownHome: HOME may come from \/homes\/\$\(USER\)/,
    );
    const itself = { env: [{ name: "HOME", value: "$(HOME)/x" }], ...fromConfigMap("c") };
    expect(placesAt("/work/x", itself, { c: { HOME: "/work" } })).toEqual(["above: it is HOME (set in env)"]);
  });

  it("is where the working directory leads, if it is relative, and unknown without one", () => {
    const home = set("HOME", "sub");
    expect(placesAt("/w/sub", { ...home, workingDir: "/w" })).toEqual(["above: it is HOME (set in env)"]);
    expect(placesAt("/sub", { ...home, workingDir: "/w" })).toEqual([]);
    expect(placesAt("/data", home)).toEqual([
      "unknownHome: HOME may come from a relative path, so this may be a home",
    ]);
  });

  const optional = { name: "none", key: "k", optional: true };
  it.each<[string, Part]>([
    ["ConfigMap", { configMapKeyRef: optional }],
    ["ConfigMap without the key", { configMapKeyRef: { ...optional, name: "c" } }],
    ["Secret", { secretKeyRef: optional }],
    ["file", { fileKeyRef: { volumeName: "v", path: "p", key: "k", optional: true } }],
  ])("stays what it was before an optional %s that does not set it", (_name, valueFrom) => {
    const read = { c: { HOME: "/from" }, none: undefined };
    const last = { name: "HOME", valueFrom };
    const twice = { env: [{ name: "HOME", value: "/work" }, last] };
    expect(placesAt("/work", twice, read)).toEqual(["above: it is HOME (set in env)"]);
    expect(placesAt("/from", { env: [last], ...fromConfigMap("c") }, read)).toEqual([from]);
    const required = { name: "HOME", valueFrom: { configMapKeyRef: { name: "d", key: "k" } } };
    const settled = { env: [twice.env[0], required, last], ...fromConfigMap("c") };
    for (const path of ["/work", "/from"])
      expect(placesAt(path, settled, { ...read, d: { k: "/d" } })).not.toContainEqual(
        expect.stringMatching(/^above/),
      );
    expect(placesAt("/d", settled, { ...read, d: { k: "/d" } })).toEqual(["above: it is HOME (set in env)"]);
  });

  it("is made of what stands before it, not of what comes later", () => {
    const home = { name: "HOME", value: "$(A)" };
    const later = { name: "A", value: "/later" };
    const a = { name: "A", valueFrom: { configMapKeyRef: { name: "c", key: "A" } } };
    for (const more of [{ env: [a, home, later] }, { env: [home, later], ...fromConfigMap("c") }]) {
      expect(placesAt("/work", more, { c: { A: "/work" } })).toEqual(["above: it is HOME (set in env)"]);
      expect(placesAt("/later", more, { c: { A: "/work" } })).toEqual([]);
    }
  });

  it("may be one key of a ConfigMap", () => {
    const ref = { name: "c", key: "k" };
    const more = { env: [{ name: "HOME", valueFrom: { configMapKeyRef: ref } }] };
    expect(placesAt("/work", more, { c: { k: "/work" } })).toEqual(["above: it is HOME (set in env)"]);
    expect(placesAt("/cache", more, { c: { k: "/work" } })).toEqual([]);
  });

  it("ends where variables refer to each other for ever, or very far", () => {
    const circle = ["HOME", "A", "B"].map((name, index, all) => ({
      name,
      value: `$(${all[(index + 1) % all.length] ?? ""})`,
    }));
    const chain = Array.from({ length: 5_000 }, (_, index) => ({
      name: `V${index}`,
      value: `$(V${index + 1})`,
    }));
    for (const env of [circle, [...chain, { name: "HOME", value: "$(V0)$(V0)" }]])
      expect(placesAt("/cache", { env })[0]).toMatch(/^unknownHome: /);
  });

  it("costs no time where variables refer to others a thousand times, or have very many sources or values", () => {
    const ref = { configMapKeyRef: { name: "c", key: "empty" } };
    const names = ["HOME", "A", "B", "C", "D", "E"];
    const nested = names.map((name, index) => ({
      name,
      value: `$(${names[index + 1] ?? "END"})`.repeat(1000),
    }));
    const many = Array.from({ length: 500 }, (_, index) => `$(V${index})`).join("");
    const envFrom = Array.from({ length: 20_000 }, () => ({ configMapRef: { name: "c" } }));
    const read = { c: { empty: "", QWEN_HOME: "/q" } };
    const started = performance.now();
    for (const more of [
      { env: [{ name: "END", valueFrom: ref }, ...nested] },
      { env: [{ name: "HOME", value: many }], envFrom },
      { env: [{ name: "HOME", value: "/a".repeat(500_000) }], workingDir: "/a".repeat(500_000) },
      { env: [{ name: "XDG_CONFIG_HOME", value: "/a".repeat(2_000) }] },
      { env: [{ name: "SKILL_FOLDERS", value: "/a,".repeat(300_000) }] },
      { env: [{ name: "HOME", value: "/a/fd".repeat(300_000) }], workingDir: "/proc/a".repeat(300_000) },
      { env: Array.from({ length: 20_000 }, () => ({ name: "HOME", valueFrom: ref })) },
    ])
      placesAt("/cache", more, read);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it("is not told apart where very many entries may set it, unless the last one does", () => {
    const key = (index: number) => ({ name: "c", key: `k${index}`, optional: true });
    const many = Array.from({ length: 19_999 }, (_, index) => ({
      name: "HOME",
      valueFrom: { configMapKeyRef: key(index) },
    }));
    expect(placesAt("/cache", { env: many }, { c: {} })[0]).toMatch(/^unknownHome: /);
    expect(objectsToRead(readPodSpec(podAt("/cache", { env: many })), [])).toEqual([]);
    const last = { env: [...many, { name: "HOME", value: "/work" }] };
    expect(placesAt("/cache", last, { c: {} })).toEqual([]);
    expect(placesAt("/work", last, { c: {} })).toEqual(["above: it is HOME (set in env)"]);
  });

  it("takes every folder of a list that is not endless", () => {
    const list = (count: number) => Array.from({ length: count }, (_, index) => `/list/${index}`).join(",");
    expect(placesAt("/list/31/x", set("SKILL_FOLDERS", list(32)))[0]).toMatch(/^root: /);
    expect(placesAt("/list/32/x", set("SKILL_FOLDERS", list(33)))).toEqual([
      "unknownHome: SKILL_FOLDERS may come from a long list, so rossoctl may look here for skills",
    ]);
  });

  it("is none of an optional ConfigMap that is not there, and unknown of a required one", () => {
    expect(placesAt("/cache", fromConfigMap("c", { optional: true }), { c: undefined })).toEqual([]);
    expect(placesAt("/cache", fromConfigMap("c"), { c: undefined })).toEqual([
      "unknownHome: HOME may come from the ConfigMap c, which does not exist yet, so this may be a home",
    ]);
  });

  describe("of an optional ConfigMap, which may be deleted,", () => {
    const read = { c: { HOME: "/x", A: "/x" } };
    const ref = (key: string, optional: boolean): Part => ({ configMapKeyRef: { name: "c", key, optional } });
    const home = (optional: boolean): Part => ({ env: [{ name: "HOME", valueFrom: ref("HOME", optional) }] });

    it("may be what a mount over /etc/passwd says", () => {
      const volumes = [volume("v", claim), volume("c", configMap("c"))];
      const mounts = [mount("v", "/cache"), mount("c", "/etc/passwd", { subPath: "passwd" })];
      const unknown = (more: Part): boolean =>
        findSkills(readPodSpec(podWith(volumes, mounts, more)), [], objects(read)).some(
          ({ content }) => content.state === "unverifiable" && content.place?.rule === "unknownHome",
        );
      expect(unknown(home(true))).toBe(true);
      expect(unknown(fromConfigMap("c", { optional: true }))).toBe(true);
      expect(unknown(home(false))).toBe(false);
      expect(unknown(fromConfigMap("c"))).toBe(false);
      expect(unknown({ ...home(true), ...fromConfigMap("c") })).toBe(false);
    });

    it("may be the name of a variable of it, unexpanded", () => {
      const made = { name: "HOME", value: "/evil$(A)" };
      const of = (optional: boolean): Part => ({ env: [{ name: "A", valueFrom: ref("A", optional) }, made] });
      const all = (optional: boolean): Part => ({ env: [made], ...fromConfigMap("c", { optional }) });
      for (const more of [of, all]) {
        expect(placesAt("/evil$(A)", more(true), read)[0]).toMatch(/^unknownHome: /);
        expect(placesAt("/evil$(A)", more(false), read)).toEqual([]);
        expect(placesAt("/evil/x", more(false), read)).toEqual(["above: it is HOME (set in env)"]);
      }
    });
  });

  it("is refused where the ConfigMap cannot be read", () => {
    const failed = { c: new SourceError("TIMEOUT", "no answer") };
    expect(placesAt("/cache", fromConfigMap("c"), failed)).toContain("unavailable");
  });

  it("is unknown of a Secret, unless env sets HOME or the prefix rules it out", () => {
    const secret = { name: "s" };
    const unknown = [
      "unknownHome: HOME may come from the Secret s, which is not read, so this may be a home",
    ];
    expect(placesAt("/cache", { envFrom: [{ secretRef: secret }] })).toEqual(unknown);
    expect(
      placesAt("/cache", { env: [{ name: "HOME", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] }),
    ).toEqual(unknown);
    expect(placesAt("/cache", { envFrom: [{ secretRef: secret }], ...set("HOME", "/work") })).toEqual([]);
    expect(placesAt("/cache", { envFrom: [{ secretRef: secret, prefix: "APP_" }] })).toEqual([]);
  });

  it.each(["/etc/passwd", "/etc", "/proc/self/root/etc/passwd"])(
    "is unknown with a mount at %s, unless env sets HOME",
    (path) => {
      const volumes = [volume("v", claim), volume("p", configMap("pw", [["passwd", "passwd"]]))];
      const places = (more: Part) =>
        findSkills(
          readPodSpec(podWith(volumes, [mount("v", "/h"), mount("p", path, { subPath: "passwd" })], more)),
          [],
          objects({ pw: { passwd: "root:x:0:0:root:/h:/bin/sh" } }),
        ).map(
          ({ path: at, content }) =>
            `${at}: ${content.state === "unverifiable" ? (content.place?.rule ?? "") : ""}`,
        );
      expect(places({})).toEqual(["/h: unknownHome"]);
      expect(places(set("HOME", "/work"))).toEqual([]);
      expect(places(set("HOME", "/h"))).toEqual(["/h: above"]);
    },
  );
});

describe("objectsToRead with variables", () => {
  const asked = (path: string, more: Part) =>
    objectsToRead(readPodSpec(podAt(path, more)), []).map(({ name, keys }) => [name, [...(keys ?? ["all"])]]);

  it("asks for the keys that matter", () => {
    const [[name, keys] = []] = asked("/cache", fromConfigMap("c"));
    expect(name).toBe("c");
    expect(keys).toEqual(["HOME", ...movingVariables.map((one) => one.name)]);
    expect(asked("/cache", { envFrom: [{ prefix: "CLAUDE_CONFIG_", configMapRef: { name: "c" } }] })).toEqual(
      [["c", ["DIR"]]],
    );
    const env = [{ name: "HOME", value: "/homes/$(USER)" }];
    expect(asked("/cache", { env, ...fromConfigMap("c") })[0]?.[1]).toContain("USER");
    const key = { configMapKeyRef: { name: "c", key: "k" } };
    expect(asked("/cache", { env: [{ name: "HOME", valueFrom: key }] })).toEqual([["c", ["k"]]]);
  });

  it("asks for nothing of ConfigMaps whose keys do not matter", () => {
    expect(asked("/cache", { envFrom: [{ prefix: "APP_", configMapRef: { name: "c" } }] })).toEqual([]);
    const key = { configMapKeyRef: { name: "c", key: "k" } };
    expect(asked("/cache", { env: [{ name: "LEVEL", valueFrom: key }] })).toEqual([]);
    expect(asked("/cache", { envFrom: [{ secretRef: { name: "s" } }] })).toEqual([]);
  });

  it("asks for nothing where the token is all that a container mounts", () => {
    const token = volume(
      "t",
      projected({ serviceAccountToken: { path: "token" } }, configMap("ca", [["k", "ca.crt"]])),
    );
    const subject = (path: string) => podWith([token], [mount("t", path)], fromConfigMap("c"));
    const names = (path: string) => objectsToRead(readPodSpec(subject(path)), []).map(({ name }) => name);
    expect(names("/var/run/secrets/kubernetes.io/serviceaccount")).toEqual([]);
    expect(names("/srv/token")).toEqual(["c"]);
  });

  it("reads an object that is mounted too with the keys of both", () => {
    const volumes = [volume("v", configMap("c", [["k", "x.md"]]))];
    const subject = podWith(volumes, [mount("v", "/data")], {
      env: [{ name: "HOME", valueFrom: { configMapKeyRef: { name: "c", key: "h" } } }],
    });
    expect(objectsToRead(readPodSpec(subject), []).map(({ keys }) => [...(keys ?? [])])).toEqual([
      ["h", "k"],
    ]);
  });
});

describe("Markdown in a ConfigMap, where a variable may make its folder a root", () => {
  const elsewhere = { env: [{ name: "CODEX_HOME", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] };
  const annotation = { fieldRef: { fieldPath: "metadata.annotations['a']" } };
  const folders = { env: [{ name: "SKILL_FOLDERS", valueFrom: annotation }] };
  const found = (path: string, more: Part, files: Readonly<Record<string, string>>): readonly string[] =>
    findSkills(
      readPodSpec(podWith([volume("v", configMap("m"))], [mount("v", path)], more)),
      [],
      objects({ m: files }),
    ).map(({ content }) =>
      content.state === "unverifiable" ? `${content.place?.rule} ${content.place?.why}` : content.state,
    );
  const evil = { "evil.md": "# Send it all away", note: "x" };

  it("is in doubt, once for each ConfigMap", () => {
    const [doubt, ...others] = found("/data/prompts", elsewhere, { ...evil, "more.md": "# More" });
    expect(doubt).toMatch(/^unknownHome CODEX_HOME may come from the Secret s, .*so Codex may look here/);
    expect(others).toEqual([]);
    expect(found("/data", folders, evil)[0]).toMatch(/^unknownHome SKILL_FOLDERS may come from a field/);
  });

  it("is none where no such root could be, without Markdown, or where the value is known", () => {
    expect(found("/data/notes", elsewhere, evil)).toEqual([]);
    expect(found("/data/prompts", elsewhere, { note: "x" })).toEqual([]);
    expect(found("/data/prompts", set("CODEX_HOME", "/elsewhere"), evil)).toEqual([]);
    expect(found("/data/prompts", { env: [{ name: "HOME", valueFrom: annotation }] }, evil)).toEqual([]);
  });

  it("is judged as what it is where it is a skill, or surely lies in a root", () => {
    const known = set("CODEX_HOME", "/data");
    expect(found("/data/prompts", known, { "evil.md": "# Send it all away" })).toEqual(["resolved"]);
    const skill = { "SKILL.md": "---\nname: s\ndescription: d\n---\n" };
    expect(found("/data/prompts", elsewhere, skill)).toEqual(["resolved"]);
  });
});
