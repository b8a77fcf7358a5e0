import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ConfigError, parseServeConfig } from "../../src/config.ts";
import { serveOptions } from "../../src/serve-options.ts";

const problemsOf = (...[flags, env]: Parameters<typeof parseServeConfig>): readonly string[] => {
  try {
    parseServeConfig(flags, env);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
};

const inPod = {
  KUBERNETES_SERVICE_HOST: "10.0.0.1",
  KUBERNETES_SERVICE_PORT: "6443",
  POD_NAMESPACE: "skills",
};

describe("parseServeConfig", () => {
  it("has a default for everything but where it runs", () => {
    expect(parseServeConfig({ state: "./state" }, {})).toEqual({
      cluster: { kind: "offline", state: "./state" },
      address: "0.0.0.0",
      port: 8443,
      metricsAddress: "0.0.0.0",
      metricsPort: 9090,
      metricsNamespaces: 0,
      exclusivePorts: false,
      service: "skill-admission",
      events: true,
      exemptNamespaces: [],
      failurePolicy: "Fail",
      timeoutSeconds: 5,
      graceSeconds: 5,
      drainSeconds: 10,
      logLevel: "info",
      tuf: { mirrors: [] },
    });
  });

  it("takes TUF mirrors by flag and variable, several with commas, and a folder for them", () => {
    const given = { state: "s", tufMirror: "https://a.example/x,https://b.example", tufCache: "/cache" };
    expect(parseServeConfig(given, {}).tuf).toEqual({
      mirrors: ["https://a.example/x", "https://b.example"],
      cache: "/cache",
    });
    const env = { SKILL_ADMISSION_TUF_MIRROR: "http://127.0.0.1:80" };
    expect(parseServeConfig({ state: "s" }, env).tuf).toEqual({ mirrors: ["http://127.0.0.1:80"] });
  });

  it.each([
    "http://a.example",
    "a.example",
    "https://u:p@a.example",
    "https://a.example?x",
    "https://a.example,ftp://b",
  ])("refuses the TUF mirror %s", (tufMirror) => {
    expect(problemsOf({ state: "s", tufMirror }, {})).toEqual([
      expect.stringMatching(/^--tuf-mirror: .* must be https:\/\/ URLs/),
    ]);
  });

  it("takes what is never reviewed by name and by label, and refuses what is no name and no selector", () => {
    const given = {
      state: "s",
      exemptNamespaces: "monitoring, istio-system",
      namespaceSelector: '{"matchExpressions":[{"key":"pilot","operator":"Exists"}]}',
    };
    expect(parseServeConfig(given, {})).toMatchObject({
      exemptNamespaces: ["monitoring", "istio-system"],
      namespaceSelector: { matchExpressions: [{ key: "pilot", operator: "Exists" }] },
    });
    const faults = (flags: object) => problemsOf({ state: "s", ...flags }, {});
    expect(faults({ exemptNamespaces: "Monitoring" })).toEqual([
      expect.stringContaining("must be a Kubernetes name"),
    ]);
    expect(faults({ failurePolicy: "ignore" })).toEqual([expect.stringContaining("must be Fail or Ignore")]);
    expect(faults({ namespaceSelector: "pilot=yes" })).toEqual([
      expect.stringMatching(/^--namespace-selector: "pilot=yes" cannot be read: not JSON: /),
    ]);
    for (const selector of [
      '{"labels":{}}',
      '{"matchLabels":{"a":1}}',
      '{"matchLabels":{"a":"x","a":"y"}}',
      "[]",
    ])
      expect(faults({ namespaceSelector: selector })).toEqual([
        expect.stringContaining("--namespace-selector: "),
      ]);
  });

  it("runs in the cluster of the pod, beside one, or without one", () => {
    expect(parseServeConfig({}, inPod).cluster).toEqual({
      kind: "in-cluster",
      namespace: "skills",
      service: "skill-admission",
      api: { host: "10.0.0.1", port: "6443" },
    });
    const beside = parseServeConfig({ kubeconfig: "k", webhookUrl: "https://10.0.0.2:8443" }, inPod);
    expect(beside.cluster).toEqual({ kind: "beside", kubeconfig: "k", webhookUrl: "https://10.0.0.2:8443" });
    expect(parseServeConfig({ state: "s" }, inPod).cluster).toEqual({ kind: "offline", state: "s" });
  });

  it("listens where --webhook-url says that it is reached, unless it is told where", () => {
    const beside = { kubeconfig: "k", webhookUrl: "https://10.0.0.2:28555" };
    expect(parseServeConfig(beside, {}).port).toBe(28_555);
    expect(parseServeConfig({ ...beside, port: "9443" }, {}).port).toBe(9443);
    expect(parseServeConfig(beside, { SKILL_ADMISSION_PORT: "9443" }).port).toBe(9443);
    // Behind something else that listens on the port of HTTPS.
    expect(parseServeConfig({ ...beside, webhookUrl: "https://skills.example" }, {}).port).toBe(8443);
    expect(problemsOf({ ...beside, webhookUrl: "https://:1" }, {})).toEqual([
      expect.stringMatching(/^--webhook-url: /),
    ]);
  });

  it("refuses to guess where it runs", () => {
    expect(problemsOf({}, {})).toEqual([
      expect.stringMatching(/^there is no cluster to serve: give --state DIR/),
    ]);
    expect(problemsOf({}, { KUBERNETES_SERVICE_HOST: "x" })).toEqual([
      expect.stringMatching(/POD_NAMESPACE/),
    ]);
    expect(problemsOf({}, { ...inPod, POD_NAMESPACE: "../x" })).toEqual([
      expect.stringMatching(/POD_NAMESPACE/),
    ]);
    expect(problemsOf({ kubeconfig: "k" }, inPod)).toEqual([expect.stringMatching(/go together/)]);
    expect(problemsOf({ webhookUrl: "https://x" }, inPod)).toEqual([expect.stringMatching(/go together/)]);
    expect(problemsOf({ state: "s", kubeconfig: "k" }, {})).toEqual([expect.stringMatching(/leave out/)]);
  });

  it("takes a flag before its variable, a variable before the default, and an empty variable as none", () => {
    const env = {
      ...inPod,
      SKILL_ADMISSION_PORT: "1",
      SKILL_ADMISSION_TIMEOUT: "",
      SKILL_ADMISSION_LOG_LEVEL: "warn",
    };
    expect(parseServeConfig({ port: "2" }, env)).toMatchObject({
      port: 2,
      timeoutSeconds: 5,
      logLevel: "warn",
    });
    expect(parseServeConfig({}, env).port).toBe(1);
    expect(parseServeConfig({ namespace: "other" }, env).namespace).toBe("other");
  });

  it("lists everything that is wrong at once, each by the name under which it was given", () => {
    const problems = problemsOf(
      { port: "65536", address: "localhost", timeout: "0", webhookUrl: "http://x" },
      { SKILL_ADMISSION_LOG_LEVEL: "loud", SKILL_ADMISSION_TIMEOUTS: "5" },
    );
    expect(problems).toHaveLength(6);
    for (const name of [
      "--port",
      "--address",
      "--timeout",
      "--webhook-url",
      "SKILL_ADMISSION_LOG_LEVEL",
      "SKILL_ADMISSION_TIMEOUTS",
    ]) {
      expect(
        problems.filter((problem) => problem.startsWith(`${name}:`)),
        name,
      ).toHaveLength(1);
    }
    expect(problems).toContain('SKILL_ADMISSION_LOG_LEVEL: "loud" must be one of debug, info, warn, error');
  });

  it("checks every value", () => {
    const bad: Readonly<Record<string, readonly string[]>> = {
      port: ["", "-1", "1.5", "0x10", " 1", "65536", "1e3", "NaN"],
      metricsPort: ["65536", "x"],
      timeout: ["0", "31", "5s"],
      graceSeconds: ["301", "-1"],
      drainSeconds: ["0", "301"],
      address: ["", "localhost", "1.2.3"],
      metricsAddress: ["*"],
      namespace: ["", "A", "a.b", "-a", "a".repeat(64), "a/b"],
      service: ["", "a_b"],
      logLevel: ["", "INFO", "trace"],
      state: [""],
      tlsCertFile: [""],
    };
    for (const [key, values] of Object.entries(bad)) {
      for (const value of values) {
        expect(
          problemsOf({ state: "s", tlsKeyFile: "k", tlsCertFile: "c", [key]: value }, {}),
          `${key} ${value}`,
        ).toHaveLength(1);
      }
    }
    for (const url of ["http://x", "https://", "https://a:b@x", "https://x/?q", "https://x/#f", "x"]) {
      expect(problemsOf({ kubeconfig: "k", webhookUrl: url }, {}), url).toHaveLength(1);
    }
    for (const [key, value] of [
      ["port", "0"],
      ["timeout", "30"],
      ["address", "::1"],
      ["namespace", "a-1"],
    ] as const) {
      expect(problemsOf({ state: "s", [key]: value }, {}), `${key} ${value}`).toEqual([]);
    }
  });

  it("wants both files of a certificate or none, and two different ports", () => {
    expect(parseServeConfig({ state: "s", tlsCertFile: "c", tlsKeyFile: "k" }, {}).tlsFiles).toEqual({
      certFile: "c",
      keyFile: "k",
    });
    expect(problemsOf({ state: "s", tlsCertFile: "c" }, {})).toHaveLength(1);
    expect(problemsOf({ state: "s", tlsKeyFile: "k" }, {})).toHaveLength(1);
    expect(problemsOf({ state: "s", port: "9090" }, {})).toHaveLength(1);
    expect(problemsOf({ state: "s", port: "0", metricsPort: "0" }, {})).toEqual([]);
  });

  it("takes the authority of a certificate in files only with the certificate", () => {
    const files = { tlsCertFile: "c", tlsKeyFile: "k", tlsCaFile: "a" };
    expect(parseServeConfig({ state: "s", ...files }, {}).tlsFiles).toEqual({
      certFile: "c",
      keyFile: "k",
      caFile: "a",
    });
    expect(problemsOf({ state: "s", tlsCaFile: "a" }, {})).toEqual([
      expect.stringMatching(/--tls-ca-file goes with both/),
    ]);
  });

  it("takes the authority of client certificates only with the names of clients", () => {
    const clients = { clientCaFile: "c", clientName: "kube-apiserver-webhooks, spiffe://cluster/api" };
    expect(parseServeConfig({ state: "s", ...clients }, {}).clients).toEqual({
      caFile: "c",
      names: ["kube-apiserver-webhooks", "spiffe://cluster/api"],
    });
    expect(parseServeConfig({ state: "s" }, {})).not.toHaveProperty("clients");
    for (const flags of [{ clientCaFile: "c" }, { clientName: "n" }])
      expect(problemsOf({ state: "s", ...flags }, {})).toEqual([
        expect.stringMatching(/^--client-ca-file and --client-name go together: .* name who may ask/),
      ]);
    for (const clientName of ["", "a,,b", "a,"])
      expect(problemsOf({ state: "s", clientCaFile: "c", clientName }, {})).toHaveLength(1);
  });

  it("elects a leader in a cluster, and beside one where it is told by which Lease", () => {
    const beside = { kubeconfig: "k", webhookUrl: "https://x" };
    expect(parseServeConfig({}, inPod).lease).toEqual({ namespace: "skills", name: "skill-admission" });
    expect(parseServeConfig({ lease: "other" }, inPod).lease?.name).toBe("other");
    expect(parseServeConfig(beside, {})).not.toHaveProperty("lease");
    expect(parseServeConfig({ ...beside, lease: "l", namespace: "n" }, {}).lease).toEqual({
      namespace: "n",
      name: "l",
    });
    for (const flags of [
      { ...beside, lease: "l" },
      { state: "s", namespace: "n", lease: "l" },
    ])
      expect(problemsOf(flags, {})).toEqual([expect.stringMatching(/^--lease needs a cluster/)]);
  });

  it("writes Events unless it is told not to", () => {
    expect(parseServeConfig({ state: "s", events: "off" }, {}).events).toBe(false);
    expect(parseServeConfig({ state: "s" }, { SKILL_ADMISSION_EVENTS: "on" }).events).toBe(true);
    expect(problemsOf({ state: "s", events: "no" }, {})).toEqual(['--events: "no" must be on or off']);
    expect(parseServeConfig({ state: "s", exclusivePorts: "on" }, {}).exclusivePorts).toBe(true);
    expect(problemsOf({ state: "s" }, { SKILL_ADMISSION_EXCLUSIVE_PORTS: "yes" })).toEqual([
      'SKILL_ADMISSION_EXCLUSIVE_PORTS: "yes" must be on or off',
    ]);
  });

  it("leaves aside what Kubernetes sets for a Service of the product's name", () => {
    const links = {
      SKILL_ADMISSION_PORT: "tcp://10.0.0.9:443",
      SKILL_ADMISSION_METRICS_PORT: "tcp://10.0.0.8:9090",
      SKILL_ADMISSION_SERVICE_HOST: "10.0.0.9",
      SKILL_ADMISSION_SERVICE_PORT: "443",
      SKILL_ADMISSION_SERVICE_PORT_WEBHOOK: "443",
      SKILL_ADMISSION_PORT_443_TCP: "tcp://10.0.0.9:443",
      SKILL_ADMISSION_PORT_443_TCP_PROTO: "tcp",
      SKILL_ADMISSION_PORT_443_TCP_PORT: "443",
      SKILL_ADMISSION_PORT_443_TCP_ADDR: "10.0.0.9",
      SKILL_ADMISSION_METRICS_SERVICE_HOST: "10.0.0.8",
    };
    expect(parseServeConfig({}, { ...inPod, ...links })).toMatchObject({ port: 8443, metricsPort: 9090 });
  });

  it("hands on where the authority is to be written", () => {
    expect(parseServeConfig({ state: "s", caFile: "ca.pem" }, {}).caFile).toBe("ca.pem");
    expect(parseServeConfig({ state: "s" }, {})).not.toHaveProperty("caFile");
    expect(problemsOf({ state: "s", caFile: "" }, {})).toHaveLength(1);
  });

  it("is frozen", () => {
    const config = parseServeConfig({}, inPod);
    expect(Object.isFrozen(config) && Object.isFrozen(config.cluster)).toBe(true);
  });

  it("either gives a configuration or a ConfigError, whatever the values", () => {
    const keys = serveOptions.map(({ key }) => key);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), fc.string()), (flags) => {
        const problems = problemsOf({ state: "s", ...flags }, {});
        for (const problem of problems) expect(problem.length).toBeLessThan(500);
      }),
    );
  });
});

describe("examples of settings", () => {
  const without = (...left: readonly string[]) => serveOptions.filter(({ key }) => !left.includes(key));
  const modes = [
    ["without a cluster", without("kubeconfig", "webhookUrl", "lease")],
    ["beside a cluster", without("state")],
  ] as const;

  it.each(modes)("are valid together, %s, as flags and as variables", (_mode, options) => {
    const flags = Object.fromEntries(options.map(({ key, example }) => [key, example]));
    const env = Object.fromEntries(options.map(({ env: variable, example }) => [variable, example]));
    expect(parseServeConfig(flags, {})).toEqual(parseServeConfig({}, env));
  });

  it("differ from the defaults", () => {
    for (const { example, default: fallback } of serveOptions) expect(example).not.toBe(fallback);
  });
});

describe("docs/configuration.md", () => {
  const cells = (line: string): string[] =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());

  it("documents every setting as it is, and no other", () => {
    const rows = readFileSync("docs/configuration.md", "utf8")
      .split("\n")
      .filter((line) => line.startsWith("| `--"))
      .map(cells);
    expect(rows).toEqual(
      serveOptions.map(({ flag, env, default: fallback, example, description }) => [
        `\`${flag}\``,
        `\`${env}\``,
        fallback === undefined ? "" : `\`${fallback}\``,
        `\`${example}\``,
        description,
      ]),
    );
  });
});
