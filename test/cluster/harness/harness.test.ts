import { describe, expect, it } from "vitest";
import { helm, kubectl, restartApiServer, tryKubectl } from "./cluster.ts";
import { createNamespace } from "./namespaces.ts";

describe("the control plane", () => {
  it("answers kubectl", async () => {
    expect(await kubectl(["get", "namespace", "default", "-o", "name"])).toBe("namespace/default\n");
  });

  it("says why a command failed", async () => {
    const { code, stderr } = await tryKubectl(["get", "namespace", "nowhere"]);
    expect(code).toBe(1);
    expect(stderr).toContain('"nowhere" not found');
  });

  it("has helm", async () => {
    expect(await helm(["version", "--short"])).toMatch(/^v\d/);
  });

  it("admits as real clusters do: a kubelet may write its own node alone", async () => {
    const kubelet = ["--as=system:node:one", "--as-group=system:nodes"];
    const create = (name: string) =>
      tryKubectl(
        ["create", "--dry-run=server", "-f", "-", ...kubelet],
        JSON.stringify({ apiVersion: "v1", kind: "Node", metadata: { name } }),
      );
    expect(await create("one")).toMatchObject({ code: 0 });
    expect((await create("other")).stderr).toContain('node "one" is not allowed to modify node "other"');
  });

  it("runs controllers: a Deployment becomes a pod", async () => {
    await createNamespace("harness");
    await kubectl(["-n", "harness", "create", "deployment", "d", "--image=example.invalid/image"]);
    await kubectl(["-n", "harness", "wait", "--for=create", "pod", "-l", "app=d", "--timeout=60s"]);
    expect(await kubectl(["-n", "harness", "get", "pod", "-o", "name"])).toMatch(/^pod\/d-/);
  });

  it("keeps its state when the API server is killed and comes back", async () => {
    await restartApiServer();
    expect(await kubectl(["get", "namespace", "harness", "-o", "name"])).toBe("namespace/harness\n");
  });
});
