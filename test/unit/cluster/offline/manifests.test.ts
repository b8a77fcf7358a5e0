import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManifestError, parseManifests } from "../../../../src/cluster/offline/manifests.ts";
import { offlineClusterOf } from "../../../../src/cluster/offline/offline-cluster.ts";

const configMap = (name: string, more = "") =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}${more}}\n`;
const names = (text: string, file = "a.yaml") =>
  parseManifests(text, file).map(({ kind, name }) => `${kind}/${name}`);

const problemsOf = (text: string, file = "a.yaml"): readonly string[] => {
  try {
    parseManifests(text, file);
  } catch (error) {
    if (error instanceof ManifestError) return error.problems;
    throw error;
  }
  return [];
};

describe("parseManifests", () => {
  it("reads several documents, empty ones left out", () => {
    expect(names(`---\n${configMap("a")}---\n---\n${configMap("b")}`)).toEqual([
      "ConfigMap/a",
      "ConfigMap/b",
    ]);
  });

  it("takes no SkillRevocationList for a list of others by the end of its kind", () => {
    const object = {
      apiVersion: "skill-admission.dev/v1alpha1",
      kind: "SkillRevocationList",
      metadata: { name: "revoked" },
      items: [],
    };
    expect(parseManifests(JSON.stringify(object), "a.json")).toMatchObject([{ name: "revoked", object }]);
    const list = { apiVersion: object.apiVersion, kind: "SkillRevocationListList", items: [object] };
    expect(parseManifests(JSON.stringify(list), "a.json")).toMatchObject([{ kind: object.kind, object }]);
  });

  it("opens lists, typed and untyped, one in another", () => {
    const items = [{ metadata: { name: "a" } }, { metadata: { name: "b" } }];
    const typed = { apiVersion: "v1", kind: "ConfigMapList", metadata: {}, items };
    expect(names(JSON.stringify({ apiVersion: "v1", kind: "List", items: [typed] }), "a.json")).toEqual([
      "ConfigMap/a",
      "ConfigMap/b",
    ]);
  });

  it("says every problem with file and line", () => {
    expect(problemsOf(`kind: ConfigMap\n---\napiVersion: v1\n---\n- a\n---\n${configMap("ok")}`)).toEqual([
      "a.yaml: the object at line 1 has no apiVersion",
      expect.stringMatching(/line 3 has no kind|line 2 has no kind/),
      expect.stringContaining("is not an object"),
    ]);
  });

  it.each([
    ["text that is no YAML", "a: [", "a.yaml"],
    ["JSON with a key twice", '{"a":1,"a":2}', "a.json"],
    ["no metadata", "apiVersion: v1\nkind: ConfigMap\n", "a.yaml"],
    ["no name", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", "a.yaml"],
    ["a namespace that is no text", configMap("a", ", namespace: [x]"), "a.yaml"],
  ])("refuses %s, naming the file", (_, text, file) => {
    expect(problemsOf(text, file)).toEqual([expect.stringContaining(file)]);
  });

  it("throws ManifestError or nothing, whatever comes", () => {
    const value = fc.letrec((tie) => ({
      list: fc.record(
        { kind: fc.constantFrom("List", "XList", "Pod"), items: fc.array(tie("any")) },
        { requiredKeys: [] },
      ),
      any: fc.oneof({ maxDepth: 5 }, fc.jsonValue(), tie("list")),
    })).any;
    fc.assert(
      fc.property(value, (json) => {
        problemsOf(JSON.stringify(json), "a.json");
      }),
    );
  });
});

const clusterOf = (...texts: readonly string[]) => {
  const problems: string[] = [];
  const objects = texts.flatMap((text, index) =>
    parseManifests(text, `${index}.yaml`).map((entry) => ({ file: `${index}.yaml`, entry })),
  );
  return Object.assign(offlineClusterOf(objects, { onProblem: (message) => problems.push(message) }), {
    problems,
  });
};
const signal = AbortSignal.timeout(60_000);

describe("offlineClusterOf", () => {
  it("reads ConfigMaps by namespace and name, `default` where none is written", async () => {
    const cluster = clusterOf(`${configMap("a")}data: {k: v}\n`, configMap("b", ", namespace: other"));
    const found = await cluster.read({ kind: "ConfigMap", namespace: "default", name: "a" }, signal);
    expect(found?.files.get("k")?.size).toBe(1);
    expect(
      await cluster.read({ kind: "ConfigMap", namespace: "default", name: "b" }, signal),
    ).toBeUndefined();
    expect(await cluster.read({ kind: "Secret", namespace: "default", name: "a" }, signal)).toBeUndefined();
  });

  it("rejects for a ConfigMap that breaks a rule", async () => {
    const cluster = clusterOf(`${configMap("a")}data: {"a/b": v}\n`);
    await expect(
      cluster.read({ kind: "ConfigMap", namespace: "default", name: "a" }, signal),
    ).rejects.toMatchObject({
      code: "SOURCE_MALFORMED",
    });
  });

  it("reads a Secret's stringData over its data", async () => {
    const text =
      "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {k: b2xk, l: bA==}\nstringData: {k: new}\n";
    const secret = await clusterOf(text).read({ kind: "Secret", namespace: "default", name: "s" }, signal);
    expect([...secret!.files].map(([key, { bytes }]) => [key, Buffer.from(bytes).toString()])).toEqual([
      ["k", "new"],
      ["l", "l"],
    ]);
  });

  it("gives a namespace's labels with its name, and rejects for one that is not there (CVE-2025-46342)", async () => {
    const cluster = clusterOf("apiVersion: v1\nkind: Namespace\nmetadata: {name: n, labels: {tenant: t}}\n");
    expect(await cluster.namespaceLabels("n", signal)).toEqual({
      tenant: "t",
      "kubernetes.io/metadata.name": "n",
    });
    await expect(cluster.namespaceLabels("m", signal)).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
  });

  it("refuses two objects of one name, and kinds of ours that it does not know", () => {
    expect(() => clusterOf(configMap("a"), configMap("a"))).toThrow(
      "1.yaml: ConfigMap a is in 0.yaml already",
    );
    expect(() =>
      clusterOf("apiVersion: skill-admission.dev/v1alpha1\nkind: SkillPolicy\nmetadata: {name: p}\n"),
    ).toThrow(/SkillPolicy p is of a kind that this version does not know/);
  });

  it("keeps a policy that makes no sense, broken, and says so", () => {
    const cluster = clusterOf(
      "apiVersion: skill-admission.dev/v1alpha1\nkind: ClusterSkillPolicy\nmetadata: {name: p}\n",
    );
    expect(cluster.current().policies).toHaveLength(1);
    expect(cluster.current().policies[0]?.invalidReason).toBeDefined();
    expect(cluster.problems).toEqual([expect.stringContaining("ClusterSkillPolicy p")]);
  });
});
