import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import type { Cluster } from "../harness/cluster.ts";
import { note, recording } from "../harness/figures.ts";
import { chart, flags, registered, untilWhole } from "../harness/installation.ts";
import { agents, podWith, type Material } from "../harness/material.ts";
import { home, replicas } from "../harness/replicas.ts";
import { shown, startStream, type Stream } from "../harness/stream.ts";

const inSeconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
const previous = "0.0.9";

interface Crd {
  readonly spec: { readonly versions: readonly { additionalPrinterColumns?: unknown }[] };
}

/** The chart as a version before this one: an older number, an older image tag, and CRDs that lack something. */
async function packPrevious({ helm }: Cluster, folder: string): Promise<string> {
  const copy = join(folder, "skill-admission");
  await cp(chart, copy, { recursive: true });
  const crds = join(copy, "files/crds");
  for (const name of await readdir(crds)) {
    const crd = parse(await readFile(join(crds, name), "utf8")) as Crd;
    for (const version of crd.spec.versions) delete version.additionalPrinterColumns;
    await writeFile(join(crds, name), stringify(crd));
  }
  await helm(["package", copy, "--version", previous, "--app-version", previous, "--destination", folder]);
  return join(folder, `skill-admission-${previous}.tgz`);
}

export function upgrading(cluster: () => Cluster, material: Material): void {
  describe("uninstalled, installed anew and upgraded", () => {
    let folder: string;
    let older: string;
    let stream: Stream | undefined;

    const tryPod = (kind: "signed" | "tampered"): Promise<{ status: number; body: string }> =>
      cluster().api.call(
        "POST",
        `/api/v1/namespaces/${agents}/pods?dryRun=All`,
        podWith(material, kind, agents, "example.invalid/agent"),
      );

    const images = async (): Promise<string> =>
      cluster().kubectl([
        "-n",
        home,
        "get",
        "deployment",
        "skill-admission",
        "-o",
        "jsonpath={.spec.template.spec.containers[0].image}",
      ]);

    /** The columns of `kubectl get cskp` are of the present chart. */
    const present = async (): Promise<boolean> => (await cluster().kubectl(["get", "cskp"])).includes("MODE");

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "skill-admission-chart-"));
      older = await packPrevious(cluster(), folder);
      const { product, machine } = cluster();
      await machine?.tagImage(`${product.repository}:${product.tag}`, `${product.repository}:${previous}`);
      await untilWhole(cluster());
    });

    afterAll(async () => {
      await stream?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    it("is gone at once, blocks nothing meanwhile or afterwards, and says what stays", async () => {
      const { helm, kubectl, api } = cluster();
      const leaving = startStream({ api, material, rate: 25 });
      const began = performance.now();
      const said = await helm(["uninstall", home, "--namespace", home]);
      note("helm uninstall", inSeconds(performance.now() - began));
      expect(await registered(cluster())).toBe(false);
      expect((await tryPod("signed")).status).toBe(201);
      // Nobody looks any more: that is what uninstalling means.
      expect((await tryPod("tampered")).status).toBe(201);
      const { missed } = await leaving.stop();
      expect(shown(missed.filter(({ what }) => what !== "wrong admit"))).toEqual([]);
      expect(said).toContain("clusterskillpolicies.skill-admission.dev");
      expect(await kubectl(["get", "cskp", "-o", "name"])).toContain(`/${agents}`);
      const left = await kubectl([
        "-n",
        home,
        "get",
        "deployments,services,secrets,roles,rolebindings,serviceaccounts,pdb",
        "-o",
        "name",
      ]);
      expect(left.split("\n").filter((name) => name !== "" && name !== "serviceaccount/default")).toEqual([]);
      const wide = await kubectl([
        "get",
        "clusterroles,clusterrolebindings,validatingwebhookconfigurations",
        "-o",
        "name",
      ]);
      expect(wide).not.toContain("skill-admission");
    });

    it("can be installed again, also in an older version, and finds its policies", async () => {
      const { helm, machine } = cluster();
      const tag = machine === undefined ? cluster().product.tag : previous;
      await helm(["install", home, older, ...flags(cluster(), tag)]);
      await untilWhole(cluster());
      expect(await images()).toContain(`:${tag}`);
      await expect.poll(async () => (await tryPod("tampered")).status).toBe(403);
      expect((await tryPod("signed")).status).toBe(201);
    });

    it("is upgraded, its CRDs too, without a failed review", async () => {
      const { helm, api, product } = cluster();
      stream = startStream({ api, material, rate: recording ? 50 : 25 });
      const mark = stream.mark();
      const began = performance.now();
      await helm(["upgrade", home, chart, ...flags(cluster())]);
      note("helm upgrade under load, three replicas", inSeconds(performance.now() - began));
      expect(await images()).toBe(`${product.repository}:${product.tag}`);
      expect(await present()).toBe(true);
      await untilWhole(cluster());
      const tally = await stream.since(mark);
      note("reviews during the upgrade", `${tally.sent}, ${tally.missed.length} failed`);
      expect(shown(tally.missed)).toEqual([]);
    });

    it("is rolled back without a failed review", async () => {
      const mark = stream!.mark();
      const began = performance.now();
      await cluster().helm(["rollback", home, "1", "--namespace", home, "--wait", "--timeout", "120s"]);
      note("helm rollback under load", inSeconds(performance.now() - began));
      await untilWhole(cluster());
      if (cluster().machine !== undefined) expect(await images()).toContain(`:${previous}`);
      const tally = await stream!.since(mark);
      note("reviews during the rollback", `${tally.sent}, ${tally.missed.length} failed`);
      expect(shown(tally.missed)).toEqual([]);
      expect((await replicas(cluster())).length).toBe(3);
    });
  });
}
