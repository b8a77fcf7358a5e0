import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { sha256Hex } from "../../../src/skill/digest.ts";
import { componentsOf, joinPath } from "../../../src/workload/pod/container-path.ts";
import type { Container, Mount } from "../../../src/workload/pod/pod-spec.ts";
import type { Part } from "../../fixtures/pods.ts";
import { unjudgedFiles } from "../../fixtures/generated-pods/judged.ts";
import type { Line } from "../../fixtures/generated-pods/listing.ts";
import { binaryData, configMaps, objects } from "../../fixtures/generated-pods/objects.ts";
import { anyPod, manifestOf } from "../../fixtures/generated-pods/pods.ts";
import { walk } from "../../fixtures/generated-pods/walked.ts";
import { runs } from "../../fixtures/property-runs.ts";

type Items = readonly { readonly key: string; readonly path: string }[];

/** Path and digest of what a ConfigMap, or the sources of a projected volume, bring in: of one path, the last. */
function filesOf(volume: Part): readonly Line[] {
  const { sources } = (volume["projected"] ?? { sources: [volume] }) as { readonly sources: readonly Part[] };
  const files = sources.flatMap(({ configMap }) => {
    const { name = "", items } = (configMap ?? {}) as { readonly name?: string; readonly items?: Items };
    const values = new Map([
      ...Object.entries(configMaps[name] ?? {}).map(([key, text]) => [key, Buffer.from(text)] as const),
      ...Object.entries(binaryData[name] ?? {}).map(
        ([key, text]) => [key, Buffer.from(text, "base64")] as const,
      ),
    ]);
    const all = items ?? [...values.keys()].map((key) => ({ key, path: key }));
    return all.flatMap(({ key, path }) => {
      const bytes = values.get(key);
      return bytes === undefined ? [] : [{ path: componentsOf(path).join("/"), sha256: sha256Hex(bytes) }];
    });
  });
  return [...new Map(files.map((file) => [file.path, file])).values()];
}

/** The kubelet's own folders, through which a volume shows its files once more. */
const folders = ["", "..data/", "..2026_01_01/"];

/** All that a mount shows by itself, as if nothing lay over it. */
function shownBy({ volume, path, subPath = "" }: Mount, volumes: readonly Part[]): readonly Line[] {
  const files = filesOf(volumes.find(({ name }) => name === volume.name) ?? {});
  return files.flatMap((file) => {
    if (file.path === subPath) return [{ ...file, path }];
    if (subPath === "")
      return folders.map((folder) => ({ ...file, path: joinPath(path, folder + file.path) }));
    return file.path.startsWith(`${subPath}/`)
      ? [{ ...file, path: joinPath(path, file.path.slice(subPath.length + 1)) }]
      : [];
  });
}

const stored = new Map(
  objects().map((object) => [(object["metadata"] as { readonly name: string }).name, object as never]),
);

describe("findSkills on generated pods, which the tests with a kubelet run too", () => {
  it("judges each file of each mount that is a skill or lies at a root, whatever lies over it", async () => {
    let things = 0;
    await fc.assert(
      fc.asyncProperty(anyPod({ image: "localhost/busybox:1" }, "true"), async (parts) => {
        const { containers } = await walk(manifestOf("p", parts), "payments", (name) => stored.get(name));
        for (const { container, known, references } of containers) {
          const lines = readIn(container, parts.volumes ?? []);
          expect(unjudgedFiles(lines, references, known)).toEqual([]);
          things += unjudgedFiles(lines, [], known).length;
        }
      }),
      runs(4000),
    );
    expect(things).toBeGreaterThan(1000);
  });
});

const readIn = ({ mounts }: Container, volumes: readonly Part[]): readonly Line[] =>
  mounts.flatMap((mount) => shownBy(mount, volumes));
