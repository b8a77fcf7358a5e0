import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { helm, kubectl, tryKubectl } from "../cluster/harness/cluster.ts";
import { createNamespace } from "../cluster/harness/namespaces.ts";
import { defined } from "../../src/text/fields.ts";
import { chart, tryHelm } from "./helm.ts";
import { patience } from "../fixtures/patience.ts";
import { clusterSkillPolicy } from "../fixtures/resources.ts";

const namespace = "skill-admission";
const release = ["skill-admission", chart];
const own = (...args: readonly string[]) => kubectl(["-n", namespace, ...args]);
const inRelease = (...args: readonly string[]) => helm(["-n", namespace, ...args]);
const ownTry = (...args: readonly string[]) => tryHelm(["-n", namespace, ...args]);

const policy = (name: string, spec: object) =>
  kubectl(
    ["apply", "-f", "-"],
    JSON.stringify(
      clusterSkillPolicy(name, {
        publishers: [{ name: "a", publicKey: { trustRootRef: { name: "a", key: "a" } } }],
        ...spec,
      }),
    ),
  );

const inDays = (days: number): string =>
  new Date(Date.now() + days * 24 * 3600 * 1000).toISOString().replace(/\.\d+Z$/, "Z");

/** What a chart of before had: the CRDs without the newest field, and an example of an object that is no more. */
async function olderChart(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "skill-admission-chart-"));
  await cp(chart, folder, { recursive: true });
  const file = join(folder, "files/crds/skill-admission.dev_skilltrustroots.yaml");
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace("Age", "Years"));
  const about = join(folder, "Chart.yaml");
  await writeFile(about, (await readFile(about, "utf8")).replace(/^version: .*$/m, "version: 0.0.1"));
  return folder;
}

/** There is no kubelet here: this says of the job's pod what one would say. */
async function finishJob(phase: "Succeeded" | "Failed"): Promise<string> {
  const label = "app.kubernetes.io/component=unregister";
  await own("wait", "--for=create", "pod", "-l", label, "--timeout=60s");
  const during = await own("get", "deployment,secret", "-o", "name");
  const [pod] = (await own("get", "pod", "-l", label, "-o", "name")).split("\n");
  await own(
    "patch",
    pod!,
    "--subresource=status",
    "--type=merge",
    "-p",
    JSON.stringify({ status: { phase } }),
  );
  return during;
}

const columns = () =>
  kubectl([
    "get",
    "crd",
    "skilltrustroots.skill-admission.dev",
    "-o",
    "jsonpath={.spec.versions[0].additionalPrinterColumns[*].name}",
  ]);

/** What a chart to come may have: a field more. */
async function newerChart(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "skill-admission-chart-"));
  await cp(chart, folder, { recursive: true });
  const file = join(folder, "files/crds/skill-admission.dev_clusterskillpolicies.yaml");
  const definition = parse(await readFile(file, "utf8")) as Definition;
  const { annotations } = definition.metadata;
  annotations["skill-admission.dev/fields"] = `${annotations["skill-admission.dev/fields"]!} spec.stricter`;
  const { properties } = definition.spec.versions[0].schema.openAPIV3Schema;
  properties.spec.properties["stricter"] = { type: "boolean" };
  await writeFile(file, stringify(definition));
  return folder;
}

interface Definition {
  readonly metadata: { readonly annotations: Record<string, string> };
  readonly spec: {
    readonly versions: readonly [
      {
        readonly schema: {
          readonly openAPIV3Schema: {
            readonly properties: { readonly spec: { readonly properties: Record<string, unknown> } };
          };
        };
      },
    ];
  };
}

beforeAll(async () => {
  await createNamespace(namespace, { "pod-security.kubernetes.io/enforce": "restricted" });
});
afterAll(async () => {
  await tryHelm(["-n", namespace, "uninstall", "skill-admission", "--no-hooks", "--ignore-not-found"]);
  await kubectl(["delete", "crd", "-l", "app.kubernetes.io/part-of=skill-admission"]);
  // The next file makes one of the same name.
  await kubectl(["delete", "namespace", namespace]);
});

describe("helm install", () => {
  it("refuses a policy on a cluster that does not know the kind yet, before it has made anything", async () => {
    const { code, stderr } = await ownTry("install", ...release, "--set", "starterPolicy.enabled=true");
    expect(code).not.toBe(0);
    expect(stderr).toMatch(
      /no matches for kind "(?:ClusterSkillPolicy|SkillTrustRoot)".*\n.*ensure CRDs are installed first/,
    );
    expect(await own("get", "deployment", "-o", "name")).toBe("");
  });

  it("makes three pods in a namespace that is restricted, and says what is open", async () => {
    const older = await olderChart();
    try {
      const said = await inRelease("install", "skill-admission", older);
      expect(said).toContain("There is no ClusterSkillPolicy. Every skill is admitted");
      expect(said).toContain("--set starterPolicy.enabled=true");
    } finally {
      await rm(older, { recursive: true });
    }
    await own("wait", "--for=jsonpath={.status.replicas}=3", "deployment/skill-admission", "--timeout=60s");
    const pods = own("get", "pod", "-o", "jsonpath={.items[*].spec.priorityClassName}");
    expect((await pods).split(" ")).toEqual(Array(3).fill("system-cluster-critical"));
  });

  it("installs the CRDs", async () => {
    await kubectl([
      "wait",
      "--for=condition=Established",
      "crd",
      "-l",
      "app.kubernetes.io/part-of=skill-admission",
    ]);
    expect(await columns()).toContain("Years");
  });

  it("gives no right but those that are needed", async () => {
    const as = `--as=system:serviceaccount:${namespace}:skill-admission`;
    const may = async (...what: readonly string[]) =>
      (await tryKubectl(["auth", "can-i", as, ...what])).stdout.trim();
    const secret = "secret/skill-admission-certificates";
    expect(await may("get", secret, "-n", namespace)).toBe("yes");
    expect(await may("watch", "pods", "--all-namespaces")).toBe("yes");
    for (const verb of ["update", "delete"])
      expect(await may(verb, "validatingwebhookconfigurations/skill-admission")).toBe("yes");
    for (const forbidden of [
      ["list", "secrets", "-n", namespace],
      ["get", secret, "-n", "default"],
      ["delete", "validatingwebhookconfigurations/somebody-else"],
      ["update", "validatingwebhookconfigurations/somebody-else"],
      ["create", "pods", "-n", namespace],
      ["update", "clusterskillpolicies"],
    ]) {
      expect([forbidden, await may(...forbidden)]).toEqual([forbidden, "no"]);
    }
  });
});

describe("helm upgrade", () => {
  it("upgrades the CRDs, makes the starter policy, and says that nothing is denied yet", async () => {
    const said = await inRelease(
      "upgrade",
      ...release,
      "--reset-then-reuse-values",
      "--set",
      "starterPolicy.enabled=true",
    );
    expect(await columns()).toContain("Age");
    expect(await kubectl(["get", "cskp", "starter", "-o", "jsonpath={.spec.mode}"])).toBe("Audit");
    expect(said).toContain("Policies: starter (Audit).");
    expect(said).toContain("No policy is in mode Enforce.");
  });

  it("leaves the certificates that the replicas have made where they are, and so does a rollback", async () => {
    const files = JSON.stringify({ data: { "tls.crt": "YQ==" } });
    await own("patch", "secret", "skill-admission-certificates", "--type=merge", "-p", files);
    await inRelease("upgrade", ...release, "--reset-then-reuse-values", "--set", "logLevel=debug");
    const kept = () => own("get", "secret", "skill-admission-certificates", "-o", "jsonpath={.data}");
    expect(await kept()).toBe('{"tls.crt":"YQ=="}');
    await inRelease("rollback", "skill-admission", "2");
    expect(await kept()).toBe('{"tls.crt":"YQ=="}');
  });

  it("keeps the CRDs, and policies with them, when they are no longer the release's", async () => {
    await policy("mine", { mode: "Warn" });
    await inRelease("upgrade", ...release, "--set", "crds.install=false");
    expect(await kubectl(["get", "cskp", "mine", "-o", "name"])).toContain("/mine");
    // Back again: they carry the release's name still.
    await inRelease("upgrade", ...release);
    expect(await columns()).toContain("Age");
  });
});

describe("NOTES.txt", () => {
  const notes = (...args: readonly string[]) =>
    inRelease("upgrade", ...release, "--dry-run=server", ...args).then((text) =>
      text.slice(text.indexOf("NOTES:")),
    );

  it("names every policy with its mode, and what those that enforce let in", async () => {
    await policy("open", {
      mode: "Enforce",
      skills: [{ names: ["a"] }],
      noMatch: "Warn",
      otherSignatures: "Allow",
      unverifiable: {
        default: "Deny",
        Image: "Allow",
        above: { default: "Deny", EmptyDir: "Warn" },
        unknownHome: "Deny",
        hostRuntime: "Warn",
      },
      unsigned: { action: "Warn", until: inDays(1) },
    });
    const said = await notes();
    expect(said).toContain("Policies: mine (Warn), open (Enforce).");
    expect(said).toContain(
      "policy open lets in skills that cannot be read at admission (unverifiable.Image: Allow)",
    );
    expect(said).toContain(
      "policy open lets in volumes above skill roots that cannot be read at admission (unverifiable.above.EmptyDir: Warn)",
    );
    expect(said).toContain(
      "policy open lets in volumes that could hold skills (unverifiable.hostRuntime: Warn)",
    );
    expect(said).not.toMatch(/unverifiable\.(default|above\.default|unknownHome)/);
    expect(said).toContain("policy open lets in skills that it does not list (noMatch: Warn)");
    expect(said).toContain("policy open lets in a bad signature beside a good one (otherSignatures: Allow)");
    expect(said).toMatch(
      /policy open lets in unsigned skills with a warning before \S+Z, and none from then on/,
    );
    expect(said).not.toContain("policy mine");
    expect(said).not.toMatch(/There is no ClusterSkillPolicy|No policy is in mode Enforce/);
  });

  it("is right on the day after: a day that is over lets no unsigned skill in", async () => {
    for (const [until, said] of [
      [inDays(-1), []],
      // Midnight yesterday in the Azores, where it is an hour earlier, and with a fraction.
      [inDays(-1).replace("Z", ".5-01:00"), []],
      [undefined, ["policy open lets in unsigned skills with a warning"]],
    ] as const) {
      await policy("open", { mode: "Enforce", unsigned: { action: "Warn", ...defined({ until }) } });
      expect((await notes()).match(/policy open lets in unsigned.*/g) ?? [], until).toEqual(said);
    }
  });

  it("says nothing of a policy that leaves nothing open", async () => {
    await kubectl(["delete", "cskp", "open"]);
    await policy("strict", { mode: "Enforce" });
    const said = await notes();
    expect(said).toContain("mine (Warn), strict (Enforce)");
    expect(said).not.toContain("policy strict");
    await kubectl(["delete", "cskp", "strict"]);
  });

  let without: Promise<string> | undefined;
  /** The notes with no value changed; the policies stay the same from here on. */
  const unchanged = () => (without ??= notes());

  it.each([
    ["Every address may send reviews", "networkPolicy.apiServerCIDRs={10.0.0.2/32}"],
    ["The image is named by a tag", `image.digest=sha256:${"a".repeat(64)}`],
  ])("says %j, until %s", async (warning, cure) => {
    expect(await unchanged()).toContain(warning);
    expect(await notes("--set", cure)).not.toContain(warning);
  });

  it("names the namespaces that somebody has taken out", async () => {
    const label = (change: string) =>
      kubectl(["label", "namespace", "default", `skill-admission.dev/break-glass${change}`]);
    await label("=incident-7");
    expect(await notes()).toContain(
      "- Namespace default is not checked: it has the label skill-admission.dev/break-glass.",
    );
    await label("-");
    expect(await notes()).not.toContain("Namespace default");
  });

  it("says that the webhook was taken out of the cluster, but not of a mark from an installation before", async () => {
    const warning = "Everything: somebody took the webhook out of this cluster, and nothing is checked";
    const apiVersion = "coordination.k8s.io/v1";
    const lease = JSON.stringify({
      apiVersion,
      kind: "Lease",
      metadata: { name: "skill-admission", namespace },
    });
    await kubectl(["create", "-f", "-"], lease);
    const mark = (uid: string) =>
      own("annotate", "lease", "skill-admission", "--overwrite", `skill-admission.dev/unregistered=${uid}`);
    expect(await notes()).not.toContain(warning);
    await mark(await own("get", "service", "skill-admission", "-o", "jsonpath={.metadata.uid}"));
    const said = await notes();
    expect(said).toContain(warning);
    expect(said).toContain(
      "kubectl -n skill-admission annotate lease skill-admission skill-admission.dev/unregistered-\n",
    );
    await mark("00000000-0000-4000-8000-000000000000");
    expect(await notes()).not.toContain(warning);
    await own("delete", "lease", "skill-admission");
  });

  it.each([
    ["replicas=1", "One replica: while it restarts"],
    ["networkPolicy.enabled=false", "There is no NetworkPolicy"],
    ["unregisterOnUninstall.enabled=false", "Uninstalling leaves the webhook registered"],
  ])("warns of %s", async (choice, warning) => {
    expect(await notes("--set", choice)).toContain(warning);
    expect(await unchanged()).not.toContain(warning);
  });
});

describe("helm uninstall", () => {
  it("is given up, with everything still in place, when the job does not end", async () => {
    await inRelease("upgrade", ...release, "--set", "unregisterOnUninstall.deadlineSeconds=10");
    const started = performance.now();
    const { code, stderr } = await ownTry("uninstall", "skill-admission");
    expect(code).not.toBe(0);
    expect(stderr).toContain("Job/skill-admission/skill-admission-unregister not ready");
    // By the job's deadline, ten seconds: Helm's own is five minutes.
    expect(performance.now() - started).toBeLessThan(100_000);
    expect(await own("get", "deployment,job", "-o", "name")).toBe(
      "deployment.apps/skill-admission\njob.batch/skill-admission-unregister\n",
    );
    // The job stays, to be looked at; the right to delete the registration does not.
    const account = ["get", "clusterrole", "skill-admission-unregister", "--ignore-not-found"];
    expect(await kubectl(account)).toBe("");
  });

  it("takes the webhook out before it deletes anything, and leaves CRDs and policies", async () => {
    const [ran, during] = await Promise.all([ownTry("uninstall", "skill-admission"), finishJob("Succeeded")]);
    expect(ran).toMatchObject({ code: 0 });
    expect(during).toContain("deployment.apps/skill-admission");
    expect(during).toContain("secret/skill-admission-certificates");
    expect(ran.stdout).toContain("[CustomResourceDefinition] clusterskillpolicies.skill-admission.dev");
    expect(await kubectl(["get", "cskp", "mine", "-o", "name"])).toContain("/mine");
  });

  it("leaves nothing else: no object, no account, no right of the chart's", async () => {
    await own("wait", "--for=delete", "pod", "--all", "--timeout=60s").catch(() => undefined);
    const kinds =
      "deployment,service,secret,job,serviceaccount,role,rolebinding,networkpolicy,pdb,resourcequota";
    const left = await own("get", kinds, "-l", "app.kubernetes.io/part-of=skill-admission", "-o", "name");
    expect(left).toBe("");
    const wide = ["get", "clusterrole,clusterrolebinding", "-l", "app.kubernetes.io/part-of=skill-admission"];
    expect(await kubectl([...wide, "-o", "name"])).toBe("");
  });
});

describe("CRDs that are there already", () => {
  it("are the same release's again when it is installed anew, here from a file that was carried in", async () => {
    const folder = await mkdtemp(join(tmpdir(), "skill-admission-archive-"));
    await helm(["package", chart, "--destination", folder]);
    const said = await inRelease("install", "skill-admission", join(folder, "skill-admission-0.1.0.tgz"));
    await rm(folder, { recursive: true });
    expect(said).toContain("Policies: mine (Warn).");
    await inRelease("uninstall", "skill-admission", "--no-hooks");
  });

  it("are taken over from kubectl apply, or left to it", async () => {
    await kubectl(["delete", "crd", "-l", "app.kubernetes.io/part-of=skill-admission"]);
    await kubectl(["apply", "-f", "manifests/crds"]);
    const { code, stderr } = await ownTry("install", ...release);
    expect(code).not.toBe(0);
    expect(stderr).toContain("exists and cannot be imported into the current release");
    await inRelease("install", ...release, "--set", "crds.install=false");
    await inRelease("uninstall", "skill-admission", "--no-hooks");
    await inRelease("install", ...release, "--take-ownership");
    expect(await columns()).toContain("Age");
    await inRelease("uninstall", "skill-admission", "--no-hooks");
  });
});

describe("helm rollback to a chart whose CRDs have fewer fields", () => {
  const stricter = () => kubectl(["get", "cskp", "newest", "-o", "jsonpath={.spec.stricter}"]);

  beforeAll(async () => {
    // With no history of their own: fields of which Helm has lost count, it leaves where they are.
    await kubectl(["delete", "crd", "-l", "app.kubernetes.io/part-of=skill-admission"]);
    await inRelease("install", ...release);
    const newer = await newerChart();
    await inRelease("upgrade", "skill-admission", newer, "--set", "logLevel=debug");
    await rm(newer, { recursive: true });
    await vi.waitFor(() => policy("newest", { stricter: true }), patience);
  });

  it("is refused, says what to do, and takes nothing out of policies", async () => {
    const { code, stderr } = await ownTry("rollback", "skill-admission");
    expect(code).not.toBe(0);
    expect(stderr).toContain("such as spec.stricter; keep the newer one and roll back only the rest");
    expect(await stricter()).toBe("true");
  });

  it("goes as the documentation says: the older chart, without its CRDs", async () => {
    await inRelease("upgrade", ...release, "--set", "crds.install=false");
    expect(await own("get", "deployment", "skill-admission", "-o", "jsonpath={..args}")).toContain(
      "--log-level=info",
    );
    expect(await stricter()).toBe("true");
    await inRelease("uninstall", "skill-admission", "--no-hooks");
  });
});
