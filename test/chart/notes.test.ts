import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../cluster/harness/binaries.ts";
import { chart, tryHelm, withValues } from "./helm.ts";

/** What the installation says with these values, as on a cluster that has nothing of it yet. */
async function notes(values: object = {}): Promise<string> {
  const { code, stdout, stderr } = await withValues(values, (file) =>
    tryHelm(["install", "mine", chart, "-n", "sa", "--dry-run=client", "--values", file]),
  );
  if (code !== 0) throw new Error(stderr);
  return stdout.slice(stdout.indexOf("NOTES:"));
}

/** Stops the replicas, waits until none runs, deletes the registration, looks whether it is back. */
const byHand = (namespace: string, seconds = 60) =>
  [
    `kubectl -n ${namespace} scale deployment/skill-admission --replicas=0`,
    `kubectl -n ${namespace} wait --for=delete pod -l app.kubernetes.io/name=skill-admission,app.kubernetes.io/component=webhook --timeout=${seconds}s`,
    "kubectl delete validatingwebhookconfiguration skill-admission",
    "kubectl get validatingwebhookconfiguration skill-admission",
  ] as const;

/** The lines without what is before and behind the command. */
const commandsOf = (text: string, from: string): readonly string[] =>
  text
    .slice(text.indexOf(from))
    .split("\n")
    .map((line) => line.replace(/ +#.*/, "").trim())
    .filter((line) => line.startsWith("kubectl"));

describe("what to do when it must go at once", () => {
  it("waits for the last replica before it deletes what one would put back, at the end of the notes", async () => {
    const said = await notes();
    expect(commandsOf(said, "If it must go at once: helm -n sa uninstall mine").slice(0, 4)).toEqual(
      byHand("sa"),
    );
  });

  it("waits longer where replicas are given longer to stop", async () => {
    const slow = await notes({ webhook: { graceSeconds: 60, drainSeconds: 30 } });
    expect(commandsOf(slow, "If it must go at once").slice(0, 4)).toEqual(byHand("sa", 120));
  });

  it("is the same in docs/install.md", async () => {
    const text = await readFile(join(projectRoot, "docs/install.md"), "utf8");
    expect(commandsOf(text, "then do by hand what it does").slice(0, 4)).toEqual(byHand("skill-admission"));
  });

  it("tells replicas that cannot be stopped to stay out, as docs/operations.md does", async () => {
    const mark =
      /annotate lease skill-admission --overwrite \\\n +skill-admission\.dev\/unregistered="(.+)"\n/;
    const [, said] = mark.exec(await notes())!;
    const [, documented] = mark.exec(await readFile(join(projectRoot, "docs/operations.md"), "utf8"))!;
    expect(said!.replace("-n sa ", "-n skill-admission ")).toBe(documented);
  });

  it("comes before helm uninstall, where no job does it", async () => {
    const said = await notes({ unregisterOnUninstall: { enabled: false } });
    expect(said).toContain("Before you uninstall, run the commands at the end of this text.");
    expect(said).toContain("If it must go at once, and before helm uninstall:");
    expect(said).not.toContain("helm -n sa uninstall");
    expect(commandsOf(said, "If it must go at once").slice(0, 4)).toEqual(byHand("sa"));
  });
});

describe("what is open", () => {
  const out = "may connect to every address on ports 443, 6443, 8443, 16443";
  const reviews = "Every address may send reviews";
  const node = "where a NetworkPolicy does not apply";

  it.each([
    ["by default", {}, [reviews, out]],
    [
      "where agents of a tunnel send the reviews",
      { networkPolicy: { webhookFrom: [{ podSelector: {} }] } },
      [out],
    ],
    ["where the API servers are named", { networkPolicy: { apiServerCIDRs: ["10.0.0.2/32"] } }, []],
    ["on the network of the nodes", { hostNetwork: true }, [node]],
    [
      "on the network of the nodes, named",
      { hostNetwork: true, networkPolicy: { apiServerCIDRs: ["10.0.0.2/32"] } },
      [node],
    ],
    [
      "where the webhook asks for a client certificate",
      { webhook: { clientCA: { configMap: "ca", names: ["api"] } } },
      [out],
    ],
  ])("is said of the network %s", async (_, values, lines) => {
    const said = await notes(values);
    expect([reviews, out, node].filter((line) => said.includes(line))).toEqual(lines);
  });
});

describe("what is open", () => {
  it("names networks that are all addresses, and connections beyond the API server", async () => {
    const networkPolicy = {
      apiServerCIDRs: ["10.0.0.0/28", "0.0.0.0/0", "128.0.0.0/1", "::/0"],
      extraEgress: [{ ports: [{ port: 443 }] }],
    };
    const said = await notes({ networkPolicy });
    for (const wide of ["0.0.0.0/0", "128.0.0.0/1", "::/0"])
      expect(said).toContain(`- networkPolicy.apiServerCIDRs has ${wide}, which is far more than`);
    expect(said).not.toContain("10.0.0.0/28");
    expect(said).toContain("extraEgress lets the replicas connect to more than the API server (1 rule)");
    expect(await notes()).not.toMatch(/far more than|extraEgress/);
  });

  it("says that anyone may send reviews where no NetworkPolicy is in the way, until a client certificate is asked for", async () => {
    const warning = "and may send reviews. Have";
    const webhook = { clientCA: { secret: "ca", names: ["api"] } };
    for (const values of [{ networkPolicy: { enabled: false } }, { hostNetwork: true }]) {
      expect(await notes(values)).toContain(warning);
      expect(await notes({ ...values, webhook })).not.toContain(warning);
    }
  });

  it("says that nobody is told when it fails, until somebody is", async () => {
    const warning = "- Nobody is told when it fails";
    expect(await notes()).toContain(warning);
    expect(await notes({ metrics: { prometheusRule: { enabled: true } } })).not.toContain(warning);
  });
});
