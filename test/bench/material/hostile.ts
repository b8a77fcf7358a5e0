import { governed } from "./reviews.ts";

/** Objects that cost much to judge for what they weigh, and the pod that brings them in. */
export interface HostileShape {
  readonly title: string;
  readonly configMaps: readonly object[];
  /** Sent as dry runs, all at once. */
  readonly pods: readonly object[];
  /** A ConfigMap that is changed under nobody, by a dry run. */
  readonly update?: object;
}

const mebibyte = 2 ** 20;
const times = <T>(count: number, make: (at: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, at) => make(at));

const configMap = (name: string, data: Readonly<Record<string, string>>): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  // An empty entry keeps the API server from noting every key: the object stays small, and its creation short.
  metadata: { name, namespace: governed, managedFields: [{}] },
  data,
});

/** Keys without values: a mebibyte of them is what an API server takes. */
const emptyKeys = (count: number): Readonly<Record<string, string>> =>
  Object.fromEntries(times(count, (at) => [`k${at}`, ""]));

interface Mounts {
  readonly volumes: readonly object[];
  readonly containers: readonly (readonly object[])[];
}

const pod = (name: string, { volumes, containers }: Mounts): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: governed },
  spec: {
    volumes,
    containers: containers.map((volumeMounts, at) => ({ name: `c${at}`, image: "agent", volumeMounts })),
  },
});

const volumeOf = (name: string): object => ({ name, configMap: { name } });

/** One file at many places: what is read of it must be read once. */
const oneFileOften = (title: string, name: string, text: string): HostileShape => ({
  title,
  configMaps: [configMap(name, { "README.md": text })],
  pods: [
    pod(name, {
      volumes: [volumeOf(name)],
      containers: times(2, () => times(499, (at) => ({ name, mountPath: `/m/${at}` }))),
    }),
  ],
});

const manyObjects = (
  title: string,
  name: string,
  count: number,
  data: Readonly<Record<string, string>>,
): HostileShape => ({
  title,
  configMaps: times(count, (at) => configMap(`${name}-${at}`, data)),
  pods: [
    pod(name, {
      volumes: times(count, (at) => volumeOf(`${name}-${at}`)),
      containers: [times(count, (at) => ({ name: `${name}-${at}`, mountPath: `/skills/${at}` }))],
    }),
  ],
});

/** Many containers that see different things at equal paths. */
const equalPaths = (containers: number, paths: number): HostileShape => ({
  title: `${containers} containers, each with ${paths} equal paths`,
  configMaps: [configMap("equal", { "a.md": "a", "b.md": "b" })],
  pods: [
    pod("equal", {
      volumes: [volumeOf("equal")],
      containers: times(containers, (of) =>
        times(paths, (at) => ({
          name: "equal",
          mountPath: `/skills/${at}/x.md`,
          subPath: (of + at) % 2 === 0 ? "a.md" : "b.md",
        })),
      ),
    }),
  ],
});

const deepPaths = (): HostileShape => ({
  title: "10,000 keys at a path of 60 folders",
  configMaps: [configMap("deep", emptyKeys(10_000))],
  pods: [
    pod("deep", {
      volumes: [volumeOf("deep")],
      containers: times(4, () => times(4, (at) => ({ name: "deep", mountPath: `${"/d".repeat(60)}/${at}` }))),
    }),
  ],
});

const together = (shape: HostileShape, count: number): HostileShape => ({
  // Those of the shape before.
  configMaps: [],
  title: `${count} reviews at once: ${shape.title}`,
  pods: times(count, (at) => ({
    ...shape.pods[0],
    metadata: { name: `at-once-${at}`, namespace: governed },
  })),
});

/** The family of shapes: mounts, containers, keys, equal paths, large Markdown, many objects, large bodies. */
export function hostileShapes(): readonly HostileShape[] {
  const text = manyObjects("60 ConfigMaps of 1 MiB of text", "text", 60, { f: "x".repeat(mebibyte - 2000) });
  return [
    oneFileOften(
      "one Markdown file of 1 MiB, open frontmatter, 998 times",
      "open",
      `---\n${" ".repeat(mebibyte - 2000)}`,
    ),
    oneFileOften(
      "one Markdown file of 1 MiB, aliases, 998 times",
      "alias",
      `---\na: &a [${"*a,".repeat(5000)}]\n---\n${"x".repeat(mebibyte / 2)}`,
    ),
    manyObjects("12 ConfigMaps of 60,000 empty keys", "keys", 12, emptyKeys(60_000)),
    manyObjects("12 ConfigMaps of 45,000 empty keys", "less", 12, emptyKeys(45_000)),
    text,
    together(text, 24),
    equalPaths(190, 100),
    deepPaths(),
    {
      title: "a change of a ConfigMap of 60,000 keys that no pod mounts",
      configMaps: [configMap("lock", emptyKeys(60_000))],
      pods: [],
      update: configMap("lock", { ...emptyKeys(60_000), changed: "" }),
    },
    {
      title: "a pod of 1 MiB: 18,000 environment variables",
      configMaps: [],
      pods: [
        {
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name: "wide", namespace: governed },
          spec: {
            containers: [
              { name: "c", image: "agent", env: times(18_000, (at) => ({ name: `V${at}`, value: "$(V0)" })) },
            ],
          },
        },
      ],
    },
  ];
}
