import { describe, expect, it } from "vitest";
import type { ReviewAnswer } from "../../../src/admission/handle.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { SourceError } from "../../../src/skill/source-error.ts";
import { changed, configMapOf, denial, namespace, policyObject, published, World } from "./world.ts";

type Spec = Readonly<Record<string, unknown>>;

const bindingOf = (metadata: Spec = {}): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Binding",
  metadata: { name: "etl", namespace, uid: "pod-uid", ...metadata },
  target: { kind: "Node", name: "node-1" },
});

/** The review of a Binding as the scheduler makes it, or by the older resource. */
const bind = (
  world: World,
  binding = bindingOf(),
  request: Spec = {},
  deadline?: AbortSignal,
): Promise<ReviewAnswer> =>
  world.review(
    binding,
    { resource: { group: "", version: "v1", resource: "pods" }, subResource: "binding", ...request },
    deadline,
  );
const older = { resource: { group: "", version: "v1", resource: "bindings" }, subResource: "" };

const asking = (spec: Spec = {}, name?: string) => policyObject({ recheck: "Binding", ...spec }, name);

/** A world whose pod was admitted with the good skill and is stored, under these policies. */
function stored(...policies: readonly KubernetesObject[]): World {
  const world = new World().withPolicies(...policies);
  const pod = world.carry(published.skill);
  world.stored.set("etl", { ...pod, metadata: { ...(pod.metadata as object), uid: "pod-uid" } });
  return world;
}

/** The same after a change of its ConfigMap that another replica let through. */
function raced(...policies: readonly KubernetesObject[]): World {
  const world = stored(...policies);
  world.configMaps.set("skills-etl", configMapOf(changed).object);
  return world;
}

interface Response {
  readonly allowed: boolean;
  readonly warnings?: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}
const responseOf = ({ body }: ReviewAnswer): Response =>
  (JSON.parse(body) as { readonly response: Response }).response;

describe("the binding of a pod", () => {
  it.each([
    ["pods/binding", {}],
    ["bindings", older],
  ])("by %s is let through while the stored skill is signed", async (resource, request) => {
    const { decision } = await bind(stored(asking()), bindingOf(), request);
    expect(decision).toMatchObject({ outcome: "allow", subject: { resource }, verdicts: [{}] });
  });

  it.each([
    ["pods/binding", {}],
    ["bindings", older],
  ])("by %s is refused once a change was stored that nobody signed", async (resource, request) => {
    const answer = await bind(raced(asking()), bindingOf(), request);
    expect(answer.decision).toMatchObject({ outcome: "deny", subject: { resource } });
    const [first, skill] = denial(answer)!.split("\n");
    expect(first).toBe(
      'policy "payments" denied Binding payments/etl: 1 of 1 skill failed: data-designer DIGEST_MISMATCH scripts/run.sh',
    );
    expect(skill).toContain("ConfigMap skills-etl at /skills/data-designer");
    expect(responseOf(answer).auditAnnotations["findings"]).toBe("DIGEST_MISMATCH");
  });

  it("is refused if the pod's ConfigMap is gone", async () => {
    const world = stored(asking());
    world.configMaps.clear();
    expect(denial(await bind(world))).toContain("SOURCE_UNAVAILABLE");
  });

  it("judges the pod that is stored, whatever was admitted", async () => {
    const world = stored(asking());
    const pod = world.carry(changed);
    world.stored.set("etl", { ...pod, metadata: { name: "etl", namespace, uid: "pod-uid" } });
    expect(denial(await bind(world))).toContain("DIGEST_MISMATCH");
  });

  it("is not judged where no policy of the namespace asks for it", async () => {
    const elsewhere = asking({ namespaceSelector: { matchLabels: { tenant: "other" } } }, "elsewhere");
    for (const policies of [[policyObject()], [policyObject({ recheck: "Watch" }), elsewhere]]) {
      const world = raced(...policies);
      expect((await bind(world)).decision).toMatchObject({ outcome: "allow", bypass: "not-rechecked" });
      expect(world.reads).toEqual([]);
    }
    expect((await bind(raced(elsewhere))).decision).toMatchObject({ bypass: "ungoverned" });
  });

  it("is judged by the policies alone that ask for it, with the skill roots of all", async () => {
    const other = policyObject({ skillRoots: ["/lore"] }, "other");
    const { decision } = await bind(raced(asking({ mode: "Audit" }), other));
    expect(decision).toMatchObject({ outcome: "allow", verdicts: [{ policy: "payments" }] });
    const world = raced(asking(), other);
    const mounted = JSON.stringify(world.stored.get("etl")).replace("/skills/data-designer", "/lore/etl");
    world.stored.set("etl", JSON.parse(mounted) as KubernetesObject);
    expect(denial(await bind(world))).toContain("ConfigMap skills-etl at /lore/etl");
  });

  it("passes a pod without skills", async () => {
    const world = stored(asking());
    const containers = [{ name: "c", image: "i" }];
    const metadata = { name: "etl", namespace, uid: "pod-uid" };
    world.stored.set("etl", { apiVersion: "v1", kind: "Pod", metadata, spec: { containers } });
    expect((await bind(world)).decision).toMatchObject({ outcome: "allow", bypass: "no-skills" });
  });

  it("leaves a pod that is gone, or that another one has replaced, to the API server", async () => {
    const world = raced(asking());
    const { decision } = await bind(world, bindingOf({ uid: "earlier" }));
    expect(decision).toMatchObject({ outcome: "allow", bypass: "no-such-pod" });
    world.stored.clear();
    expect((await bind(world)).decision).toMatchObject({ bypass: "no-such-pod" });
  });

  it("is refused without a uid: another pod could take the name meanwhile", async () => {
    const text = denial(await bind(stored(asking()), bindingOf({ uid: undefined })));
    expect(text).toContain("SOURCE_MALFORMED the Binding has no metadata.uid");
    expect(text).toContain("have the scheduler set it");
  });

  it("takes the labels and annotations that the Binding writes into account", async () => {
    const closed = { podSelector: { matchLabels: { runtime: "agent" } } };
    const world = stored(asking({ closed }));
    const pod = world.stored.get("etl")!;
    const spec = pod["spec"] as { readonly volumes: readonly Spec[]; readonly containers: readonly Spec[] };
    const containers = [
      {
        ...spec.containers[0],
        volumeMounts: [
          ...(spec.containers[0]!["volumeMounts"] as readonly Spec[]),
          { name: "scratch", mountPath: "/scratch" },
        ],
      },
    ];
    const volumes = [...spec.volumes, { name: "scratch", emptyDir: {} }];
    world.stored.set("etl", { ...pod, spec: { ...spec, volumes, containers } });
    expect(denial(await bind(world))).toBeUndefined();
    const text = denial(await bind(world, bindingOf({ labels: { runtime: "agent" } })));
    expect(text).toContain("MOUNT_NOT_ALLOWED");
  });

  it("counts a change that this replica let through and that is not stored yet", async () => {
    const world = stored(asking());
    const ref = { kind: "ConfigMap", namespace, name: "skills-etl" } as const;
    const { object } = configMapOf(changed);
    const view = {
      ...world.view,
      expectedChanges: () => [{ ref, object, replaces: undefined }],
    };
    Object.defineProperty(world, "view", { value: view });
    expect(denial(await bind(world))).toContain("that is on its way makes it");
  });

  it("waits for changes of other replicas before it reads, where a policy enforces and the pod reads objects", async () => {
    const settle = (world: World): string[] => {
      const reads: string[] = [];
      Object.defineProperty(world, "view", {
        value: {
          ...world.view,
          settling: () => Promise.resolve(reads.push(`settled ${world.reads.length}`)),
        },
      });
      return reads;
    };
    const enforced = stored(asking());
    const waited = settle(enforced);
    await bind(enforced);
    expect(waited).toEqual(["settled 0"]);
    expect(enforced.reads).toEqual(["skills-etl"]);
    const watched = stored(asking({ mode: "Warn" }));
    const unwaited = settle(watched);
    await bind(watched);
    expect(unwaited).toEqual([]);
    const plain = stored(asking());
    const containers = [{ name: "c", image: "i" }];
    plain.stored.set("etl", { ...plain.stored.get("etl"), spec: { containers } });
    const none = settle(plain);
    await bind(plain);
    expect(none).toEqual([]);
  });
});

describe("the binding of a pod, in modes that never refuse", () => {
  it.each(["Warn", "Audit"] as const)("is let through in %s, and the finding is told", async (mode) => {
    const answer = await bind(raced(asking({ mode })));
    expect(denial(answer)).toBeUndefined();
    expect(JSON.stringify(answer.decision)).toContain("DIGEST_MISMATCH");
    const warnings = responseOf(answer).warnings?.join();
    if (mode === "Warn") expect(warnings).toContain("DIGEST_MISMATCH");
    else expect(warnings).toBeUndefined();
  });

  const faults = {
    "the pod cannot be read": (world: World) => {
      const storedPod = () => Promise.reject(new SourceError("SOURCE_UNAVAILABLE", "no answer"));
      Object.defineProperty(world, "view", { value: { ...world.view, storedPod } });
    },
    "there is no cluster": (world: World) => {
      Object.defineProperty(world, "view", { value: { ...world.view, storedPod: undefined } });
    },
    "the namespace is unknown": (world: World) => world.namespaces.clear(),
    "something throws": (world: World) => {
      const storedPod = () => Promise.reject(new TypeError("x"));
      Object.defineProperty(world, "view", { value: { ...world.view, storedPod } });
    },
  };

  describe.each(Object.entries(faults))("where %s", (_, break_) => {
    it("is refused in Enforce", async () => {
      const world = raced(asking());
      break_(world);
      const answer = await bind(world);
      expect(answer.decision).toMatchObject({ outcome: "error" });
      expect(answer.decision).not.toHaveProperty("letInBy");
      expect(denial(answer)).toContain("could not review Binding payments/etl, so it is denied");
    });

    it.each(["Warn", "Audit"] as const)(
      "is let through in %s, and the audit log says by what",
      async (mode) => {
        const world = raced(asking({ mode }));
        break_(world);
        const answer = await bind(world);
        expect(answer.decision).toMatchObject({ outcome: "error", letInBy: mode });
        const { allowed, warnings, auditAnnotations } = responseOf(answer);
        expect(allowed).toBe(true);
        expect(auditAnnotations).toMatchObject({
          unchecked: `mode ${mode}`,
          decision: expect.stringMatching(/^error /) as string,
        });
        expect(warnings?.length).toBe(mode === "Warn" ? 1 : undefined);
      },
    );
  });

  it("is refused if the policy of another mode that asks for it enforces", async () => {
    const world = raced(asking({ mode: "Audit" }), asking({}, "strict"));
    expect(denial(await bind(world))).toMatch(/^policy "strict" denied/);
    faults["the pod cannot be read"](world);
    expect(denial(await bind(world))).toContain("SOURCE_UNAVAILABLE");
  });

  it("is answered at the deadline, as the mode says", async () => {
    const until = AbortSignal.timeout(50);
    const hanging = (mode: string): World => {
      const world = raced(asking({ mode }));
      const storedPod = () => new Promise<never>(() => undefined);
      Object.defineProperty(world, "view", { value: { ...world.view, storedPod } });
      return world;
    };
    const [enforced, audited] = await Promise.all(
      ["Enforce", "Audit"].map((mode) => bind(hanging(mode), bindingOf(), {}, until)),
    );
    expect(denial(enforced!)).toContain("TIMEOUT");
    expect(denial(audited!)).toBeUndefined();
    expect(audited!.decision).toMatchObject({ code: "TIMEOUT", letInBy: "Audit" });
  });
});

describe("a pod that brings its node with it", () => {
  const placed = (world: World, more: Spec = {}): KubernetesObject => {
    const pod = world.carry(published.skill);
    return { ...pod, spec: { ...(pod["spec"] as object), nodeName: "node-1", ...more } };
  };

  it("is refused where its binding would be reviewed, and says why", async () => {
    const world = new World().withPolicies(asking());
    const text = denial(await world.review(placed(world)));
    expect(text).toContain(
      "NODE_PRESET spec.nodeName is set, so the pod is never bound to a node, and ConfigMap skills-etl",
    );
    expect(text).toContain(
      "fix: take nodeName out of the pod, and choose the node by nodeSelector or affinity",
    );
  });

  it("passes where no policy reviews bindings, in Audit, and without a ConfigMap that could change", async () => {
    const world = new World();
    expect(denial(await world.review(placed(world)))).toBeUndefined();
    world.withPolicies(asking({ mode: "Audit" }));
    expect(denial(await world.review(placed(world)))).toBeUndefined();
    world.withPolicies(asking());
    const [token] = [{ name: "t", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }];
    const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
    const containers = [{ name: "c", image: "i", volumeMounts: [{ name: "t", mountPath }] }];
    const { decision } = await world.review(placed(world, { volumes: [token], containers }));
    expect(decision).toMatchObject({ outcome: "allow", bypass: "no-skills" });
  });

  it("passes with a nodeName that is empty, and once it is stored", async () => {
    const world = new World().withPolicies(asking());
    expect(denial(await world.review(placed(world, { nodeName: "" })))).toBeUndefined();
    const running = placed(world);
    const labelled = { ...running, metadata: { ...(running.metadata as object), labels: { a: "b" } } };
    const image = JSON.parse(
      JSON.stringify(running).replace('"image":"agent"', '"image":"other"'),
    ) as KubernetesObject;
    for (const object of [labelled, image]) {
      const answer = await world.review(object, { operation: "UPDATE", oldObject: running });
      expect(denial(answer)).toBeUndefined();
    }
  });

  it("is announced by the template that has it", async () => {
    const world = new World().withPolicies(asking());
    const { spec } = placed(world) as { readonly spec: object };
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "etl", namespace },
      spec: { template: { metadata: {}, spec } },
    };
    const resource = { group: "apps", version: "v1", resource: "deployments" };
    const answer = await world.review(deployment, { resource });
    expect(answer.decision).toMatchObject({ outcome: "warn" });
    expect(responseOf(answer).warnings?.join()).toContain("NODE_PRESET");
  });
});
