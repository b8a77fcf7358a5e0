import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { stale } from "../../scripts/generate/files.ts";
import { projectRoot } from "../cluster/harness/binaries.ts";
import { kubectl, tryKubectl } from "../cluster/harness/cluster.ts";
import { one, type Rendered } from "./helm.ts";

const run = promisify(execFile);
const namespace = "skill-admission";
const own = (...args: readonly string[]) => kubectl(["-n", namespace, ...args]);

const build = async (folder: string): Promise<readonly Rendered[]> =>
  parseAllDocuments(await kubectl(["kustomize", `manifests/${folder}`])).map(
    (document) => document.toJS() as Rendered,
  );

afterAll(async () => {
  // The next file makes objects of the same names. The Namespace first: while CRDs go, its end waits for minutes.
  await kubectl(["delete", "namespace", namespace, "--ignore-not-found"]);
  await kubectl(["delete", "-k", "manifests/base", "--ignore-not-found"]);
});

describe("npm run generate:check", () => {
  it("finds manifests, README and CRDs of the chart as they are rendered", async () => {
    const { stderr } = await run(process.execPath, ["scripts/generate-chart.ts", "--check"], {
      cwd: projectRoot,
    });
    expect(stderr).toBe("");
  });

  it("finds a file that differs, and one that is missing", async () => {
    const files = new Map([
      ["LICENSE", "changed"],
      ["manifests/base/none.yaml", ""],
    ]);
    expect(await stale(files)).toEqual(["LICENSE", "manifests/base/none.yaml"]);
  });
});

describe("kubectl apply -k", () => {
  it("installs the base at once, and again without a change", async () => {
    await kubectl(["apply", "-k", "manifests/base"]);
    await own("wait", "--for=jsonpath={.status.replicas}=3", "deployment/skill-admission", "--timeout=60s");
    // Ends with 1 where anything differs, also what a controller writes between its two looks.
    await expect
      .poll(() => tryKubectl(["diff", "-k", "manifests/base"]))
      .toMatchObject({ code: 0, stdout: "" });
  });

  it("makes the starter policy, in Audit, once the CRDs are there", async () => {
    await kubectl([
      "wait",
      "--for=condition=Established",
      "--timeout=60s",
      "crd",
      "-l",
      "app.kubernetes.io/part-of=skill-admission",
    ]);
    await kubectl(["apply", "-k", "manifests/starter-policy"]);
    expect(await kubectl(["get", "cskp", "starter", "-o", "jsonpath={.spec.mode}"])).toBe("Audit");
  });

  it("runs the job that unregisters", async () => {
    await kubectl(["apply", "-k", "manifests/unregister"]);
    await own("wait", "--for=create", "pod", "-l", "app.kubernetes.io/component=unregister", "--timeout=60s");
    await kubectl(["delete", "-k", "manifests/unregister"]);
  });
});

describe("the manifests", () => {
  it("carry no marks of Helm", async () => {
    const objects = [
      ...(await build("base")),
      ...(await build("unregister")),
      ...(await build("starter-policy")),
    ];
    expect(objects.length).toBeGreaterThan(20);
    expect(JSON.stringify(objects)).not.toMatch(/helm/i);
  });

  it("of the overlay take the image from the registry inside, and nothing else differs", async () => {
    const [base, overlay] = [await build("base"), await build("overlays/air-gapped")];
    const spec = one(overlay, "Deployment").spec.template.spec;
    expect(spec.containers[0].image).toBe("registry.example.internal/security/skill-admission:0.1.0");
    expect(spec).toMatchObject({ imagePullSecrets: [{ name: "registry-credentials" }] });
    const others = (objects: readonly Rendered[]) => objects.filter(({ kind }) => kind !== "Deployment");
    expect(others(overlay)).toEqual(others(base));
  });
});
