import { describe, expect, it } from "vitest";
import { container, emptyDir, mount, podObject, volume, type Part } from "../../fixtures/pods.ts";
import { denial, World } from "./world.ts";

const scratch = volume("e", emptyDir);
const agent = (more: Part = {}) => container("agent", [mount("e", "/home/agent")], more);
const running = podObject({ volumes: [scratch], containers: [agent({ image: "registry.example/agent:1" })] });

const update = (more: Part, subResource?: string) =>
  new World().review(podObject({ volumes: [scratch], containers: [agent()], ...more }), {
    operation: "UPDATE",
    oldObject: running,
    ...(subResource === undefined ? {} : { subResource }),
  });

describe("an update of a running pod", () => {
  it("is refused where an earlier image wrote what the new one reads at a place that counts", async () => {
    const text = denial(await update({ containers: [agent({ image: "registry.example/agent:2" })] }));
    expect(text).toContain(
      'the volume "e" is an emptyDir, and "agent" could write it with its image before, registry.example/agent:1 (/home/agent counts: it is a usual home)',
    );
    expect(text).toContain("let the policy say unverifiable.above.EmptyDir: Allow");
  });

  it("passes where the image stays", async () => {
    const containers = [agent({ image: "registry.example/agent:1", stdin: true })];
    expect((await update({ containers })).decision).toMatchObject({ outcome: "allow", bypass: "no-skills" });
  });

  it("passes with an emptyDir at no place that counts", async () => {
    const containers = [container("agent", [mount("e", "/cache")], { image: "registry.example/agent:2" })];
    expect(denial(await update({ containers }))).toBeUndefined();
  });
});

describe("an ephemeral container", () => {
  const containers = [agent({ image: "registry.example/agent:1" })];
  const add = (ephemeral: Part, more: Part = {}) =>
    update({ containers, more: { ephemeralContainers: [ephemeral], ...more } }, "ephemeralcontainers");

  it("is refused where it can write what a container reads at a place that counts", async () => {
    const text = denial(await add(container("debug", [mount("e", "/out")])));
    expect(text).toContain('"agent" and "debug" can write it (/home/agent counts: it is a usual home)');
  });

  it("is refused where it sees the processes of that container", async () => {
    const text = denial(await add(container("debug", [], { targetContainerName: "agent" })));
    expect(text).toContain('"agent" and "debug" can write it');
  });

  it("passes where it reads the volume only, or mounts nothing", async () => {
    expect(denial(await add(container("debug", [mount("e", "/out", { readOnly: true })])))).toBeUndefined();
    expect(denial(await add(container("debug", [])))).toBeUndefined();
  });
});
