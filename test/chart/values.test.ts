import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { valueRows, valuesTable, type ValueSchema } from "../../scripts/generate/values-table.ts";
import { chart, tryHelm, tryTemplate, valueAt } from "./helm.ts";

const schema = JSON.parse(await readFile(join(chart, "values.schema.json"), "utf8")) as ValueSchema;
const values: unknown = parse(await readFile(join(chart, "values.yaml"), "utf8"));

/** Every schema in the schema, with its path. */
function* inside(one: ValueSchema, path = ""): Generator<readonly [string, ValueSchema]> {
  yield [path, one];
  for (const [key, value] of Object.entries(one.properties ?? {})) yield* inside(value, `${path}.${key}`);
  if (one.items !== undefined) yield* inside(one.items, `${path}[]`);
}

describe("values.schema.json", () => {
  const all = [...inside(schema)].slice(1);

  it("describes every value", () => {
    expect(all.length).toBeGreaterThan(80);
    expect(all.filter(([, { description }]) => (description ?? "") === "").map(([path]) => path)).toEqual([]);
  });

  it("refuses every field that it does not name, wherever it names fields", () => {
    const open = all.filter(([, one]) => one.properties !== undefined && one.additionalProperties !== false);
    // What Kubernetes and charts around this one define, and go on defining.
    const foreign = [".global", ".extraVolumes[]", ".extraContainers[]"];
    expect([schema.additionalProperties, open.map(([path]) => path)]).toEqual([false, foreign]);
  });

  it("names every value of values.yaml, and the other way round", () => {
    expect(valueRows(schema, values).length).toBeGreaterThan(50);
    const top = Object.keys(schema.properties ?? {}).filter((key) => key !== "global");
    expect(Object.keys(values as object).sort()).toEqual(top.sort());
  });

  it.each([
    ["replicas", 0],
    ["replicas", "3"],
    ["image.repository", "skill-admission:latest"],
    ["image.repository", ""],
    ["image.digest", "sha256:abc"],
    ["image.pullPolicy", "Sometimes"],
    ["image.tag", "a b"],
    ["logLevel", "trace"],
    ["webhook.timeoutSeconds", 31],
    ["webhook.failurePolicy", "ignore"],
    ["webhook.exemptNamespaces", ["Monitoring"]],
    ["webhook.namespaceSelector.matchExpressions", [{ key: "pilot", operator: "Is" }]],
    ["webhook.reinvocationPolicy", "Never"],
    ["certificates.source", "Vault"],
    ["certificates.certManager.duration", "30 days"],
    ["certificates.certManager.issuerRef", { kind: "ClusterIssuer" }],
    ["certificates.certManager.issuerRef.name", "a: b"],
    ["commonLabels", { "app.kubernetes.io/part-of": "mine" }],
    ["podLabels", { "app.kubernetes.io/name": "mine" }],
    ["starterPolicy.mode", "Deny"],
    ["networkPolicy.apiServerCIDRs", ["10.0.0.1"]],
    ["networkPolicy.apiServerCIDRs", ["999.1.1.1/32"]],
    ["networkPolicy.apiServerCIDRs", ["10.0.0.0/33"]],
    ["networkPolicy.apiServerCIDRs", ["fd00::/129"]],
    ["networkPolicy.metricsFrom", [{ ipBlock: { cidr: "everywhere" } }]],
    ["networkPolicy.metricsFrom", [{}]],
    ["networkPolicy.apiServerPorts", []],
    ["resources.requests.memory", "lots"],
    ["unregisterOnUninstall.deadlineSeconds", 3600],
    ["runAsUser", 0],
    ["extraArgs", ["serve"]],
    ["extraArgs", ["--port=9443"]],
    ["certificates.caKey", ".."],
    ["certificates.certManager.duration", "720m"],
    ["resources.limits.memory", "768"],
    ["resources.limits.memory", 768],
    ["networkPolicy.extraEgress", [{}]],
    ["trust.secrets", ["*"]],
    ["trust.secrets", [""]],
    ["trust.tuf.mirrors", ["http://tuf.example.com"]],
    ["trust.tuf.mirrors", ["https://a.example.com,https://b.example.com"]],
    ["trust.tuf.mirrors", ["https://user@tuf.example.com"]],
    ["trust.tuf.egressCIDRs", ["192.0.2.1"]],
    ["trust.tuf.egressPorts", []],
    ["trust.tuf.caConfigMap", "A"],
    ["metrics.serviceMonitor.interval", "10m"],
    ["metrics.serviceMonitor.interval", "0s"],
    ["metrics.prometheusRule.runbookBase", "docs"],
    ["extraArgs", ["--events"]],
    ["extraArgs", ["--client-name=x"]],
    ["webhook.clientCA.pem", "no certificate"],
    ["webhook.clientCA.configMap", "A"],
    ["webhook.clientCA.secret", "A"],
    ["webhook.clientCA.key", ".."],
    ["webhook.clientCA.names", ["a,b"]],
    ["webhook.clientCA.names", [""]],
    ["global.imageRegistry", "https://r.example"],
    ["global.imagePullSecrets", [{ secret: "a" }]],
    ["flowControl.concurrencyShares", 0],
    ["serviceAccount.name", "A"],
    ["rbac.readers", [""]],
    ["commonAnnotations", { "helm.sh/resource-policy": "keep" }],
    ["dnsPolicy", "Some"],
    ["dnsConfig.servers", ["192.0.2.53"]],
    ["extraEnv", [{ name: "POD_NAMESPACE", value: "other" }]],
    ["extraEnv", [{ name: "A", valu: "b" }]],
    ["extraVolumes", [{ name: "tls", emptyDir: {} }]],
    ["extraVolumes", [{ name: "none" }]],
    ["extraVolumeMounts", [{ name: "a", path: "/a" }]],
    ["extraContainers", [{ name: "webhook", image: "x" }]],
    ["metrics.podMonitor.interval", "10m"],
    ["serviceAccountAnnotations", { a: "b" }],
    ["replicaCount", 3],
  ])("refuses %s: %j, and says where", async (path, value) => {
    const { code, stderr } = await tryTemplate(valueAt(path, value));
    expect(code).not.toBe(0);
    expect(stderr).toContain("values don't meet the specifications of the schema");
    // An unknown field is named by the message about the object that it is in.
    const parts = path.split(".");
    expect(
      stderr.includes(`at '/${parts.join("/")}`) || stderr.includes(`'${parts.at(-1)!}' not allowed`),
    ).toBe(true);
  });

  it.each([
    ["replicas", 1],
    ["image.repository", "registry.example.internal:5000/security/skill-admission"],
    ["image.digest", `sha256:${"0".repeat(64)}`],
    ["networkPolicy.apiServerCIDRs", ["10.0.0.1/32", "fd00::/64"]],
    ["networkPolicy.metricsFrom", []],
    ["trust.secrets", ["sigstore-roots"]],
    ["trust.tuf.mirrors", ["https://tuf-repo-cdn.sigstore.dev", "https://tuf.example.com:8443/repo"]],
    ["resources.limits.cpu", 2],
    ["global", { imageRegistry: "r.example:5000/mirror", imagePullSecrets: ["a", { name: "b" }], other: 1 }],
    ["extraEnv", [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }]],
    ["extraVolumes", [{ name: "a", csi: { driver: "d" } }]],
    ["runAsUser", null],
    ["priorityClassName", ""],
    ["certificates.certManager.issuerRef", { name: "corporate" }],
    ["commonLabels", { "app.kubernetes.io/owner": "security" }],
    ["podLabels", { name: "mine" }],
    ["extraArgs", ["--address=::"]],
    ["resources.limits.memory", "805306368"],
    ["metrics.serviceMonitor.interval", "60s"],
    ["metrics.prometheusRule.runbookBase", "https://git.example.com/skill-admission/"],
    ["global", { from: "a chart around this one" }],
  ])("takes %s: %j", async (path, value) => {
    expect(await tryTemplate(valueAt(path, value))).toMatchObject({ code: 0 });
  });
});

describe("a value that is taken away with null", () => {
  /** What the schema asks for, wherever that is. */
  const wanted = (one: ValueSchema, path: readonly string[] = []): readonly (readonly string[])[] => [
    ...(one.required ?? []).map((key) => [...path, key]),
    ...Object.entries(one.properties ?? {}).flatMap(([key, value]) => wanted(value, [...path, key])),
  ];
  const paths = wanted(schema).map((path) => path.join("."));

  it("is missed by name where the templates cannot do without", async () => {
    expect(paths.length).toBeGreaterThan(35);
    for (const path of paths) {
      const { stderr } = await tryTemplate(valueAt(path, null));
      expect(stderr, path).toContain(`missing property '${path.split(".").at(-1)!}'`);
    }
  });

  it("is nothing that a template stumbles over elsewhere", async () => {
    const others = valueRows(schema, values)
      .map(({ path }) => path)
      .filter((path) => !paths.includes(path));
    expect(others.length).toBeGreaterThan(15);
    for (const path of others) {
      const { stderr } = await tryTemplate(valueAt(path, null));
      expect(stderr, path).not.toMatch(/nil pointer|panic|wrong type/);
    }
  });
});

describe("what no schema can say", () => {
  it("refuses the namespace default, which would then never be checked", async () => {
    const { code, stderr } = await tryTemplate({}, "default");
    expect(code).not.toBe(0);
    expect(stderr).toContain("Add --namespace skill-admission --create-namespace");
  });

  it("refuses one port for two servers", async () => {
    const { stderr } = await tryTemplate({ metrics: { port: 8443 } });
    expect(stderr).toContain("webhook.port and metrics.port are both 8443");
  });

  it("refuses an authority for mirrors that there are none of, and a rule for mirrors that would open every port", async () => {
    expect((await tryTemplate({ trust: { tuf: { caConfigMap: "ca" } } })).stderr).toContain(
      "trust.tuf.caConfigMap is for mirrors, and there is none",
    );
    const tuf = { mirrors: ["https://tuf.example.com"], egressPorts: null };
    expect((await tryTemplate({ trust: { tuf } })).stderr).toContain("trust.tuf.egressPorts is empty");
  });

  it.each([
    ["from one place", { configMap: "a", secret: "b", names: ["n"] }],
    ["names is empty", { configMap: "a" }],
    ["there is none: set webhook.clientCA.pem", { names: ["n"] }],
  ])(
    "refuses client certificates where the authority or the names are missing or doubled: %s",
    async (said, clientCA) => {
      expect((await tryTemplate({ webhook: { clientCA } })).stderr).toContain(said);
    },
  );

  it("refuses to look for an account that nobody names", async () => {
    const { stderr } = await tryTemplate({ serviceAccount: { create: false } });
    expect(stderr).toContain(
      "serviceAccount.create is false, and serviceAccount.name is empty: name the account",
    );
  });

  it("refuses a NetworkPolicy whose rule for the API server would open every port", async () => {
    const { stderr } = await tryTemplate({ networkPolicy: { apiServerPorts: null } });
    expect(stderr).toContain("networkPolicy.apiServerPorts is empty");
  });

  it.each([
    ["renewBefore is less than 192h", { duration: "720h", renewBefore: "24h" }],
    ["duration is not longer than renewBefore", { duration: "240h", renewBefore: "240h" }],
    ["caDuration is not longer than duration", { caDuration: "720h" }],
  ])("refuses certificates where %s", async (message, certManager) => {
    const { stderr } = await tryTemplate({ certificates: { source: "CertManager", certManager } });
    expect(stderr).toContain(message);
    expect(await tryTemplate({ certificates: { source: "InProcess", certManager } })).toMatchObject({
      code: 0,
    });
  });

  it("refuses an authority that nobody would be told of", async () => {
    const { stderr } = await tryTemplate({ certificates: { source: "CertManager", caKey: "" } });
    expect(stderr).toContain("leave certificates.caKey at ca.crt");
  });
});

describe("docs/install.md", () => {
  const has = (path: string): boolean => {
    let at: ValueSchema | undefined = schema;
    for (const key of path.replace(/\[\d+\]/g, "").split(".")) {
      at = at?.properties?.[key] ?? at?.items?.properties?.[key];
    }
    return at !== undefined;
  };

  it("sets values that the chart has, and names no others", async () => {
    const text = await readFile(join(chart, "../../docs/install.md"), "utf8");
    const set = [...text.matchAll(/--set '?([\w.[\]]+)=/g)].map(([, path]) => path!);
    const named = [
      ...text.matchAll(
        /`((?:image|networkPolicy|certificates|metrics|webhook|crds|starterPolicy|\w+Quota)\.[\w.]+|hostNetwork|runAsUser)(?:=[^`]*)?`/g,
      ),
    ].map(([, path]) => path!);
    expect([set.length, named.length].every((count) => count > 5)).toBe(true);
    expect([...set, ...named].filter((path) => !has(path))).toEqual([]);
    expect(has("image.registry")).toBe(false);
  });

  it("applies folders and files that are there", async () => {
    const text = await readFile(join(chart, "../../docs/install.md"), "utf8");
    const paths = [...text.matchAll(/(?:manifests|examples|charts)\/[\w./-]*\w|kind-config\.yaml/g)].map(
      ([path]) => path,
    );
    expect(paths.length).toBeGreaterThan(10);
    for (const path of new Set(paths)) await access(join(chart, "../..", path));
  });
});

describe("the chart", () => {
  it("passes helm lint --strict", async () => {
    expect(await tryHelm(["lint", "--strict", chart])).toMatchObject({ code: 0 });
  });

  it("has the version of the program", async () => {
    const { version } = JSON.parse(await readFile(join(chart, "../../package.json"), "utf8")) as {
      readonly version: string;
    };
    const about = parse(await readFile(join(chart, "Chart.yaml"), "utf8")) as Record<string, string>;
    expect([about["version"], about["appVersion"]]).toEqual([version, version]);
  });

  it("has every value in its README", async () => {
    const readme = await readFile(join(chart, "README.md"), "utf8");
    const missing = valueRows(schema, values).filter(({ path }) => !readme.includes(`| \`${path}\``));
    expect(missing).toEqual([]);
  });
});

describe("valuesTable", () => {
  const small: ValueSchema = {
    properties: {
      a: {
        type: "object",
        properties: { b: { type: "integer", minimum: 1, maximum: 3, description: "B." } },
      },
      words: { enum: ["x", "y"], description: "One | the other." },
    },
  };

  it("has a row for each value, with its type and default", () => {
    const rows = valuesTable(small, { a: { b: 2 }, words: "x" })
      .split("\n")
      .slice(2);
    expect(rows).toEqual([
      "| `a.b` | 1 to 3 | `2` | B. |",
      '| `words` | `x`, `y` | `"x"` | One \\| the other. |',
    ]);
  });

  it("fails on a value that the schema does not know", () => {
    expect(() => valuesTable(small, { c: 1 })).toThrow("values.yaml: c is not in values.schema.json");
  });
});
