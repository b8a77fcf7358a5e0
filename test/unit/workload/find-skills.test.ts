import { describe, expect, it } from "vitest";

import { SourceError } from "../../../src/skill/source-error.ts";
import { findSkills } from "../../../src/workload/find-skills.ts";
import { readPodSpec } from "../../../src/workload/pod/pod-spec.ts";
import {
  claim,
  configMap,
  container,
  emptyDir,
  found,
  mount,
  objects,
  pod,
  podWith,
  projected,
  volume,
} from "../../fixtures/pods.ts";

const skill = { "SKILL.md": "S", run: "R" };
const tree = [
  ["SKILL.md", "SKILL.md"],
  ["run", "scripts/run.sh"],
  ["b", "scripts/sub/b"],
  ["c", "refs/c"],
] as const;
const base = { "SKILL.md": "S", run: "R", b: "B", c: "C" };
const over = { "SKILL.md": "OS", run: "OR", x: "OX" };
const whole = "SKILL.md=S refs/c=C scripts/run.sh=R scripts/sub/b=B";

const atX = (type: Parameters<typeof volume>[1], more = {}) =>
  podWith([volume("v", type)], [mount("v", "/skills/x", more)]);

describe("findSkills: one volume", () => {
  it("sees keys as files", () => {
    expect(found(atX(configMap("cm")), { cm: skill })).toEqual(["/skills/x: SKILL.md=S run=R"]);
  });

  it("rebuilds the tree of items, and leaves out keys that no item names", () => {
    expect(found(atX(configMap("cm", tree)), { cm: { ...base, other: "O" } })).toEqual([
      `/skills/x: ${whole}`,
    ]);
  });

  it("takes an empty list of items for none, as the kubelet does", () => {
    expect(found(atX(configMap("cm", [])), { cm: skill })).toEqual(["/skills/x: SKILL.md=S run=R"]);
  });

  it("cleans item paths", () => {
    const items = [
      ["SKILL.md", "./SKILL.md"],
      ["run", "a//./y/"],
      ["b", "a/..x"],
    ] as const;
    expect(found(atX(configMap("cm", items)), { cm: base })).toEqual(["/skills/x: SKILL.md=S a/..x=B a/y=R"]);
  });

  it("lets the later of two items with one path win, and refuses two spellings of one path", () => {
    const same = [
      ["run", "SKILL.md"],
      ["b", "SKILL.md"],
    ] as const;
    expect(found(atX(configMap("cm", same)), { cm: base })).toEqual(["/skills/x: SKILL.md=B"]);
    const spelled = [
      ["run", "SKILL.md"],
      ["b", "./SKILL.md"],
    ] as const;
    expect(found(atX(configMap("cm", spelled)), { cm: base })).toEqual([
      "/skills/x: unavailable SOURCE_MALFORMED",
      "/skills/x: SKILL.md=B",
    ]);
    const [reference] = findSkills(
      readPodSpec(atX(projected(configMap("cm", spelled.slice(0, 1)), configMap("other", spelled.slice(1))))),
      [],
      objects({ cm: base, other: base }),
    );
    expect(reference!.sources.map(({ name }) => name)).toEqual(["other", "cm"]);
  });

  it("refuses a file and a folder of one name", () => {
    const items = [
      ["SKILL.md", "SKILL.md"],
      ["run", "x"],
      ["b", "x/y"],
    ] as const;
    expect(found(atX(configMap("cm", items)), { cm: base })).toEqual([
      "/skills/x: unavailable SOURCE_MALFORMED",
      "/skills/x: SKILL.md=S x/y=B x=R",
    ]);
  });

  it("says which key is missing, and leaves an optional one out", () => {
    const items = [
      ["SKILL.md", "SKILL.md"],
      ["gone", "x"],
    ] as const;
    const [reference] = findSkills(readPodSpec(atX(configMap("cm", items))), [], objects({ cm: skill }));
    expect(reference!.content).toMatchObject({
      state: "unavailable",
      code: "SOURCE_UNAVAILABLE",
      detail: expect.stringContaining('ConfigMap payments/cm has no key "gone"') as string,
    });
    expect(found(atX(configMap("cm", items, { optional: true })), { cm: skill })).toEqual([
      "/skills/x: SKILL.md=S",
    ]);
  });

  it("refuses keys that no API server would have let in", () => {
    for (const key of ["..data", "..", ".", "a/b", ""]) {
      expect(found(atX(configMap("cm")), { cm: { ...skill, [key]: "" } })).toEqual([
        "/skills/x: unavailable SOURCE_MALFORMED",
        "/skills/x: SKILL.md=S run=R",
      ]);
    }
  });

  it("refuses names that differ only in letter case or Unicode form", () => {
    expect(found(atX(configMap("cm")), { cm: { ...skill, RUN: "other" } })).toEqual([
      "/skills/x: unavailable SOURCE_MALFORMED",
    ]);
  });

  it("says that an absent ConfigMap must be there before the pod", () => {
    const [reference, ...others] = findSkills(
      readPodSpec(atX(configMap("cm"))),
      [],
      objects({ cm: undefined }),
    );
    expect(others).toEqual([]);
    expect(reference!.content).toEqual({
      state: "unavailable",
      code: "SOURCE_UNAVAILABLE",
      detail: "ConfigMap payments/cm does not exist",
      isAbsent: true,
    });
  });

  it.each(["/skills/x", "/skills", "/home/agent", "/etc/app", "/etc/passwd"])(
    "finds no skill in an optional ConfigMap that is not there, whose creation is reviewed, at %s",
    (path) => {
      for (const items of [undefined, [["k", "SKILL.md"]] as const]) {
        const volumes = [volume("v", configMap("cm", items, { optional: true }))];
        expect(found(podWith(volumes, [mount("v", path)]), { cm: undefined })).toEqual([]);
      }
    },
  );

  it("makes no reference of an absent ConfigMap elsewhere, whose creation is reviewed", () => {
    const subject = podWith([volume("v", configMap("cm"))], [mount("v", "/etc/config")]);
    expect(found(subject, { cm: undefined })).toEqual([]);
  });

  it("never takes a failed read for an absent object", () => {
    const subject = podWith([volume("v", configMap("cm"))], [mount("v", "/etc/config")]);
    const failed = new SourceError("TIMEOUT", "no answer");
    expect(found(subject, { cm: failed })).toEqual(["/etc/config: unavailable TIMEOUT"]);
  });

  it("finds several skills in one volume", () => {
    const items = [
      ["SKILL.md", "a/SKILL.md"],
      ["run", "a/run.sh"],
      ["b", "b/SKILL.md"],
      ["c", "loose.txt"],
    ] as const;
    const subject = podWith([volume("v", configMap("cm", items))], [mount("v", "/skills")]);
    expect(found(subject, { cm: base })).toEqual([
      "/skills/a: SKILL.md=S run.sh=R",
      "/skills/b: SKILL.md=B",
      "/skills/loose.txt: loose.txt=C",
    ]);
  });

  it("names a reference after its folder and says what it comes from", () => {
    const [reference] = findSkills(readPodSpec(atX(configMap("cm"))), [], objects({ cm: skill }));
    expect(reference).toMatchObject({
      name: "x",
      path: "/skills/x",
      containers: ["agent"],
      sources: [{ kind: "ConfigMap", name: "cm", immutable: false, writable: false }],
    });
  });
});

describe("findSkills: projected volumes", () => {
  it("spreads one skill over several ConfigMaps", () => {
    const type = projected(
      configMap("one", [["a", "SKILL.md"]]),
      configMap("two", [["a", "scripts/run.sh"]]),
    );
    const references = findSkills(readPodSpec(atX(type)), [], objects({ one: { a: "S" }, two: { a: "R" } }));
    expect(references.map(({ sources }) => sources)).toEqual([
      [
        { kind: "Projected", name: "one", immutable: false, writable: false },
        { kind: "Projected", name: "two", immutable: false, writable: false },
      ],
    ]);
    expect(found(atX(type), { one: { a: "S" }, two: { a: "R" } })).toEqual([
      "/skills/x: SKILL.md=S scripts/run.sh=R",
    ]);
  });

  it("lets later sources win", () => {
    expect(found(atX(projected(configMap("base"), configMap("over"))), { base, over })).toEqual([
      "/skills/x: SKILL.md=OS b=B c=C run=OR x=OX",
    ]);
    expect(found(atX(projected(configMap("over"), configMap("base"))), { base, over })).toEqual([
      "/skills/x: SKILL.md=S b=B c=C run=R x=OX",
    ]);
  });

  it("marks what Secret, downward API and token contribute, and still judges the rest", () => {
    const sources: readonly [object, string][] = [
      [{ secret: { name: "s", items: [{ key: "k", path: "extra" }] } }, "Secret"],
      [{ secret: { name: "s" } }, "Secret"],
      [
        { downwardAPI: { items: [{ path: "extra", fieldRef: { fieldPath: "metadata.labels" } }] } },
        "DownwardAPI",
      ],
      [{ serviceAccountToken: { path: "extra" } }, "Projected"],
      [{ clusterTrustBundle: { path: "extra" } }, "Projected"],
      [{ podCertificate: { keyPath: "extra" } }, "Projected"],
      [{ somethingNew: {} }, "Projected"],
    ];
    for (const [source, kind] of sources) {
      expect(found(atX(projected(configMap("cm"), source as never)), { cm: skill })).toEqual([
        "/skills/x: SKILL.md=S run=R",
        `/skills/x: unverifiable ${kind}`,
      ]);
    }
  });

  it("says of a skill what is missing before it shows the part that is there", () => {
    const subject = atX(projected(configMap("cm"), configMap("gone")));
    expect(found(subject, { cm: skill, gone: undefined })).toEqual([
      "/skills/x: unavailable SOURCE_UNAVAILABLE",
      "/skills/x: SKILL.md=S run=R",
    ]);
  });

  it("marks only the skill of which a part is missing", () => {
    const type = projected(configMap("one", [["a", "a/SKILL.md"]]), configMap("two", [["a", "b/SKILL.md"]]));
    const subject = podWith([volume("v", type)], [mount("v", "/skills")]);
    expect(found(subject, { one: { a: "S" }, two: undefined })).toEqual([
      "/skills/a: SKILL.md=S",
      "/skills/b: unavailable SOURCE_UNAVAILABLE",
    ]);
  });
});

describe("findSkills: subPath", () => {
  const subject = (more: object, env: readonly object[] = []) =>
    podWith([volume("v", configMap("cm", tree))], [mount("v", "/skills/x", more as never)], { env });

  it("mounts a file, a folder, or all of the volume", () => {
    expect(found(subject({ subPath: "scripts" }), { cm: base })).toEqual(["/skills/x: run.sh=R sub/b=B"]);
    expect(found(subject({ subPath: "./scripts//sub/" }), { cm: base })).toEqual(["/skills/x: b=B"]);
    expect(found(subject({ subPath: "." }), { cm: base })).toEqual([`/skills/x: ${whole}`]);
    const file = podWith(
      [volume("v", configMap("cm", tree))],
      [mount("v", "/skills/x/SKILL.md", { subPath: "SKILL.md" })],
    );
    expect(found(file, { cm: base })).toEqual(["/skills/x: SKILL.md=S"]);
  });

  it("finds nothing under one that is absent: the kubelet makes an empty folder", () => {
    expect(found(subject({ subPath: "nothing" }), { cm: base })).toEqual([]);
  });

  it("trusts no volume in which an absent one makes the kubelet write anew", () => {
    expect(found(subject({ subPath: "scripts/nothing" }), { cm: base })).toEqual([
      "/skills/x: unverifiable ConfigMap",
    ]);
  });

  it("expands subPathExpr from literal variables and the pod's name", () => {
    const env = [
      { name: "D", value: "scripts" },
      { name: "E", value: "$(D)/sub" },
    ];
    expect(found(subject({ subPathExpr: "$(E)" }, env), { cm: base })).toEqual(["/skills/x: b=B"]);
    const named = [{ name: "N", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }];
    const items = configMap("cm", [["SKILL.md", "etl/SKILL.md"]]);
    const pods = podWith([volume("v", items)], [mount("v", "/skills/x", { subPathExpr: "$(N)" })], {
      env: named,
    });
    expect(found(pods, { cm: base })).toEqual(["/skills/x: SKILL.md=S"]);
  });

  it("does not guess what it cannot expand", () => {
    const env = [
      { name: "N", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
      { name: "L", value: "$(LATER)" },
      { name: "LATER", value: "scripts" },
      { name: "EMPTY" },
      { name: "ROOT", value: "/refs" },
    ];
    for (const subPathExpr of ["$(N)", "$(L)", "$(EMPTY)", "$(UNSET)", "$(ROOT)"]) {
      expect(found(subject({ subPathExpr }, env), { cm: base })).toEqual([
        `/skills/x: ${whole}`,
        "/skills/x: unverifiable ConfigMap",
      ]);
    }
  });
});

describe("findSkills: mount over mount", () => {
  const volumes = [volume("v", configMap("base", tree)), volume("o", configMap("over"))];
  const read = { base, over };

  it("lays a folder over a skill's, in whatever order they are listed", () => {
    const mounts = [mount("v", "/skills/x"), mount("o", "/skills/x/scripts")];
    const expected = [
      "/skills/x: SKILL.md=S refs/c=C scripts/SKILL.md=OS scripts/run=OR scripts/x=OX",
      `/skills/x/..data: ${whole}`,
    ];
    expect(found(podWith(volumes, mounts), read)).toEqual(expected);
    expect(found(podWith(volumes, mounts.toReversed()), read)).toEqual(expected);
  });

  it("shows a volume with and without the folders that the kubelet makes in it, in every container", () => {
    const subject = pod({
      volumes,
      containers: [
        container("a", [mount("v", "/skills/x"), mount("o", "/skills/x/scripts/sub")]),
        container("b", [mount("v", "/skills/x")]),
        container("c", [mount("v", "/skills/s", { subPath: "scripts" })]),
      ],
    });
    expect(found(subject, read)).toEqual([
      "/skills/x: SKILL.md=S refs/c=C scripts/sub/SKILL.md=OS scripts/sub/run=OR scripts/sub/x=OX",
      "/skills/x: SKILL.md=S refs/c=C scripts/run.sh=R scripts/sub/SKILL.md=OS scripts/sub/run=OR scripts/sub/x=OX",
      "/skills/x: SKILL.md=S refs/c=C",
      `/skills/x: ${whole}`,
      `/skills/x/..data: ${whole}`,
      "/skills/s: run.sh=R sub/b=B",
    ]);
  });

  it("lays a file over one of a folder that is mounted by subPath", () => {
    const mounts = [
      mount("v", "/skills/x", { subPath: "scripts" }),
      mount("o", "/skills/x/run.sh", { subPath: "run" }),
    ];
    expect(found(podWith(volumes, mounts), read)).toEqual([
      "/skills/x: run.sh=OR sub/b=B",
      "/skills/x: run.sh=R sub/b=B",
    ]);
  });

  it("sees a volume wherever it is mounted", () => {
    const mounts = [mount("v", "/skills/x"), mount("v", "/skills/y")];
    expect(found(podWith(volumes, mounts), read)).toEqual([`/skills/x: ${whole}`, `/skills/y: ${whole}`]);
  });

  it("sees what is mounted above and below a skill root", () => {
    const above = podWith(
      [volume("v", configMap("base", [["SKILL.md", ".claude/skills/x/SKILL.md"]]))],
      [mount("v", "/home/a")],
    );
    expect(found(above, read)).toEqual(["/home/a/.claude/skills/x: SKILL.md=S"]);
    const below = podWith(
      [volume("v", configMap("base", [["run", "run.sh"]]))],
      [mount("v", "/skills/x/scripts")],
    );
    expect(found(below, read)).toEqual(["/skills/x: scripts/run.sh=R"]);
  });

  it("joins mounts next to each other into one skill", () => {
    const mounts = [
      mount("o", "/skills/x/SKILL.md", { subPath: "SKILL.md" }),
      mount("o", "/skills/x/r", { subPath: "run" }),
    ];
    expect(found(podWith(volumes, mounts), read)).toEqual(["/skills/x: SKILL.md=OS r=OR"]);
  });

  it("cleans mount paths, and takes relative ones from the root", () => {
    for (const path of ["skills/x", "/skills/x/", "//skills//./x", "/a/../skills/x"]) {
      expect(found(podWith(volumes, [mount("v", path)]), read)).toEqual([`/skills/x: ${whole}`]);
    }
    expect(found(podWith(volumes, [mount("o", "/skills/../x")]), read)).toEqual([
      "/x: SKILL.md=OS run=OR x=OX",
    ]);
  });

  it("does not choose between two mounts at one path, and judges both", () => {
    const mounts = [mount("v", "/skills/x"), mount("o", "/skills/x/")];
    expect(found(podWith(volumes, mounts), read)).toEqual([
      `/skills/x: ${whole}`,
      "/skills/x: unverifiable ConfigMap",
      "/skills/x: SKILL.md=OS run=OR x=OX",
      "/skills/x: unverifiable ConfigMap",
    ]);
  });

  it("does not believe a mount inside a volume to stay, where the kubelet made no folder for it", () => {
    const relative = podWith(volumes, [mount("v", "skills/x"), mount("o", "/skills/x/scripts")]);
    expect(found(relative, read)).toContain("/skills/x: unverifiable ConfigMap");
    const ephemeral = pod({
      volumes,
      more: {
        ephemeralContainers: [container("debug", [mount("v", "/skills/x"), mount("o", "/skills/x/scripts")])],
      },
    });
    expect(found(ephemeral, read)).toContain("/skills/x: unverifiable ConfigMap");
  });
});

describe("findSkills: containers", () => {
  const volumes = [volume("v", configMap("cm"))];
  const sees = [mount("v", "/skills/x")];

  it.each(["initContainers", "containers", "ephemeralContainers"])("looks into %s", (list) => {
    const subject = pod({ volumes, more: { [list]: [container("c", sees)] } });
    expect(found(subject, { cm: skill })).toEqual(["/skills/x: SKILL.md=S run=R"]);
  });

  it("makes one reference of what several containers see alike", () => {
    const subject = pod({
      volumes,
      containers: [container("a", sees), container("b", sees), container("c", [mount("v", "/skills/y")])],
      more: { initContainers: [container("sidecar", sees, { restartPolicy: "Always" })] },
    });
    expect(
      findSkills(readPodSpec(subject), [], objects({ cm: skill })).map(({ path, containers }) => [
        path,
        containers,
      ]),
    ).toEqual([
      ["/skills/x", ["sidecar", "a", "b"]],
      ["/skills/y", ["c"]],
    ]);
  });

  it("keeps apart what two containers see differently at one path", () => {
    const subject = pod({
      volumes: [...volumes, volume("o", configMap("over"))],
      containers: [container("a", sees), container("b", [mount("o", "/skills/x")])],
    });
    expect(found(subject, { cm: skill, over })).toEqual([
      "/skills/x: SKILL.md=S run=R",
      "/skills/x: SKILL.md=OS run=OR x=OX",
    ]);
  });
});

describe("findSkills: what cannot be read", () => {
  const types: readonly [string, object][] = [
    ["PersistentVolumeClaim", { persistentVolumeClaim: { claimName: "c" } }],
    ["CSI", { csi: { driver: "d" } }],
    ["HostPath", { hostPath: { path: "/p" } }],
    ["Ephemeral", { ephemeral: { volumeClaimTemplate: {} } }],
    ["Image", { image: { reference: "r" } }],
    ["Secret", { secret: { secretName: "s" } }],
    ["DownwardAPI", { downwardAPI: { items: [{ path: "f", fieldRef: { fieldPath: "metadata.labels" } }] } }],
    ["Other", { gitRepo: { repository: "r" } }],
    ["Other", { nfs: { server: "s", path: "/" } }],
  ];

  it.each(types)("answers for %s at, below and inside a skill root", (kind, type) => {
    const volumes = [volume("u", type as never), volume("v", configMap("cm"))];
    expect(found(podWith(volumes, [mount("u", "/skills/x")]))).toEqual([`/skills/x: unverifiable ${kind}`]);
    const inside = [mount("v", "/skills/x"), mount("u", "/skills/x/cache")];
    expect(found(podWith(volumes, inside), { cm: skill })).toEqual([
      "/skills/x: SKILL.md=S run=R",
      `/skills/x: unverifiable ${kind}`,
    ]);
  });

  it.each(types.filter(([kind]) => kind !== "DownwardAPI" && kind !== "Secret"))(
    "answers for %s above a skill root",
    (kind, type) => {
      for (const path of [
        "/skills",
        "/home/agent",
        "/home/agent/.claude",
        "/opt",
        "/etc/codex",
        "/root",
        "/home",
        "/x/.claude",
      ]) {
        expect(found(podWith([volume("u", type as never)], [mount("u", path)]))).toEqual([
          `${path}: unverifiable ${kind}`,
        ]);
      }
    },
  );

  it("lets a Secret be above a skill root, which shows its keys only, and no folder", () => {
    const secret = volume("u", { secret: { secretName: "s" } });
    for (const path of ["/home/agent", "/home/agent/.claude", "/opt", "/config"])
      expect(found(podWith([secret], [mount("u", path)]))).toEqual([]);
    const withToken = projected({ secret: { name: "s" } }, { serviceAccountToken: { path: "token" } });
    expect(found(podWith([volume("u", withToken)], [mount("u", "/home/agent")]))).toEqual([]);
    const folders = volume("u", {
      secret: { secretName: "s", items: [{ key: "k", path: ".claude/skills/x/run" }] },
    });
    expect(found(podWith([folders], [mount("u", "/home/agent")]))).toEqual([
      "/home/agent/.claude/skills/x: unverifiable Secret",
    ]);
  });

  it("lets it be elsewhere", () => {
    for (const [, type] of types) {
      for (const path of [
        "/data",
        "/tmp",
        "/var/run/secrets/x",
        "/home/agent/data",
        "/skillset",
        "/x/.claudette",
      ]) {
        expect(found(podWith([volume("u", type as never)], [mount("u", path)]))).toEqual([]);
      }
    }
  });

  it("answers where its name alone makes a skill", () => {
    const file = podWith([volume("u", claim)], [mount("u", "/data/x/SKILL.md", { subPath: "f" })]);
    expect(found(file)).toEqual(["/data/x: unverifiable PersistentVolumeClaim"]);
    const items = { secret: { secretName: "s", items: [{ key: "k", path: "x/skill.MD" }] } };
    expect(found(podWith([volume("u", items)], [mount("u", "/data")]))).toEqual([
      "/data/x: unverifiable Secret",
    ]);
  });

  it("keeps kinds apart, so that a policy which lets one pass lets no other pass", () => {
    const volumes = [volume("u", claim), volume("w", { csi: { driver: "d" } }), volume("v", configMap("cm"))];
    const mounts = [mount("v", "/skills/x"), mount("u", "/skills/x/a"), mount("w", "/skills/x/b")];
    expect(found(podWith(volumes, mounts), { cm: skill })).toEqual([
      "/skills/x: SKILL.md=S run=R",
      "/skills/x: unverifiable PersistentVolumeClaim",
      "/skills/x: unverifiable CSI",
    ]);
  });

  it("makes references of both an unreadable mount above and a readable one below", () => {
    const volumes = [volume("u", claim), volume("v", configMap("cm"))];
    const mounts = [mount("u", "/home/a"), mount("v", "/home/a/.claude/skills/x")];
    expect(found(podWith(volumes, mounts), { cm: skill })).toEqual([
      "/home/a/.claude/skills/x: SKILL.md=S run=R",
      "/home/a: unverifiable PersistentVolumeClaim",
    ]);
  });

  it("says who could write", () => {
    const writable = (type: object, more: object) =>
      findSkills(
        readPodSpec(podWith([volume("u", type as never)], [mount("u", "/skills/x", more as never)])),
        [],
        new Map(),
      )[0]!.sources[0]!.writable;
    expect(writable(claim, {})).toBe(true);
    expect(writable(claim, { readOnly: true })).toBe(false);
    expect(writable({ image: { reference: "r" } }, {})).toBe(false);
    expect(writable({ secret: { secretName: "s" } }, {})).toBe(false);
    expect(writable({ persistentVolumeClaim: { claimName: "c", readOnly: true } }, {})).toBe(false);
    const other = pod({
      volumes: [volume("u", emptyDir)],
      containers: [
        container("a", [mount("u", "/skills/x", { readOnly: true })]),
        container("b", [mount("u", "/out")]),
      ],
    });
    expect(findSkills(readPodSpec(other), [], new Map())[0]!.sources).toEqual([
      { kind: "EmptyDir", name: "u", writable: true },
    ]);
  });
});

describe("findSkills: what makes a skill", () => {
  const at = (path: string, files: Record<string, string>) =>
    found(podWith([volume("v", configMap("cm"))], [mount("v", path)]), { cm: files });

  it("finds SKILL.md in any letter case, anywhere", () => {
    for (const name of ["SKILL.md", "skill.md", "Skill.MD"])
      expect(at("/data/any", { [name]: "S" })).toHaveLength(1);
  });

  it("finds Markdown that declares a skill, anywhere", () => {
    const declared = "---\nname: a\ndescription: b\n---\ntext";
    expect(at("/data/any", { "k8s.md": declared, other: "O" })).toHaveLength(1);
    expect(at("/data/any", { "k8s.txt": declared })).toEqual([]);
    expect(at("/data/any", { "k8s.md": "---\nname: a\n---\ndescription: b\n" })).toEqual([]);
    expect(at("/data/any", { "k8s.md": "name: a\ndescription: b\n" })).toEqual([]);
  });

  it("finds none in an ordinary ConfigMap", () => {
    expect(at("/etc/config", { "app.yaml": "a: 1", "README.md": "# Hello" })).toEqual([]);
  });

  it("takes the topmost folder that holds SKILL.md", () => {
    const items = [
      ["SKILL.md", "SKILL.md"],
      ["run", "nested/SKILL.md"],
    ] as const;
    const subject = podWith([volume("v", configMap("cm", items))], [mount("v", "/data/x")]);
    expect(found(subject, { cm: base })).toEqual(["/data/x: SKILL.md=S nested/SKILL.md=R"]);
  });

  it("honours the roots of policies and those that variables move", () => {
    const volumes = [volume("u", claim)];
    const mounts = [mount("u", "/srv/agent/lore")];
    expect(found(podWith(volumes, mounts))).toEqual([]);
    expect(found(podWith(volumes, mounts), {}, ["/srv/agent/lore/"])).toHaveLength(1);
    for (const [name, value] of [
      ["CLAUDE_CODE_PLUGIN_SEED_DIR", "/opt/seed:/srv/agent/"],
      ["CRUSH_SKILLS_DIR", "/srv/agent/lore/"],
      ["KAGENT_SKILLS_FOLDER", "/srv/agent/lore"],
      ["HOME", "/srv/agent/lore/me"],
    ]) {
      expect(found(podWith(volumes, mounts, { env: [{ name, value }] }))).toHaveLength(1);
    }
    expect(found(podWith(volumes, mounts, { workingDir: "/srv/agent/lore" }))).toHaveLength(1);
    const unknown = { env: [{ name: "HOME", valueFrom: { configMapKeyRef: { name: "c", key: "k" } } }] };
    expect(found(podWith(volumes, mounts, unknown))).toHaveLength(1);
  });
});
