import { describe, expect, it } from "vitest";
import type { HandleDeps, ReviewAnswer } from "../../../src/admission/handle.ts";
import { SourceError } from "../../../src/skill/source-error.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { changed, configMapOf, denial, namespace, podFor, policyObject, published, World } from "./world.ts";

const hanging = () => new Promise<never>(() => undefined);

/** A view of the cluster whose answers are replaced in part. */
const withView = (world: World, view: Partial<World["view"]>): void => {
  Object.defineProperty(world, "view", { value: { ...world.view, ...view } });
};

const soon = (): AbortSignal => AbortSignal.timeout(30);
const deployment = (template: KubernetesObject): KubernetesObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "etl", namespace },
  spec: { template },
});
const wide = (name: string, value: string): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace },
  data: Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`k${at}`, value])),
});

/** A pod whose ConfigMap mounts as many keys as no review reads. */
function overLimit(world: World): KubernetesObject {
  const pod = podFor([]);
  const volumes = [{ name: "skill", configMap: { name: "skills-etl" } }];
  const running = { ...pod, spec: { ...(pod["spec"] as object), volumes } };
  world.running = [running];
  return wide("skills-etl", "b");
}

/** The pod with a part of its skill from another ConfigMap. */
function beside(pod: KubernetesObject): KubernetesObject {
  const sources = [{ configMap: { name: "skills-etl" } }, { configMap: { name: "more" } }];
  const volumes = [{ name: "skill", projected: { sources } }];
  return { ...pod, spec: { ...(pod["spec"] as object), volumes } };
}

type Fault = (world: World) => Promise<ReviewAnswer>;

/** Reviews that fail for a reason of their own, each with its code. */
const faults: Readonly<Record<string, readonly [string, Fault]>> = {
  "a pod whose ConfigMaps are not read in time": [
    "TIMEOUT",
    (world) => {
      const pod = world.carry(published.skill);
      world.readInstead = hanging;
      return world.review(pod, {}, soon());
    },
  ],
  "a pod in a namespace that cannot be looked up": [
    "SOURCE_UNAVAILABLE",
    (world) => {
      world.namespaces.clear();
      return world.review(world.carry(published.skill));
    },
  ],
  "a pod in a namespace that is not looked up in time": [
    "TIMEOUT",
    (world) => {
      withView(world, { namespaceLabels: hanging });
      return world.review(world.carry(published.skill), {}, soon());
    },
  ],
  "a pod whose review runs into a fault of the program": [
    "INTERNAL",
    (world) => {
      const pod = world.carry(published.skill);
      world.readInstead = () => Promise.reject(new TypeError("x"));
      return world.review(pod);
    },
  ],
  "a pod of too many values": [
    "LIMIT_EXCEEDED",
    (world) => {
      const pod = world.carry(published.skill);
      const env = Array.from({ length: 30_000 }, (_, at) => ({ name: `V${at}`, value: "" }));
      return world.review({ ...pod, spec: { ...(pod["spec"] as object), containers: [{ name: "a", env }] } });
    },
  ],
  "a pod that no API server would store": [
    "SOURCE_MALFORMED",
    (world) => world.review({ ...world.carry(published.skill), spec: { containers: "none" } }),
  ],
  "the last finalizer of a large ConfigMap that has more than are read": [
    "SOURCE_MALFORMED",
    (world) => {
      const large = wide("skills-etl", "a");
      const finalizers = Array.from({ length: 101 }, (_, at) => `example.com/f${at}`);
      const metadata = { ...(large.metadata as object), finalizers };
      return world.review(large, { operation: "UPDATE", oldObject: { ...large, metadata } });
    },
  ],
  "a ConfigMap under pods that mount more keys than are read": [
    "LIMIT_EXCEEDED",
    (world) => {
      const object = overLimit(world);
      return world.review(object, { operation: "UPDATE", oldObject: wide("skills-etl", "a") });
    },
  ],
  "a ConfigMap whose pods are not judged in time": [
    "TIMEOUT",
    (world) => {
      world.running = [world.carry(published.skill)];
      const [object, oldObject] = [changed, published.skill].map((skill) => configMapOf(skill).object);
      withView(world, { expectChange: hanging });
      return world.review(object!, { operation: "UPDATE", oldObject }, soon());
    },
  ],
  "the deletion of an immutable ConfigMap whose pods are not judged in time": [
    "TIMEOUT",
    (world) => {
      const { object, items } = configMapOf(published.skill);
      world.running = [beside(podFor(items))];
      world.readInstead = hanging;
      const old = { ...object, immutable: true };
      const about = { operation: "DELETE", name: "skills-etl", oldObject: old };
      const resource = { group: "", version: "v1", resource: "configmaps" };
      return world.review(null, { ...about, kind: { kind: "ConfigMap" }, resource }, soon());
    },
  ],
};

const responseOf = ({ body }: ReviewAnswer) =>
  (
    JSON.parse(body) as {
      readonly response: {
        readonly allowed: boolean;
        readonly warnings?: readonly string[];
        readonly auditAnnotations: Readonly<Record<string, string>>;
      };
    }
  ).response;

describe.each(Object.entries(faults))("%s", (_, [code, review]) => {
  it("is refused where a policy enforces", async () => {
    const answer = await review(new World());
    expect(answer.decision).toMatchObject({ outcome: "error", code });
    expect(answer.decision).not.toHaveProperty("letInBy");
    expect(denial(answer)).toContain(`so it is denied: ${code}`);
  });

  it("is refused where one of several policies enforces", async () => {
    const world = new World().withPolicies(policyObject({ mode: "Audit" }, "audit"), policyObject());
    expect(denial(await review(world))).toContain(code);
  });

  it.each(["Warn", "Audit"] as const)(
    "is let in by %s, and the audit log and the log say so",
    async (mode) => {
      const answer = await review(new World().withPolicies(policyObject({ mode })));
      expect(denial(answer)).toBeUndefined();
      expect(answer.decision).toMatchObject({ outcome: "error", code, letInBy: mode });
      const { warnings, auditAnnotations } = responseOf(answer);
      expect(auditAnnotations["unchecked"]).toBe(`mode ${mode}`);
      expect(warnings?.length).toBe(mode === "Warn" ? 1 : undefined);
      if (mode === "Warn") expect(warnings![0]).toContain(code);
    },
  );
});

/** A StatefulSet of more claims than are read, each of which is a volume of its pods. */
function ofManyClaims(world: World): KubernetesObject {
  const { metadata, spec } = deployment(world.carry(published.skill)) as { metadata: object; spec: object };
  const volumeClaimTemplates = Array.from({ length: 501 }, (_, at) => ({ metadata: { name: `c${at}` } }));
  return { apiVersion: "apps/v1", kind: "StatefulSet", metadata, spec: { ...spec, volumeClaimTemplates } };
}

describe.each(
  Object.entries(faults).filter(([, [code]]) => code === "LIMIT_EXCEEDED" || code === "SOURCE_MALFORMED"),
)("%s", (_, [, review]) => {
  it("goes through where no policy governs", async () => {
    const elsewhere = policyObject({ namespaceSelector: { matchLabels: { tenant: "other" } } }, "other");
    const answer = await review(new World().withPolicies(elsewhere));
    expect(denial(answer)).toBeUndefined();
    expect(answer.decision).toMatchObject({ outcome: "allow", bypass: "ungoverned" });
  });
});

describe("a failed review", () => {
  const unread = (world: World, object: KubernetesObject): Promise<ReviewAnswer> => {
    world.readInstead = hanging;
    return world.review(object, {}, soon());
  };

  it("of what makes pods refuses only where the policy refuses these", async () => {
    for (const [controllers, refused] of [
      ["Warn", false],
      ["Enforce", true],
    ] as const) {
      const world = new World().withPolicies(policyObject({ controllers }));
      const answer = await unread(world, deployment(world.carry(published.skill)));
      expect(answer.decision).toMatchObject({ outcome: "error", code: "TIMEOUT" });
      expect(denial(answer) !== undefined, controllers).toBe(refused);
      expect(responseOf(answer).warnings?.length).toBe(refused ? undefined : 1);
    }
  });

  it("of what makes pods and cannot be read is the same, and none where no policy governs", async () => {
    const ask = (policy: KubernetesObject): Promise<ReviewAnswer> => {
      const world = new World().withPolicies(policy);
      return world.review(ofManyClaims(world));
    };
    const elsewhere = policyObject({ namespaceSelector: { matchLabels: { tenant: "other" } } }, "other");
    expect((await ask(elsewhere)).decision).toMatchObject({ outcome: "allow", bypass: "ungoverned" });
    for (const lenient of [{ mode: "Audit" }, { mode: "Warn" }, { controllers: "Warn" }]) {
      const answer = await ask(policyObject(lenient));
      expect(answer.decision).toMatchObject({ outcome: "error", code: "LIMIT_EXCEEDED" });
      expect(denial(answer)).toBeUndefined();
    }
    expect(denial(await ask(policyObject({ controllers: "Enforce" })))).toContain("501 entries");
  });

  it("is refused in a namespace that is not known if any policy of the cluster enforces, of which it might be", async () => {
    const elsewhere = policyObject({ namespaceSelector: { matchLabels: { tenant: "other" } } }, "other");
    const world = new World().withPolicies(policyObject({ mode: "Audit" }), elsewhere);
    world.namespaces.clear();
    expect(denial(await world.review(world.carry(published.skill)))).toContain("SOURCE_UNAVAILABLE");
    world.namespaces.set(namespace, { tenant: "payments" });
    expect(denial(await unread(world, world.carry(published.skill)))).toBeUndefined();
  });

  it("refuses nothing where a policy denies, for that is no failure", async () => {
    const world = new World().withPolicies(policyObject({ mode: "Audit" }, "audit"), policyObject());
    expect(denial(await world.review(world.carry(changed)))).toMatch(/^policy "payments" denied/);
  });
});

describe("a body that is no review", () => {
  const bad = (world: World) => world.review(world.carry(published.skill), { operation: "NONE" });

  it("is refused where a policy enforces, anywhere: its namespace is not known", async () => {
    expect(denial(await bad(new World()))).toContain("bad review");
  });

  it.each(["Warn", "Audit"] as const)("is let in where the strictest policy is in mode %s", async (mode) => {
    const answer = await bad(new World().withPolicies(policyObject({ mode })));
    expect(denial(answer)).toBeUndefined();
    expect(responseOf(answer).auditAnnotations).toEqual({ unchecked: `mode ${mode}` });
    const warned = responseOf(answer).warnings?.map((line) => line.startsWith("bad review: "));
    expect(warned).toEqual(mode === "Warn" ? [true] : undefined);
  });
});

describe("a pod whose ConfigMap could not be read", () => {
  const unreadable = (world: World): void => {
    world.readInstead = () =>
      Promise.reject(new SourceError("SOURCE_UNAVAILABLE", "the API server does not answer; try again"));
  };

  it("is refused as a failed review, which no policy denied, and says so", async () => {
    const world = new World();
    const pod = world.carry(published.skill);
    unreadable(world);
    const answer = await world.review(pod);
    expect(answer.decision).toMatchObject({ outcome: "error", code: "SOURCE_UNAVAILABLE" });
    expect(denial(answer)).toMatch(
      /^skill-admission could not review Pod payments\/etl, so it is denied: SOURCE_UNAVAILABLE the API server does not answer; try again\n/,
    );
  });

  it("is denied by the policy for another skill of it that fails", async () => {
    const world = new World();
    const pod = world.carry(changed);
    const volumes = [
      ...(pod["spec"] as Readonly<Record<"volumes", readonly object[]>>).volumes,
      { name: "more", configMap: { name: "more" } },
    ];
    const mounts = [
      { name: "skill", mountPath: "/skills/data-designer" },
      { name: "more", mountPath: "/skills/more" },
    ];
    const { deps } = world;
    const source: HandleDeps["source"] = {
      read: (ref, signal) =>
        ref.name === "more"
          ? Promise.reject(new SourceError("SOURCE_UNAVAILABLE", "no answer"))
          : deps.source.read(ref, signal),
    };
    Object.defineProperty(world, "deps", { value: { ...deps, source } });
    const answer = await world.review({
      ...pod,
      spec: { volumes, containers: [{ name: "agent", volumeMounts: mounts }] },
    });
    expect(denial(answer)).toMatch(/^policy "payments" denied/);
    expect(denial(answer)).toContain("no answer");
  });

  it("is denied by the policy where it does not exist, or lacks a key", async () => {
    const world = new World();
    const pod = world.carry(published.skill);
    const { object } = configMapOf(published.skill);
    world.configMaps.set("skills-etl", { ...object, binaryData: {} });
    expect((await world.review(pod)).decision).toMatchObject({ outcome: "deny" });
    world.configMaps.clear();
    expect((await world.review(pod)).decision).toMatchObject({ outcome: "deny" });
  });
});
