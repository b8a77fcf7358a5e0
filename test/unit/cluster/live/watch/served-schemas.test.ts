import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { ApiError } from "../../../../../src/cluster/live/api/client.ts";
import {
  createServedSchemas,
  type ServedSchemas,
} from "../../../../../src/cluster/live/watch/served-schemas.ts";
import { reflectorDefaults } from "../../../../../src/cluster/live/watch/reflector.ts";
import { ownKinds, ownResources } from "../../../../../src/policy/resource/kinds.ts";
import { chunksOf, scriptedClient, type ScriptedClient } from "../live-fakes.ts";

const times = { ...reflectorDefaults, minBackoff: 1, maxBackoff: 5 };
const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

interface Definition {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
}
const definitions = new Map<string, Definition>();
beforeAll(async () => {
  for (const kind of ownKinds) {
    const name = `${ownResources[kind].plural}.skill-admission.dev`;
    const file = await readFile(
      `manifests/crds/skill-admission.dev_${ownResources[kind].plural}.yaml`,
      "utf8",
    );
    definitions.set(name, { ...parse(file), metadata: { name, resourceVersion: "1" } } as Definition);
  }
});

const selected = (asked: string): string => /metadata\.name%3D([^&]*)/.exec(asked)?.[1] ?? "";
/** As it was before it had the field `closed`. */
const older = (definition: Definition): Definition =>
  JSON.parse(JSON.stringify(definition).replaceAll('"closed":', '"open":')) as Definition;
const isPolicies = (name: string): boolean => name.startsWith("clusterskillpolicies");

let schemas: ServedSchemas | undefined;
afterEach(async () => {
  await schemas?.close();
});

function open(client: ScriptedClient) {
  const problems: string[] = [];
  const health: boolean[] = [];
  let changes = 0;
  schemas = createServedSchemas({
    client,
    hooks: {
      onProblem: (message) => void problems.push(message),
      onWatchState: (resource, healthy) => {
        expect(resource).toBe("customresourcedefinitions");
        health.push(healthy);
      },
    },
    times,
    changed: () => void (changes += 1),
  });
  return { opened: schemas, problems, health, changes: () => changes };
}

const listed = (change: (definition: Definition) => Definition, watched: readonly object[] = []) =>
  scriptedClient(
    (request) => {
      const name = selected(request.path);
      const definition = definitions.get(name)!;
      return {
        metadata: { resourceVersion: "7" },
        items: [isPolicies(name) ? change(definition) : definition],
      };
    },
    ({ path: asked, signal }) => chunksOf(isPolicies(selected(asked)) ? watched : [], signal),
  );

describe("createServedSchemas", () => {
  it("asks for our CustomResourceDefinitions alone, each by its name, and is content with those of this version", async () => {
    const client = listed((definition) => definition);
    const { opened, problems, health, changes } = open(client);
    expect(opened.missing()).toHaveLength(3);
    await vi.waitFor(() => expect(opened.missing()).toEqual([]));
    expect(new Set(client.asked.map((request) => request.path.split("?")[0]))).toEqual(new Set([path]));
    expect(new Set(client.asked.map((request) => selected(request.path)))).toEqual(
      new Set(definitions.keys()),
    );
    expect(ownKinds.map(opened.behind)).toEqual([undefined, undefined, undefined]);
    expect(changes()).toBeGreaterThan(0);
    expect(problems).toEqual([]);
    await vi.waitFor(() => expect(health.at(-1)).toBe(true));
  });

  it("keeps a new process waiting where one is older, and says which fields it takes away", async () => {
    const { opened, problems } = open(listed(older));
    await vi.waitFor(() => expect(opened.missing()).toHaveLength(1));
    const said =
      "the CustomResourceDefinition clusterskillpolicies.skill-admission.dev is older than this version and removes spec.closed; apply those of this version (kubectl apply --server-side -f manifests/crds)";
    expect(opened.missing()).toEqual([said]);
    expect(opened.behind("ClusterSkillPolicy")).toBe(said);
    expect(opened.behind("SkillTrustRoot")).toBeUndefined();
    expect(problems).toEqual([said]);
  });

  it("does not unready a process that has seen the right ones, and tells of the older one", async () => {
    const definition = definitions.get("clusterskillpolicies.skill-admission.dev")!;
    const { opened, problems } = open(
      listed(
        (one) => one,
        [
          {
            type: "MODIFIED",
            object: { ...older(definition), metadata: { ...definition.metadata, resourceVersion: "8" } },
          },
        ],
      ),
    );
    await vi.waitFor(() => expect(opened.behind("ClusterSkillPolicy")).toContain("removes spec.closed"));
    await vi.waitFor(() => expect(opened.missing()).toEqual([]));
    expect(problems).toHaveLength(1);
  });

  it("is content again as soon as the right one is back", async () => {
    const definition = definitions.get("clusterskillpolicies.skill-admission.dev")!;
    const { opened } = open(listed(older, [{ type: "MODIFIED", object: definition }]));
    await vi.waitFor(() => expect(opened.missing()).toEqual([]));
    expect(opened.behind("ClusterSkillPolicy")).toBeUndefined();
  });

  it("names the right that is missing", async () => {
    const { opened, problems } = open(scriptedClient(() => new ApiError(403, "forbidden")));
    await vi.waitFor(() =>
      expect(opened.missing().join()).toContain("give the controller's ServiceAccount its ClusterRole"),
    );
    expect(opened.missing()).toHaveLength(3);
    expect(new Set(problems).size).toBe(3);
  });
});
