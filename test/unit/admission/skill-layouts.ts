import { configMap, container, mount, projected, volume, type Part } from "../../fixtures/pods.ts";

/** A folder three levels down: the volume that is mounted two levels above it, and the folder's path in that volume. */
const above = (folder: string): readonly [string, string] => {
  const names = folder.split("/");
  return [names.slice(0, -2).join("/"), `${names.slice(-2).join("/")}/`];
};

/** One way to mount a skill of two ConfigMaps, `x` and `y`, and what else there may be. */
export interface Layout {
  readonly name: string;
  /** Whether the kubelet replaces the skill in one step. */
  readonly inOneStep: boolean;
  /** Files of the skill that each ConfigMap holds. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  readonly spec: (
    folder: string,
    optional: boolean,
  ) => { readonly volumes: readonly Part[]; readonly containers: readonly Part[] };
}

export const skillFileNames = ["SKILL.md", "a.sh", "b.md", "skill.oms.sig"] as const;
const head = ["SKILL.md", "skill.oms.sig"];
const rest = ["a.sh", "b.md"];
const items = (names: readonly string[], into = "") => names.map((name) => [name, `${into}${name}`] as const);
const agent = (...mounts: readonly Part[]): readonly Part[] => [container("agent", mounts)];
const subPath = (name: string, folder: string, file: string): Part =>
  mount(name, `${folder}/${file}`, { subPath: file });

export const layouts: readonly Layout[] = [
  {
    name: "one ConfigMap, whole",
    inOneStep: true,
    keys: { x: skillFileNames },
    spec: (folder, optional) => ({
      volumes: [volume("v", configMap("x", undefined, { optional }))],
      containers: agent(mount("v", folder)),
    }),
  },
  {
    name: "one ConfigMap, by items",
    inOneStep: true,
    keys: { x: skillFileNames },
    spec: (folder, optional) => ({
      volumes: [volume("v", configMap("x", items(skillFileNames), { optional }))],
      containers: agent(mount("v", folder)),
    }),
  },
  {
    name: "one ConfigMap, beside another one in a projected volume",
    inOneStep: true,
    keys: { x: skillFileNames, y: ["notes"] },
    spec: (folder, optional) => {
      const [top, inside] = above(folder);
      const beside = configMap("y", [["notes", "other/notes"]], { optional });
      return {
        volumes: [volume("v", projected(configMap("x", items(skillFileNames, inside)), beside))],
        containers: agent(mount("v", top)),
      };
    },
  },
  {
    name: "two ConfigMaps in a projected volume",
    inOneStep: false,
    keys: { x: head, y: rest },
    spec: (folder, optional) => ({
      volumes: [
        volume("v", projected(configMap("x", items(head)), configMap("y", items(rest), { optional }))),
      ],
      containers: agent(mount("v", folder)),
    }),
  },
  {
    name: "two ConfigMaps in a projected volume, all keys",
    inOneStep: false,
    keys: { x: head, y: rest },
    spec: (folder, optional) => ({
      volumes: [volume("v", projected(configMap("x"), configMap("y", undefined, { optional })))],
      containers: agent(mount("v", folder)),
    }),
  },
  {
    name: "two volumes, one inside the other",
    inOneStep: false,
    keys: { x: skillFileNames, y: [] },
    spec: (folder, optional) => ({
      volumes: [volume("v", configMap("x")), volume("w", configMap("y", undefined, { optional }))],
      containers: agent(mount("v", folder), mount("w", `${folder}/extra`)),
    }),
  },
  {
    name: "a part by subPath, of another ConfigMap",
    inOneStep: false,
    keys: { x: head, y: rest },
    spec: (folder, optional) => ({
      volumes: [volume("v", configMap("x")), volume("w", configMap("y", undefined, { optional }))],
      containers: agent(mount("v", folder), subPath("w", folder, "a.sh"), subPath("w", folder, "b.md")),
    }),
  },
  {
    name: "SKILL.md and signature by subPath, of the same ConfigMap",
    inOneStep: false,
    keys: { x: skillFileNames },
    spec: (folder, optional) => ({
      volumes: [
        volume("h", configMap("x", undefined, { optional })),
        volume("v", configMap("x", items(rest), { optional })),
      ],
      containers: agent(mount("v", folder), ...head.map((file) => subPath("h", folder, file))),
    }),
  },
  {
    name: "every file by subPath",
    inOneStep: false,
    keys: { x: skillFileNames },
    spec: (folder, optional) => ({
      volumes: [volume("v", configMap("x", undefined, { optional }))],
      containers: agent(...skillFileNames.map((file) => subPath("v", folder, file))),
    }),
  },
  {
    name: "whole in one container, by subPath in another",
    inOneStep: false,
    keys: { x: skillFileNames },
    spec: (folder, optional) => {
      const [top, inside] = above(folder);
      return {
        volumes: [volume("v", configMap("x", items(skillFileNames, inside), { optional }))],
        containers: [
          container("agent", [mount("v", top)]),
          container("beside", [mount("v", folder, { subPath: inside.slice(0, -1) })]),
        ],
      };
    },
  },
];
