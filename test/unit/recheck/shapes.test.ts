import { describe, expect, it } from "vitest";
import { Shapes } from "../../../src/recheck/shapes.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";

type Part = Readonly<Record<string, unknown>>;

const pod = (name: string, { labels = {}, ...spec }: Part): KubernetesObject => ({
  metadata: { name, uid: `uid-of-${name}`, labels },
  spec: { containers: [{ name: "a" }], ...spec },
});

/** A pod with files like no other's, of some ten thousand characters. */
const large = (name: string): KubernetesObject => {
  const items = Array.from({ length: 100 }, (_, at) => ({
    key: `k${at}`,
    path: `${name}/${"x".repeat(80)}`,
  }));
  return pod(name, { volumes: [{ name: "v", configMap: { name: "m", items } }] });
};

describe("the stored pods in a bounded memory", () => {
  it("keep nothing of variables and command lines", () => {
    const shapes = new Shapes(10_000);
    for (let at = 0; at < 5; at += 1) {
      const text = `${at}${"x".repeat(100_000)}`;
      const containers = [{ name: "a", command: [text], env: [{ name: "TEXT", value: text }] }];
      shapes.put(`n/p${at}`, pod(`p${at}`, { containers }), "n");
    }
    expect([shapes.size, shapes.leftOut, [...shapes.all()].length]).toEqual([5, 0, 1]);
  });

  it.each([
    ["files", large],
    ["labels", (name: string) => pod(name, { labels: { [name]: "x".repeat(10_000) } })],
    [
      "names",
      (name: string) =>
        pod(name, {
          volumes: Array.from({ length: 40 }, (_, at) => ({
            name: `v${at}`,
            configMap: { name: `${name}-${at}` },
          })),
        }),
    ],
  ])("leave out those of the namespace that takes most: by %s", (_, make) => {
    const shapes = new Shapes(100_000);
    shapes.put("quiet/q", large("q"), "quiet");
    for (let at = 0; at < 20; at += 1) shapes.put(`loud/p${at}`, make(`p${at}`), "loud");
    expect(shapes.size).toBeLessThan(10);
    expect(shapes.size + shapes.leftOut).toBe(21);
    expect([...shapes.keys()]).toHaveLength(21);
    expect([...shapes.all()].map(({ namespace }) => namespace)).toContain("quiet");
    // Whoever has fewer gets room from who has most.
    const before = shapes.size;
    expect(shapes.put("quiet/r", large("r"), "quiet")).toBeDefined();
    expect(shapes.size).toBeLessThanOrEqual(before + 1);
    for (const key of [...shapes.keys()]) shapes.remove(key);
    expect([shapes.size, shapes.leftOut, [...shapes.all()].length]).toEqual([0, 0, 0]);
    expect(shapes.put("loud/p0", make("p0"), "loud")).toBeDefined();
  });

  it("take in one that was left out when it changes and there is room", () => {
    const told: (readonly number[])[] = [];
    const shapes = new Shapes(20_000, { onLeftOut: (...counts) => told.push(counts) });
    shapes.put("n/p", large("p"), "n");
    expect(told).toEqual([]);
    for (let at = 0; at < 3; at += 1) expect(shapes.put("n/q", large("q"), "n")).toBeUndefined();
    expect(told).toEqual([[1, 0]]);
    expect(shapes.leftOut).toBe(1);
    shapes.remove("n/p");
    expect(shapes.put("n/q", large("q"), "n")).toBeDefined();
    expect(shapes.leftOut).toBe(0);
    expect(told).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});

describe("pods that went while work waits for their shape", () => {
  const ref = { kind: "ConfigMap", namespace: "n", name: "m" } as const;

  it("are kept until it is done, within a share, and forgotten then", () => {
    let forgotten = 0;
    const shapes = new Shapes(undefined, { onForgotten: () => (forgotten += 1) });
    const shape = shapes.put("n/stays", pod("stays", {}), "n")!;
    shape.holds += 1;
    const labels = { a: "x".repeat(100_000) };
    const comeAndGo = (name: string): void => {
      expect(shapes.put(`n/${name}`, pod(name, { labels }), "n")).toBe(shape);
      shapes.remove(`n/${name}`);
    };
    for (let at = 0; at < 30; at += 1) comeAndGo(`p${at}`);
    expect([shape.gone.size, forgotten]).toEqual([30, 0]);
    for (let at = 30; at < 100; at += 1) comeAndGo(`p${at}`);
    expect(shape.gone.size).toBeLessThan(50);
    expect(shape.gone.size + forgotten).toBe(100);
    shapes.release(shape);
    expect(shape.gone.size).toBe(0);
    shape.holds += 1;
    comeAndGo("again");
    expect(shape.gone.size).toBe(1);
  });

  it("take no room from others beyond it: the shape is emptied, and filled again by a pod that comes", () => {
    const shapes = new Shapes(10_000_000);
    const huge = (name: string) =>
      pod(name, {
        volumes: [
          { name: "v", configMap: { name: "m", items: [{ key: "x".repeat(5_000_000), path: "p" }] } },
        ],
      });
    const shape = shapes.put("n/p", huge("p"), "n")!;
    shape.holds += 1;
    shapes.remove("n/p");
    expect(shapes.subjectOf(shape)).toBeUndefined();
    expect(shapes.using(ref)).toEqual([]);
    for (const name of ["q", "r"]) {
      expect(
        shapes.put(`other/${name}`, pod(name, { labels: { a: "x".repeat(4_000_000) } }), "other"),
      ).toBeDefined();
      shapes.remove(`other/${name}`);
    }
    expect(shapes.put("n/again", huge("again"), "n")).toBe(shape);
    expect(shapes.subjectOf(shape)).toMatchObject({ name: "again" });
    expect(shapes.using(ref)).toEqual([shape]);
    shapes.remove("n/again");
    shapes.release(shape);
    expect([...shapes.all()]).toEqual([]);
  });

  it("are kept within what all namespaces may have together, which is there again afterwards", () => {
    const forgotten: string[] = [];
    const shapes = new Shapes(undefined, { onForgotten: (namespace) => forgotten.push(namespace) });
    const labels = { a: "x".repeat(3_500_000) };
    const spaces = Array.from({ length: 25 }, (_, at) => `n${at}`);
    const held = spaces.map((space) => {
      const shape = shapes.put(`${space}/stays`, pod(`stays-${space}`, {}), space)!;
      shape.holds += 1;
      shapes.put(`${space}/p`, pod(`p-${space}`, { labels }), space);
      shapes.remove(`${space}/p`);
      return shape;
    });
    const kept = held.filter(({ gone }) => gone.size > 0).length;
    expect(kept).toBeLessThan(20);
    expect(forgotten).toEqual(spaces.slice(kept));
    for (const shape of held) shapes.release(shape);
    held[24]!.holds += 1;
    shapes.put("n24/p", pod("p", { labels }), "n24");
    shapes.remove("n24/p");
    expect(held[24]!.gone.size).toBe(1);
  });

  it("count once where they come back", () => {
    const shapes = new Shapes();
    const shape = shapes.put("n/p", pod("p", {}), "n")!;
    shape.holds += 1;
    const image = { containers: [{ name: "a", image: "b" }], volumes: [{ name: "v", emptyDir: {} }] };
    shapes.put("n/p", pod("p", image), "n");
    expect([shape.pods.size, shape.gone.size]).toEqual([0, 1]);
    shapes.remove("n/p");
    shapes.put("n/p", pod("p", {}), "n");
    expect([shape.pods.size, shape.gone.size]).toEqual([1, 0]);
  });
});
