import { describe, expect, it } from "vitest";
import type { UnregisterOutcome, UnregisterRequest } from "../../../src/cli/command-line.ts";
import { run as runLine } from "./line.ts";

const done: UnregisterOutcome = {
  server: "https://api:6443",
  namespace: "skills",
  lease: "skill-admission",
  result: { gone: true, found: true, marked: true },
};

async function run(args: readonly string[], outcome: UnregisterOutcome = done) {
  const requests: UnregisterRequest[] = [];
  const unregister = (request: UnregisterRequest): Promise<UnregisterOutcome> => {
    requests.push(request);
    return Promise.resolve(outcome);
  };
  return { ...(await runLine(["unregister", ...args], { unregister })), requests };
}

describe("unregister", () => {
  it("says what it did first, and how to undo it last", async () => {
    expect(await run([])).toEqual({
      code: 0,
      out:
        "unregistered at https://api:6443: the API server asks nobody about skills, and lets all in\n" +
        "running replicas leave it so\n" +
        "to register it again: install anew, or\n" +
        "  kubectl -n skills annotate lease skill-admission skill-admission.dev/unregistered-\n",
      err: "",
      requests: [{ inCluster: false, seconds: 30 }],
    });
  });

  it("passes on what it was given", async () => {
    const { requests } = await run([
      "--in-cluster",
      "--namespace",
      "n",
      "--service",
      "s",
      "--lease",
      "l",
      "--timeout",
      "60",
    ]);
    expect(requests).toEqual([{ inCluster: true, seconds: 60, namespace: "n", service: "s", lease: "l" }]);
    expect((await run(["--kubeconfig", "k"])).requests).toEqual([
      { inCluster: false, seconds: 30, kubeconfig: "k" },
    ]);
  });

  it("is content where there was nothing to do", async () => {
    const { code, out } = await run([], { ...done, result: { ...done.result, found: false } });
    expect(code).toBe(0);
    expect(out).toMatch(/^was not registered at /);
  });

  it("does not advise to register again what is not installed", async () => {
    const result = { ...done.result, found: false, marked: false };
    expect(await run([], { ...done, result })).toMatchObject({
      code: 0,
      out:
        "was not registered at https://api:6443: the API server asks nobody about skills, and lets all in\n" +
        "there is no installation in Namespace skills, neither Service nor Lease; name another one with --namespace, --service and --lease\n",
      err: "",
    });
  });

  it("warns when running replicas could not be told", async () => {
    const { code, err } = await run([], { ...done, result: { ...done.result, marked: "forbidden" } });
    expect([code, err]).toEqual([
      0,
      "warning: running replicas could not be told to leave it so: forbidden\n",
    ]);
  });

  it("ends with 3 when it is still there, and says what else would help", async () => {
    const result = { gone: false, found: true, marked: true as const, problem: "may not delete" };
    const { code, out, err } = await run([], { ...done, result });
    expect([code, out]).toEqual([3, ""]);
    expect(err).toContain("still registered at https://api:6443: may not delete\n");
    expect(err).toContain("kubectl delete validatingwebhookconfiguration skill-admission");
  });

  it.each([[["--timeout", "4"]], [["--timeout", "1h"]], [["--in-cluster", "--kubeconfig", "k"]], [["x"]]])(
    "ends with 2 for %j, and asks nobody",
    async (args) => {
      const { code, requests } = await run(args);
      expect([code, requests]).toEqual([2, []]);
    },
  );
});
