import { beforeAll, describe, expect, it } from "vitest";
import { signedSkill, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { apply } from "../harness/apply.ts";
import { tryKubectl } from "../harness/cluster.ts";
import type { Ran } from "../../fixtures/run-command.ts";
import { sharedProduct, type SharedProduct } from "./product.ts";
import {
  createNamespace,
  denial,
  enforce,
  pemOf,
  policy,
  ship,
  tryApply,
  type Part,
  type Shipped,
} from "./world.ts";

const namespace = "containers";

let product: SharedProduct;
let good: SignedSkill;
let broken: Skill;

beforeAll(async () => {
  good = signedSkill();
  broken = withFiles(good.skill, { "extra.py": "x" });
  product = await sharedProduct();
  await createNamespace(namespace, namespace);
  await enforce(policy(namespace, { publishers: [{ name: "team", publicKey: { pem: pemOf(good) } }] }));
});

describe("other containers of a pod", () => {
  /** The pod, but with its mount in a container of another kind. */
  const moved = ({ pod, volume }: Shipped, list: string, container: Part): Part => {
    const spec = pod["spec"] as Part;
    const plain = { name: "main", image: "example.invalid/agent" };
    return {
      ...pod,
      spec: {
        ...spec,
        containers: [plain],
        [list]: [
          { name: "other", image: "example.invalid/agent", volumeMounts: [volume.mount], ...container },
        ],
      },
    };
  };

  it.each([
    ["init", {}],
    ["sidecar", { restartPolicy: "Always" }],
  ])("count, of the kind %s, like any other", async (kind, container) => {
    for (const [skill, passes] of [
      [good.skill, true],
      [broken, false],
    ] as const) {
      const shipped = ship(skill, namespace, `${kind}-${passes}`);
      await apply(...shipped.configMaps);
      const ran = await tryApply([moved(shipped, "initContainers", container)]);
      if (passes) expect(ran).toMatchObject({ code: 0, stderr: "" });
      else expect(denial(ran)).toContain("FILE_UNSIGNED extra.py");
    }
  });

  it("count, of the kind ephemeral, when they are put into a running pod", async () => {
    const shipped = ship(broken, namespace, "debugged");
    const right = ship(good.skill, namespace, "debugged-right");
    await apply(...shipped.configMaps, ...right.configMaps);
    // The volumes are there from the start, as they must be; no container shows them yet.
    const spec = shipped.pod["spec"] as Part;
    const pod = {
      ...shipped.pod,
      spec: {
        ...spec,
        containers: [{ name: "main", image: "example.invalid/agent" }],
        volumes: [shipped.volume.volume, right.volume.volume],
      },
    };
    expect(await tryApply([pod])).toMatchObject({ code: 0 });
    const debug = (container: string, mount: Part): Promise<Ran> =>
      tryKubectl([
        "-n",
        namespace,
        "patch",
        "pod",
        "debugged",
        "--subresource=ephemeralcontainers",
        "-p",
        JSON.stringify({
          spec: {
            ephemeralContainers: [{ name: container, image: "example.invalid/d", volumeMounts: [mount] }],
          },
        }),
      ]);
    expect(await debug("right", { ...right.volume.mount })).toMatchObject({ code: 0 });
    const ran = await debug("wrong", { ...shipped.volume.mount });
    expect(denial(ran)).toContain(`denied Pod ${namespace}/debugged`);
    expect(denial(ran)).toContain("FILE_UNSIGNED extra.py");
    await product.decision("Pod", "debugged", { decision: "deny", operation: "UPDATE" });
  });
});
