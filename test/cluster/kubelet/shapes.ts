import {
  configMap,
  container,
  emptyDir,
  mount,
  projected,
  volume,
  type Part,
  type PodParts,
} from "../../fixtures/pods.ts";

/** A pod as it may come, and where to look into its containers. */
export interface Shape extends PodParts {
  readonly name: string;
  /** Folders that the containers are listed below. */
  readonly look: readonly string[];
  /** Is something judged that no container can read: a file covered in a folder that is mounted by `subPath`. */
  readonly judgesMore?: boolean;
}

const tree = [
  ["SKILL.md", "SKILL.md"],
  ["run", "scripts/run.sh"],
  ["b", "scripts/sub/b"],
  ["c", "refs/c"],
] as const;
const base = volume("v", configMap("base", tree));
const over = volume("o", configMap("over"));
const look = ["/skills"];

/** A shape with one container. */
const one = (name: string, volumes: readonly Part[], mounts: readonly Part[], more: Part = {}): Shape => ({
  name,
  volumes,
  containers: [container("agent", mounts, more)],
  look,
});

/** ConfigMaps that all shapes share: name → `data`, and `binaryData` of the first. */
export const configMaps: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  base: { "SKILL.md": "---\nname: x\n---\n", run: "echo äöü\r\n", b: "", c: "base c", ".hidden": "h" },
  over: { "SKILL.md": "over", run: "over run", x: "over x" },
};
export const binaryData: Readonly<Record<string, string>> = { "logo.png": "iVBORw0KGgoA//79" };

/** Shapes of which everything is known before the pod runs: what it sees then must be exactly that. */
export const shapes: readonly Shape[] = [
  one("keys", [volume("v", configMap("base"))], [mount("v", "/skills/x")]),
  one("items", [base], [mount("v", "/skills/x")]),
  one("items-empty", [volume("v", configMap("base", []))], [mount("v", "/skills/x")]),
  one(
    "items-unclean",
    [
      volume(
        "v",
        configMap("base", [
          ["SKILL.md", "./SKILL.md"],
          ["run", "a//./y/"],
          ["b", "a/..x"],
          ["logo.png", "logo.png"],
        ]),
      ),
    ],
    [mount("v", "/skills/x")],
  ),
  one(
    "items-same-path",
    [
      volume(
        "v",
        configMap("base", [
          ["run", "SKILL.md"],
          ["c", "SKILL.md"],
        ]),
      ),
    ],
    [mount("v", "/skills/x")],
  ),
  one(
    "optional-key",
    [volume("v", configMap("base", [...tree, ["gone", "gone"]], { optional: true }))],
    [mount("v", "/skills/x")],
  ),
  one(
    "several-skills",
    [
      volume(
        "v",
        configMap("base", [
          ["SKILL.md", "one/SKILL.md"],
          ["run", "one/run.sh"],
          ["c", "two/skill.MD"],
        ]),
      ),
    ],
    [mount("v", "/skills")],
  ),
  one("projected", [volume("v", projected(configMap("base"), configMap("over")))], [mount("v", "/skills/x")]),
  one(
    "projected-reversed",
    [volume("v", projected(configMap("over"), configMap("base")))],
    [mount("v", "/skills/x")],
  ),
  one(
    "projected-spread",
    [volume("v", projected(configMap("base", tree), configMap("over", [["x", "scripts/extra/x"]])))],
    [mount("v", "/skills/x")],
  ),
  one("subpath-folder", [base], [mount("v", "/skills/x", { subPath: "scripts" })]),
  one("subpath-unclean", [base], [mount("v", "/skills/x", { subPath: "./scripts//sub/" })]),
  one("subpath-file", [base], [mount("v", "/skills/x/SKILL.md", { subPath: "scripts/run.sh" })]),
  one("subpath-absent", [base], [mount("v", "/skills/x", { subPath: "nothing" })]),
  {
    ...one(
      "optional-absent",
      [volume("v", configMap("gone", undefined, { optional: true }))],
      [mount("v", "/srv/o")],
    ),
    look: ["/srv"],
  },
  one("subpath-dot", [base], [mount("v", "/skills/x", { subPath: "." })]),
  one(
    "subpath-expr",
    [volume("v", configMap("base", [...tree, ["c", "subpath-expr/$(D)/c"]]))],
    [
      mount("v", "/skills/x", { subPathExpr: "$(E)" }),
      mount("v", "/skills/y", { subPathExpr: "$(N)/$$(D)" }),
      mount("v", "/skills/z", { subPathExpr: "$(D)" }),
    ],
    {
      env: [
        { name: "D", value: "refs" },
        { name: "E", value: "$(D)" },
        { name: "D", value: "scripts" },
        { name: "N", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      ],
    },
  ),
  {
    name: "folder-over-folder",
    volumes: [base, over],
    containers: [
      container("agent", [mount("v", "/skills/x"), mount("o", "/skills/x/scripts")]),
      container("beside", [mount("v", "/skills/x")]),
      container("part", [mount("v", "/skills/s", { subPath: "scripts" })]),
    ],
    look,
    judgesMore: true,
  },
  {
    name: "folder-deep-inside",
    volumes: [base, over],
    containers: [
      container("agent", [mount("v", "/skills/x"), mount("o", "/skills/x/scripts/sub")]),
      container("beside", [mount("v", "/skills/x")]),
    ],
    look,
  },
  one("new-folder", [base, over], [mount("v", "/skills/x"), mount("o", "/skills/x/extra")]),
  one("child-listed-first", [base, over], [mount("o", "/skills/x/scripts"), mount("v", "/skills/x")]),
  {
    ...one(
      "file-over-file",
      [base, over],
      [mount("o", "/skills/x/run.sh", { subPath: "run" }), mount("v", "/skills/x", { subPath: "scripts" })],
    ),
    judgesMore: true,
  },
  {
    ...one(
      "folder-over-subpath",
      [base, over],
      [mount("v", "/skills/x", { subPath: "scripts" }), mount("o", "/skills/x/sub")],
    ),
    judgesMore: true,
  },
  {
    name: "covered-elsewhere",
    volumes: [base, over],
    containers: [
      container("agent", [mount("v", "/skills/x")]),
      container("helper", [mount("v", "/a"), mount("o", "/a/SKILL.md")]),
    ],
    look,
  },
  {
    name: "covered-by-relative",
    volumes: [base, over],
    containers: [
      container("agent", [mount("v", "/skills/x")]),
      container("helper", [mount("v", "a"), mount("o", "/a/scripts")]),
    ],
    look,
  },
  {
    ...one(
      "covered-root",
      [volume("h", configMap("over", [["SKILL.md", "x/SKILL.md"]])), base],
      [mount("h", "/root/.claude/skills"), mount("v", "/root/.claude/skills/x")],
    ),
    look: ["/root/.claude/skills"],
  },
  one("root-above", [base, over], [mount("v", "/skills/x"), mount("o", "/skills")]),
  one("twice", [base], [mount("v", "/skills/x"), mount("v", "/skills/y"), mount("v", "/skills/x/again")]),
  one(
    "itself-inside",
    [base],
    [mount("v", "/skills/x"), mount("v", "/skills/x/refs", { subPath: "scripts" })],
  ),
  one(
    "projected-covered",
    [volume("v", projected(configMap("base", tree))), over],
    [mount("v", "/skills/x"), mount("o", "/skills/x/scripts")],
  ),
  one("relative", [base], [mount("v", "skills/x")], { workingDir: "/tmp" }),
  one("slashes", [base], [mount("v", "//skills///x//./y/")]),
  { ...one("dot-dot", [volume("v", configMap("base"))], [mount("v", "/skills/../data")]), look: ["/data"] },
  { ...one("elsewhere", [volume("v", configMap("base"))], [mount("v", "/srv/a")]), look: ["/srv"] },
  {
    name: "init-covers",
    volumes: [base, over],
    containers: [container("agent", [mount("v", "/skills/x")])],
    more: {
      initContainers: [
        container("init", [mount("v", "/skills/i"), mount("o", "/skills/i/scripts")]),
        container("sidecar", [mount("o", "/skills/s"), mount("v", "/skills/s/v")], {
          restartPolicy: "Always",
        }),
      ],
    },
    look,
  },
];

const fakeLink = {
  initContainers: [
    container("init", [mount("w", "/work")], { command: ["sh", "-c", "ln -s /skills/x/scripts /work/link"] }),
  ],
};

/** Shapes in which a container sees something else than its ConfigMaps say; `shows` is what it must not be judged without. */
export const refused: readonly (Shape & { readonly shows: readonly [path: string, text: string] })[] = [
  {
    ...one(
      "link",
      [base, over, volume("w", emptyDir)],
      [mount("v", "/skills/x"), mount("w", "/work"), mount("o", "/work/link")],
    ),
    more: fakeLink,
    shows: ["/skills/x/scripts/x", "over x"],
  },
  {
    ...one("termination-message", [base], [mount("v", "/skills/x")], {
      terminationMessagePath: "/skills/x/SKILL.md",
    }),
    shows: ["/skills/x/SKILL.md", ""],
  },
  {
    ...one("behind-the-links", [base, over], [mount("v", "skills/x"), mount("o", "/skills/x/..data")]),
    shows: ["/skills/x/SKILL.md", "over"],
  },
  {
    ...one("same-path", [base, over], [mount("o", "/skills/x"), mount("v", "/skills/x/")]),
    shows: ["/skills/x/refs/c", "base c"],
  },
];
