import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { projectRoot } from "../../cluster/harness/binaries.ts";
import { commandsOf, type, typed, type Shell } from "../../fixtures/documented.ts";
import type { Cluster } from "../harness/cluster.ts";
import { recording } from "../harness/figures.ts";
import { registered, untilWhole } from "../harness/installation.ts";
import { home } from "../harness/replicas.ts";
import { startTypist, type Typist } from "../harness/typist.ts";

/** What the documents tell to type about installing, typed letter by letter, one way after the other. */
export function typing(cluster: () => Cluster): void {
  describe("typed as the README and docs/install.md have it", () => {
    let typist: Typist | undefined;
    let readme: (words: string) => string;
    let install: (words: string) => string;

    /** The shell; a cluster that is somebody else's has the image under a name that the documents do not know. */
    const shell = (test: TestContext): Shell =>
      typist === undefined ? test.skip("only on a node of this machine") : typist.shell;

    const nothingLeft = async (): Promise<void> => {
      const kinds = "clusterroles,clusterrolebindings,validatingwebhookconfigurations,crds,namespaces";
      expect(await cluster().kubectl(["get", kinds, "-o", "name"])).not.toContain("skill-admission");
    };

    const uninstalled = async (at: Shell): Promise<void> => {
      await typed(install("helm -n skill-admission uninstall skill-admission\n"), at);
      expect(await registered(cluster())).toBe(false);
      await typed(install("kubectl delete crd"), at);
      await nothingLeft();
    };

    beforeAll(async () => {
      const { machine } = cluster();
      if (machine === undefined) return;
      typist = await startTypist(cluster(), machine);
      readme = await commandsOf("README.md");
      install = await commandsOf("docs/install.md");
    });

    afterAll(() => typist?.leave());

    it("is taken out by hand, where the job cannot do it, and nothing stays that the page tells to delete", async (test) => {
      const at = shell(test);
      for (const line of install("--no-hooks").trim().split("\n")) {
        const { code, out } = await type(line, at);
        const looks = line.includes("NotFound is what you want");
        expect(code, `${line}\n${out}`).toBe(looks ? 1 : 0);
        if (looks) expect(out).toContain("NotFound");
      }
      expect(await registered(cluster())).toBe(false);
      await typed(install("kubectl delete crd"), at);
      await nothingLeft();
    });

    it("is installed as the README says, takes in a skill of one's own, and denies first what was tampered with", async (test) => {
      const at = shell(test);
      await typed(readme("YOUR-REGISTRY").replace("YOUR-REGISTRY", "localhost"), at);
      await typed("kubectl create namespace payments", at);
      await cp(join(projectRoot, "examples/skills/incident-summary"), join(at.cwd, "my-skill"), {
        recursive: true,
      });
      expect(await typed(readme("sign my-skill"), at)).toMatch(/configmap\/\S+ created/);
      await typed(install("rollout status"), at);
      expect(await typed(install("starterPolicy.enabled=true"), at)).toContain("clusterskillpolicy");
      const { code, out } = await type(install("examples/pods/tampered.yaml"), at);
      const page = await commandsOf("docs/install.md", "text");
      const [, denial = ""] = /^Error from server[^]*?denied the request: ([^]*)decision/.exec(
        page("Error from server"),
      )!;
      expect(code).toBe(1);
      expect(out).toContain(denial);
      await typed("kubectl delete namespace payments --wait=false", at);
      await uninstalled(at);
    });

    // The README's own commands are above. What follows is docs/install.md's alone, and takes more than a minute.
    if (!recording) return;

    it("is carried inside by file, and installed without a registry", async (test) => {
      const at = shell(test);
      await typed(install("--archive skill-admission-image.tar"), at);
      await typed(install("sha256sum --check"), at);
      await typed(install("ctr -n k8s.io images import"), at);
      await untilWhole(cluster());
    });

    it("goes by itself when somebody deletes its namespace, and leaves nothing in the way", async (test) => {
      await typed("kubectl delete namespace skill-admission --timeout=60s", shell(test));
      await expect.poll(() => registered(cluster()), { timeout: 60_000, interval: 250 }).toBe(false);
      const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "any" } };
      const spec = { containers: [{ name: "any", image: "any" }] };
      const path = "/api/v1/namespaces/default/pods?dryRun=All";
      expect((await cluster().api.call("POST", path, { ...pod, spec })).status).toBe(201);
    });

    it("is installed and removed with kubectl alone", async (test) => {
      const at = shell(test);
      await typed(install("kubectl apply -k manifests/base"), at);
      await untilWhole(cluster());
      expect(await typed("kubectl get clusterskillpolicies", at)).toContain("Audit");
      await typed(install("kubectl apply -k manifests/unregister"), at);
      expect(await registered(cluster())).toBe(false);
      await nothingLeft();
      expect(await cluster().kubectl(["get", "namespaces", "-o", "name"])).not.toContain(home);
    });
  });
}
