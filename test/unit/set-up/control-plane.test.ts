import { describe, expect, it, vi } from "vitest";
import { stagingModules } from "../../cluster/harness/build-control-plane.ts";
import { sourceOn } from "../../cluster/harness/source.ts";

const machine = (has: { readonly asked?: string; readonly binaries?: string; readonly docker?: string }) => ({
  asked: has.asked,
  binaries: vi.fn(() => Promise.resolve(has.binaries)),
  docker: vi.fn(() => Promise.resolve(has.docker)),
});

describe("where a control plane comes from", () => {
  it("is binaries, without a look at Docker", async () => {
    const both = machine({ binaries: "/binaries", docker: "docker" });
    expect(await sourceOn(both)).toEqual({ kind: "binaries", folder: "/binaries" });
    expect(both.docker).not.toHaveBeenCalled();
  });

  it("is Docker where there are none", async () => {
    expect(await sourceOn(machine({ docker: "docker" }))).toEqual({ kind: "docker", docker: "docker" });
  });

  it("is Docker where K3s is asked for, without a look at binaries", async () => {
    const both = machine({ asked: "k3s", binaries: "/binaries", docker: "docker" });
    expect(await sourceOn(both)).toEqual({ kind: "docker", docker: "docker" });
    expect(both.binaries).not.toHaveBeenCalled();
  });

  it("is nothing yet where there is neither", async () => {
    expect(await sourceOn(machine({}))).toEqual({ kind: "none" });
  });

  it("is never something else where K3s is asked for", async () => {
    await expect(sourceOn(machine({ asked: "k3s", binaries: "/binaries" }))).rejects.toThrow(
      "TEST_CLUSTER asks for K3s, and no Docker answers",
    );
  });
});

describe("the modules beside Kubernetes", () => {
  it("are those that it replaces by its own folders, in both spellings", () => {
    const goMod = [
      "module k8s.io/kubernetes",
      "require k8s.io/klog/v2 v2.140.0",
      "replace k8s.io/api => ./staging/src/k8s.io/api",
      "replace (",
      "\tk8s.io/apiserver => ./staging/src/k8s.io/apiserver",
      "\tgithub.com/a/b => github.com/c/d v1.0.0",
      ")",
    ].join("\n");
    expect(stagingModules(goMod)).toEqual(["k8s.io/api", "k8s.io/apiserver"]);
  });
});
