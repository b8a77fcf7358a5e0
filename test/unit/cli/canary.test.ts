import { describe, expect, it } from "vitest";
import type { CanaryOutcome, CanaryRequest } from "../../../src/cli/command-line.ts";
import { run as runLine } from "./line.ts";

async function run(args: readonly string[], over: Partial<CanaryOutcome> = {}) {
  const requests: CanaryRequest[] = [];
  const canary = (request: CanaryRequest): Promise<CanaryOutcome> => {
    requests.push(request);
    return Promise.resolve({
      server: "https://api:6443",
      namespace: "n",
      answer: "denied",
      said: "words",
      ...over,
    });
  };
  return { ...(await runLine(["canary", ...args], { canary })), requests };
}

describe("canary", () => {
  it("says that it was denied, and with which words", async () => {
    expect(await run([])).toEqual({
      code: 0,
      out: "denied, as it must be: at https://api:6443 a pod with an unsigned skill does not get into n\nwords\n",
      err: "",
      requests: [{ inCluster: false, seconds: 60 }],
    });
  });

  it("fails where the skill is let in, and says where to look", async () => {
    const { code, out, err } = await run([], { answer: "admitted" });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^error: nothing is checked: at https:\/\/api:6443 /);
    expect(err).toContain("kubectl get validatingwebhookconfiguration skill-admission");
  });

  it("fails where neither was seen, with what was", async () => {
    const { code, err } = await run([], { answer: "unclear", said: "exceeded quota" });
    expect(code).toBe(3);
    expect(err).toContain("\nexceeded quota\nMend what stands there, and try again.\n");
  });

  it("passes on what it was given, and refuses what cannot be meant", async () => {
    const given = ["--in-cluster", "--namespace", "n", "--config-map", "c", "--timeout", "90"];
    expect((await run(given)).requests).toEqual([
      { inCluster: true, seconds: 90, namespace: "n", configMap: "c" },
    ]);
    expect((await run(["--kubeconfig", "k"])).requests).toEqual([
      { inCluster: false, seconds: 60, kubeconfig: "k" },
    ]);
    expect((await run(["--timeout", "4"])).code).toBe(2);
    expect((await run(["--in-cluster", "--kubeconfig", "k"])).err).toContain("exclude each other");
  });
});
