import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createApiClient, type ApiClient } from "../../src/cluster/live/api/client.ts";
import { connectByKubeconfig } from "../../src/cluster/live/api/connection.ts";
import { soleLeader } from "../../src/cluster/live/leader/leadership.ts";
import { openLiveCluster, type LiveCluster } from "../../src/cluster/live/live-cluster.ts";
import { createStatusWriter } from "../../src/cluster/live/status/writer.ts";
import { reflectorDefaults } from "../../src/cluster/live/watch/reflector.ts";
import { everything } from "../../src/kubernetes/selection.ts";
import { textOf } from "../../src/policy/coverage.ts";
import { patience } from "../fixtures/patience.ts";
import { clusterSkillPolicy } from "../fixtures/resources.ts";
import { publishers } from "../unit/policy/resource-cases.ts";
import { api, ownPath, patch, removeOwn, type Part } from "./harness/api.ts";
import { apply } from "./harness/apply.ts";
import { projectRoot } from "./harness/binaries.ts";
import { helm, kubectl, tryKubectl } from "./harness/cluster.ts";
import { installCrds } from "./harness/crds.ts";
import { kubeconfig } from "./harness/opened.ts";

const name = "clusterskillpolicies.skill-admission.dev";
const fieldsOf = "skill-admission.dev/fields";

interface Schema {
  properties: Record<string, unknown>;
  "x-kubernetes-validations"?: readonly { readonly rule: string }[];
}
interface Definition {
  readonly metadata: { annotations: Record<string, string> };
  readonly spec: {
    readonly versions: readonly {
      readonly schema: { readonly openAPIV3Schema: { readonly properties: { readonly spec: Schema } } };
    }[];
  };
}

/** The CRD of policies as this version has it. */
let present: string;
const definition = (change: (spec: Schema, fields: Record<string, string>) => void): string => {
  const whole = parse(present) as Definition;
  change(whole.spec.versions[0]!.schema.openAPIV3Schema.properties.spec, whole.metadata.annotations);
  return stringify(whole);
};
/** As a version before this one had it: without the field `closed`. */
const older = (): string =>
  definition((spec, annotations) => {
    delete spec.properties["closed"];
    spec["x-kubernetes-validations"] = spec["x-kubernetes-validations"]!.filter(
      ({ rule }) => !rule.includes("closed"),
    );
    const fields = annotations[fieldsOf]!.split(" ");
    annotations[fieldsOf] = fields.filter((field) => !field.startsWith("spec.closed")).join(" ");
  });
/** As a version after this one might have it. */
const newer = (): string =>
  definition((spec, annotations) => {
    spec.properties["stricter"] = { type: "boolean" };
    annotations[fieldsOf] = `${annotations[fieldsOf]!} spec.stricter`;
  });

const install = (crd: string) => kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], crd);
const tryInstall = (crd: string) =>
  tryKubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], crd);

const closed = { podSelector: {}, data: ["/data"] };
const policy = (spec: object) => clusterSkillPolicy("mine", { mode: "Enforce", publishers, ...spec });
const mine = ownPath("clusterskillpolicies", "mine");
const stored = async () => (await api<{ readonly spec: Part }>(mine)).spec;

interface Judged {
  readonly status?: {
    readonly conditions: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
    }[];
  };
}
const ready = async () => (await api<Judged>(mine)).status?.conditions.find(({ type }) => type === "Ready");

let client: ApiClient;
const problems: string[] = [];
const opened: LiveCluster[] = [];

function open(): LiveCluster {
  const hooks = { onProblem: (message: string) => void problems.push(message) };
  const status = createStatusWriter(client, hooks, soleLeader());
  // As the webhook would be registered for the only policy.
  const all = new Set([textOf(everything)]);
  const governed = { enforced: all, observed: all };
  status.setRegistration({ governed, scope: everything, failurePolicy: "Fail" });
  const cluster = openLiveCluster({
    client,
    hooks,
    status,
    timeoutSeconds: 5,
    times: { ...reflectorDefaults, minBackoff: 50, maxBackoff: 500 },
  });
  opened.push(cluster);
  return cluster;
}

/** Why the policy denies everything; undefined while it is in force as written. */
const invalid = (cluster: LiveCluster): string | undefined => cluster.current().policies[0]?.invalidReason;

beforeAll(async () => {
  present = await readFile(
    join(projectRoot, `manifests/crds/skill-admission.dev_clusterskillpolicies.yaml`),
    "utf8",
  );
  await installCrds();
  await install(present);
  await removeOwn();
  client = createApiClient(await connectByKubeconfig(kubeconfig));
});

afterAll(async () => {
  await Promise.all(opened.map((cluster) => cluster.close()));
  await install(present);
  await removeOwn();
});

describe("an API server with an older schema", () => {
  it("shows a policy without its newer fields, as if nobody had written them, and loses them for good with the next write", async () => {
    await apply(policy({ closed }));
    await install(older());
    await vi.waitFor(async () => expect(await stored()).not.toHaveProperty("closed"), patience);
    await install(present);
    await vi.waitFor(async () => expect(await stored()).toHaveProperty("closed"), patience);
    await install(older());
    await vi.waitFor(async () => expect(await stored()).not.toHaveProperty("closed"), patience);
    await patch(mine, { metadata: { labels: { touched: "yes" } } });
    await install(present);
    // It is served again as soon as a policy can have the field.
    const other = { ...policy({ closed }), metadata: { name: "other" } };
    await vi.waitFor(async () => {
      await apply(other);
      expect(await api(ownPath("clusterskillpolicies", "other"))).toMatchObject({ spec: { closed } });
    }, patience);
    expect(await stored()).not.toHaveProperty("closed");
    await removeOwn();
  });
});

describe("a controller that is newer than the schema", () => {
  let cluster: LiveCluster;

  it("denies by every policy as soon as the schema gets older, and says why", async () => {
    cluster = open();
    await cluster.synced(AbortSignal.timeout(patience.timeout));
    await apply(policy({}));
    await vi.waitFor(() => expect(cluster.current().policies).toHaveLength(1), patience);
    expect(invalid(cluster)).toBeUndefined();
    await install(older());
    const said = `the CustomResourceDefinition ${name} is older than this version and removes spec.closed`;
    await vi.waitFor(() => expect(invalid(cluster)).toContain(said), patience);
    expect(cluster.current().policies[0]?.mode).toBe("Enforce");
    await vi.waitFor(
      async () => expect(await ready()).toMatchObject({ status: "False", reason: "SchemaTooOld" }),
      patience,
    );
    expect(problems.filter((problem) => problem.startsWith(said))).toHaveLength(1);
    expect(cluster.readiness()).toEqual([]);
  });

  it("does not get ready if it starts then, so that those before it go on", async () => {
    const late = open();
    await vi.waitFor(() => expect(late.readiness().join()).toContain("removes spec.closed"), patience);
    await expect(late.synced(AbortSignal.timeout(200))).rejects.toThrow();
    expect(() => late.current()).toThrow(/not known yet/);
  });

  it("goes on by itself when the schema is there again", async () => {
    await install(present);
    await vi.waitFor(() => expect(invalid(cluster)).toBeUndefined(), patience);
    await vi.waitFor(async () => expect(await ready()).toMatchObject({ status: "True" }), patience);
    await vi.waitFor(() => expect(opened.at(-1)!.readiness()).toEqual([]), patience);
  });
});

describe("a controller that is older than policies", () => {
  let cluster: LiveCluster;

  it("refuses a field that it does not know, and denies", async () => {
    cluster = opened[0]!;
    await install(newer());
    await vi.waitFor(() => apply(policy({ stricter: true })), patience);
    await vi.waitFor(
      () => expect(invalid(cluster)).toContain("spec.stricter: there is no such field"),
      patience,
    );
  });

  it("denies by a policy of which the older schema took a field, whoever writes it afterwards", async () => {
    await install(present);
    await vi.waitFor(() => expect(invalid(cluster)).toContain("are gone: spec.stricter"), patience);
    await vi.waitFor(
      async () => expect(await ready()).toMatchObject({ status: "False", reason: "FieldsLost" }),
      patience,
    );
    expect(await stored()).not.toHaveProperty("stricter");
    await patch(mine, { metadata: { labels: { touched: "yes" } } });
    await patch(mine, { spec: { mode: "Warn" } });
    await vi.waitFor(() => expect(cluster.current().policies[0]?.mode).toBe("Warn"), patience);
    expect(invalid(cluster)).toContain("are gone: spec.stricter");
  });

  it("takes it again when somebody says that it is meant so", async () => {
    await kubectl(["delete", "cskp", "mine", "--ignore-not-found"]);
    await install(newer());
    const file = JSON.stringify(policy({ stricter: true }));
    await vi.waitFor(() => kubectl(["apply", "-f", "-"], file), patience);
    await install(present);
    await vi.waitFor(() => expect(invalid(cluster)).toContain("are gone: spec.stricter"), patience);
    const apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    await kubectl(apply, JSON.stringify(policy({})));
    await vi.waitFor(() => expect(invalid(cluster)).toBeUndefined(), patience);
    await vi.waitFor(async () => expect(await ready()).toMatchObject({ status: "True" }), patience);
  });
});

describe("the chart's guard of the schema", () => {
  let guard: string;

  beforeAll(async () => {
    guard = await helm([
      "template",
      "skill-admission",
      "charts/skill-admission",
      "--namespace=skill-admission",
      "--show-only=templates/crd-guard.yaml",
    ]);
    await kubectl(["apply", "-f", "-"], guard);
    // It is in force a moment after it was made.
    await vi.waitFor(async () => {
      const { stderr } = await tryKubectl(
        ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-"],
        older(),
      );
      expect(stderr).toContain("denied request");
    }, patience);
  });

  afterAll(async () => {
    await kubectl(["delete", "-f", "-"], guard);
  });

  it("refuses one with fewer fields, naming one and what to do", async () => {
    const { code, stderr } = await tryInstall(older());
    expect(code).not.toBe(0);
    expect(stderr).toContain(
      "this CustomResourceDefinition is older than the one that is installed, and would take 8 field(s) out of stored resources",
    );
    expect(stderr).toContain("such as spec.closed; keep the newer one");
    await apply(policy({ closed }));
    expect(await stored()).toMatchObject({ closed });
  });

  it("refuses one that does not say what it has, by every way", async () => {
    const silent = definition((_, annotations) => void (annotations[fieldsOf] = ""));
    const { stderr } = await tryKubectl(["replace", "-f", "-"], silent);
    expect(stderr).toContain("is older than the one that is installed");
  });

  it("lets the same pass, newer ones, and changes of other kinds", async () => {
    await install(present);
    await kubectl(["label", "crd", name, "seen=yes", "--overwrite"]);
    await kubectl(["label", "crd", name, "seen-"]);
    const { code, stderr } = await tryKubectl(
      ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-"],
      newer(),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});
