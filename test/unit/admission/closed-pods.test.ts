import { describe, expect, it } from "vitest";
import {
  claim,
  configMap,
  container,
  emptyDir,
  mount,
  podObject,
  projected,
  tokenVolume,
  volume,
  type Part,
} from "../../fixtures/pods.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { configMapOf, denial, namespace, policyObject, published, World } from "./world.ts";

const tokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const skill = configMapOf(published.skill);
const skillVolume = volume("skill", { configMap: { name: "skills-etl", items: skill.items } });
const skillMount = (more: Part = {}, path = "/skills/data-designer") => mount("skill", path, more);
const v = (type: Part): Part => volume("v", type);
const agent = (mounts: readonly Part[], more: Part = {}) => container("agent", mounts, more);

const closing = (more: Part = {}, spec: Part = {}) =>
  policyObject({
    closed: {
      podSelector: { matchLabels: { runtime: "agent" } },
      data: ["/data", "/opt/agent-data"],
      ...more,
    },
    unverifiable: { default: "Allow" },
    ...spec,
  });

const labelled = (object: KubernetesObject, labels: Part = { runtime: "agent" }): KubernetesObject => ({
  ...object,
  metadata: { ...(object.metadata as object), namespace, labels },
});

const world = (...policies: readonly KubernetesObject[]) => {
  const made = new World().withPolicies(...(policies.length === 0 ? [closing()] : policies));
  made.configMaps.set("skills-etl", skill.object);
  made.configMaps.set("app", {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "app", namespace },
    data: { "app.yaml": "a: 1" },
  });
  return made;
};

const review = (parts: Parameters<typeof podObject>[0], policy = closing()) =>
  world(policy).review(labelled(podObject(parts)));

const one = (type: Part, path: string, more: Part = {}, mountMore: Part = {}) =>
  review({ volumes: [v(type)], containers: [agent([mount("v", path, mountMore)], more)] });

describe("a closed pod may mount", () => {
  it.each<[string, Parameters<typeof podObject>[0]]>([
    ["nothing", { containers: [agent([])] }],
    ["a verified skill", { volumes: [skillVolume], containers: [agent([skillMount()])] }],
    [
      "a verified skill away from roots",
      { volumes: [skillVolume], containers: [agent([skillMount({}, "/srv/data-designer")])] },
    ],
    ["its account's token", { volumes: [tokenVolume("t")], containers: [agent([mount("t", tokenPath)])] }],
    [
      "another token and the cluster's bundle",
      {
        volumes: [
          v(
            projected(
              { serviceAccountToken: { path: "t" } },
              { clusterTrustBundle: { name: "b", path: "ca" } },
            ),
          ),
        ],
        containers: [agent([mount("v", "/var/run/secrets/tokens")])],
      },
    ],
    [
      "a certificate of its own",
      {
        volumes: [
          v(
            projected({ podCertificate: { signerName: "s", keyType: "ED25519", credentialBundlePath: "c" } }),
          ),
        ],
        containers: [agent([mount("v", "/certs")])],
      },
    ],
    [
      "its own name and limits",
      {
        volumes: [
          v({
            downwardAPI: {
              items: [
                { path: "n", fieldRef: { fieldPath: "metadata.name" } },
                { path: "c", resourceFieldRef: { resource: "limits.cpu" } },
              ],
            },
          }),
        ],
        containers: [agent([mount("v", "/etc/pod")])],
      },
    ],
    ["a claim as data", { volumes: [v(claim)], containers: [agent([mount("v", "/data")])] }],
    ["an emptyDir below data", { volumes: [v(emptyDir)], containers: [agent([mount("v", "/data/tmp/x")])] }],
    [
      "data at a relative path, which begins at the root",
      { volumes: [v(claim)], containers: [agent([mount("v", "data/x")])] },
    ],
    [
      "data at a path with two slashes",
      { volumes: [v(claim)], containers: [agent([mount("v", "//data//x/")])] },
    ],
    [
      "data by subPath",
      { volumes: [v(claim)], containers: [agent([mount("v", "/data", { subPath: "skills" })])] },
    ],
    [
      "a ConfigMap of settings as data",
      { volumes: [v(configMap("app"))], containers: [agent([mount("v", "/data/etc")])] },
    ],
    [
      "data, with variables of a Secret",
      {
        volumes: [v(claim)],
        containers: [agent([mount("v", "/data")], { envFrom: [{ secretRef: { name: "s" } }] })],
      },
    ],
  ])("%s", async (_name, parts) => {
    expect(denial(await review(parts))).toBeUndefined();
  });
});

it("a closed pod may mount a verified skill file by file", async () => {
  const files = skill.items.map(({ path }) =>
    mount("skill", `/srv/data-designer/${String(path)}`, { subPath: path }),
  );
  const missing = files.slice(1);
  expect(denial(await review({ volumes: [skillVolume], containers: [agent(files)] }))).toBeUndefined();
  const text = denial(await review({ volumes: [skillVolume], containers: [agent(missing)] }));
  expect(text).toBeDefined();
});

describe("a closed pod may not mount", () => {
  const at = (path: string) => `${path} lies in no folder of closed.data`;
  const elsewhere = "mount it where no skill can lie, in a folder of the policy's closed.data";
  /** Remedies for mounts that lie in data, by a part of the reason. */
  const remedies: readonly (readonly [string, string])[] = [
    ["goes through ..", "write /data/x as its mountPath"],
    ["skill root", elsewhere],
    ["may hold skills", elsewhere],
  ];
  const label = { path: "l", fieldRef: { fieldPath: "metadata.labels['x']" } };
  it.each<[string, Part, string, string]>([
    ["an emptyDir", emptyDir, "/tmp", at("/tmp")],
    ["a claim", claim, "/var/lib/app", at("/var/lib/app")],
    ["a claim that the policy lets in at a root", claim, "/skills", at("/skills")],
    ["a ConfigMap of settings", configMap("app"), "/etc/app", at("/etc/app")],
    [
      "an optional ConfigMap that is not there",
      configMap("none", undefined, { optional: true }),
      "/etc/app",
      at("/etc/app"),
    ],
    ["a Secret", { secret: { secretName: "s" } }, "/etc/app", at("/etc/app")],
    ["an image", { image: { reference: "r" } }, "/models", at("/models")],
    ["a host path", { hostPath: { path: "/dev/shm" } }, "/dev/shm", at("/dev/shm")],
    ["a CSI volume", { csi: { driver: "d" } }, "/x", at("/x")],
    ["its labels, which may hold any text", { downwardAPI: { items: [label] } }, "/etc/pod", at("/etc/pod")],
    [
      "its labels in a projected volume",
      projected({ downwardAPI: { items: [label] } }),
      "/etc/pod",
      at("/etc/pod"),
    ],
    [
      "a token beside a Secret",
      projected({ serviceAccountToken: { path: "t" } }, { secret: { name: "s" } }),
      "/run/x",
      at("/run/x"),
    ],
    ["a projected volume of nothing", projected(), "/run/x", at("/run/x")],
    [
      "the cluster's certificate, which a tenant can change, elsewhere",
      configMap("kube-root-ca.crt", [["ca.crt", "ca.crt"]]),
      tokenPath,
      at(tokenPath),
    ],
    [
      "the cluster's certificate at another path",
      projected(configMap("kube-root-ca.crt", [["ca.crt", "ca.crt"]])),
      "/etc/ca",
      at("/etc/ca"),
    ],
    [
      "the cluster's certificate under another name",
      projected(configMap("kube-root-ca.crt", [["ca.crt", "CLAUDE.txt"]])),
      tokenPath,
      at(tokenPath),
    ],
    ["all of that ConfigMap", projected(configMap("kube-root-ca.crt")), tokenPath, at(tokenPath)],
    ["beside data", claim, "/data2", at("/data2")],
    ["above data", claim, "/opt", at("/opt")],
    ["a path that leaves data", claim, "/data/../etc", at("/etc")],
    [
      "a path that comes back into data",
      claim,
      "/skills/../data/x",
      "its path /skills/../data/x goes through ..",
    ],
    ["a skill root in data", claim, "/data/skills", "/data/skills is in a skill root"],
    ["inside a skill root in data", claim, "/data/skills/x/y", "/data/skills/x/y is in a skill root"],
    [
      "an agent's folder in data",
      claim,
      "/data/.claude",
      "/data/.claude may hold skills: it is a part of .claude, a folder of Claude Code",
    ],
  ])("%s", async (_name, type, path, why) => {
    const text = denial(await one(type, path));
    expect(text).toContain("MOUNT_NOT_ALLOWED");
    expect(text).toContain(`is no verified skill, and ${why}`);
    expect(text).toContain(
      why.endsWith("lies in no folder of closed.data")
        ? "fix: take it out, or mount it at or below /data"
        : `fix: ${remedies.find(([of]) => why.includes(of))?.[1]}`,
    );
  });

  it.each<[string, Part, string]>([
    [
      "HOME",
      { env: [{ name: "HOME", value: "/data/me" }] },
      "/data may hold skills: /data/me below it is HOME (set in env)",
    ],
    [
      "the working directory",
      { workingDir: "/data" },
      "/data may hold skills: it is the container's workingDir",
    ],
    [
      "a variable of an agent",
      { env: [{ name: "CRUSH_SKILLS_DIR", value: "/data/lore" }] },
      "/data may hold skills: /data/lore below it is CRUSH_SKILLS_DIR (set in env)",
    ],
  ])("data that %s makes a place of skills", async (_name, more, why) => {
    const text = denial(await one(claim, "/data/x", more));
    expect(text).toContain(`is no verified skill, and ${why}`);
    expect(text).toContain(`fix: ${elsewhere}`);
  });

  it("data through a volume in which a link could lead it elsewhere", async () => {
    const volumes = [volume("a", claim), volume("b", emptyDir)];
    const through = (path: string) =>
      review({ volumes, containers: [agent([mount("a", "/data"), mount("b", path)])] });
    const text = denial(await through("/data/sub"));
    expect(text).toContain('a link in the volume "a" at /data could lead it elsewhere');
    expect(text).toContain("fix: mount it outside of other volumes");
    expect(denial(await through("/opt/agent-data"))).toBeUndefined();
  });

  it("a skill's volume in which another file lies beside the skill", async () => {
    const items = [
      ...skill.items.map(({ key, path }) => ({ key, path: `data-designer/${String(path)}` })),
      { key: "f0", path: "other.txt" },
    ];
    const volumes = [volume("skill", { configMap: { name: "skills-etl", items } })];
    const text = denial(await review({ volumes, containers: [agent([skillMount({}, "/srv")])] }));
    expect(text).toContain("MOUNT_NOT_ALLOWED");
  });

  it("the bytes of a verified skill anywhere else", async () => {
    const [{ key }] = skill.items as unknown as readonly [{ readonly key: string }];
    const volumes = [skillVolume, v(configMap("skills-etl", [[key, "profile.sh"]]))];
    const text = denial(
      await review({ volumes, containers: [agent([skillMount(), mount("v", "/etc/profile.d")])] }),
    );
    expect(text).toContain("/etc/profile.d lies in no folder of closed.data");
  });

  it("a device of a claim", async () => {
    const device = (devicePath: string) =>
      review({
        volumes: [v(claim)],
        containers: [agent([], { volumeDevices: [{ name: "v", devicePath }] })],
      });
    expect(denial(await device("/dev/xvda"))).toContain(
      [
        "denied Pod payments/etl: 1 mount is not allowed: /dev/xvda MOUNT_NOT_ALLOWED",
        '- xvda (PersistentVolumeClaim c at /dev/xvda in "agent")',
        "  MOUNT_NOT_ALLOWED spec.containers[0].volumeDevices[0].devicePath shows a device, which is no verified skill, and /dev/xvda lies in no folder of closed.data",
        "  fix: take it out, or mount it at or below /data",
      ].join("\n"),
    );
    expect(JSON.parse((await device("/dev/xvda")).body)).toMatchObject({
      response: {
        status: {
          details: {
            causes: [
              { reason: "MOUNT_NOT_ALLOWED", field: "spec.containers[0].volumeDevices[0].devicePath" },
            ],
          },
        },
      },
    });
    expect(denial(await device("/data/xvda"))).toBeUndefined();
  });

  it.each(["initContainers", "ephemeralContainers"])("anything else in %s", async (list) => {
    const helper = container("helper", [mount("v", "/out")]);
    const text = denial(
      await review({ volumes: [v(emptyDir)], containers: [agent([])], more: { [list]: [helper] } }),
    );
    expect(text).toContain("MOUNT_NOT_ALLOWED");
  });
});

describe("pods are closed", () => {
  const open = podObject({ volumes: [v(emptyDir)], containers: [agent([mount("v", "/tmp")])] });
  const update = (policy: KubernetesObject, before: Part, after: Part) =>
    world(policy).review(labelled(open, after), { operation: "UPDATE", oldObject: labelled(open, before) });

  it("by their labels, and others are not", async () => {
    expect(denial(await world().review(labelled(open)))).toContain("MOUNT_NOT_ALLOWED");
    expect(denial(await world().review(labelled(open, { runtime: "web" })))).toBeUndefined();
    expect(denial(await world(closing({ podSelector: {} })).review(labelled(open, {})))).toContain(
      "MOUNT_NOT_ALLOWED",
    );
  });

  it("from the moment at which a label says so", async () => {
    expect(denial(await update(closing(), {}, { runtime: "agent" }))).toContain("MOUNT_NOT_ALLOWED");
    for (const [before, after] of [
      [{ runtime: "agent" }, { runtime: "agent", team: "a" }],
      [{ runtime: "agent" }, {}],
      [{}, { team: "a" }],
    ] as const) {
      expect((await update(closing(), before, after)).decision).toMatchObject({ bypass: "unchanged" });
    }
  });

  it("by each policy with its own folders", async () => {
    const pod = podObject({ volumes: [v(claim)], containers: [agent([mount("v", "/data")])] });
    const strict = policyObject(
      { closed: { podSelector: {} }, unverifiable: { default: "Allow" } },
      "strict",
    );
    const text = denial(await world(closing(), strict).review(labelled(pod)));
    expect(text).toContain('policy "strict" denied');
    expect(text).not.toContain('policy "payments" denied');
  });

  it("with a warning in mode Warn, and without a word in mode Audit", async () => {
    const answer = async (mode: string) => {
      const { body, decision } = await world(closing({}, { mode })).review(labelled(open));
      const { response } = JSON.parse(body) as {
        readonly response: { readonly warnings?: readonly string[] };
      };
      return [decision?.outcome, response.warnings?.join("\n") ?? ""] as const;
    };
    expect(await answer("Warn")).toEqual(["warn", expect.stringContaining("MOUNT_NOT_ALLOWED") as string]);
    expect(await answer("Audit")).toEqual(["allow", ""]);
  });

  it("in an ephemeral container that comes later too", async () => {
    const running = podObject({ volumes: [v(claim)], containers: [agent([mount("v", "/data")])] });
    const add = (path: string) =>
      world().review(
        labelled({
          ...running,
          spec: {
            ...(running["spec"] as object),
            ephemeralContainers: [container("debug", [mount("v", path)])],
          },
        }),
        { operation: "UPDATE", subResource: "ephemeralcontainers", oldObject: labelled(running) },
      );
    expect(denial(await add("/mnt/v"))).toContain("/mnt/v lies in no folder of closed.data");
    expect(denial(await add("/data"))).toBeUndefined();
  });
});

describe("a change of a ConfigMap", () => {
  it("is refused where it leaves a closed pod a folder that is no skill any more", async () => {
    const plain = { volumes: [skillVolume], containers: [agent([skillMount({}, "/srv/data-designer")])] };
    const items = skill.items as unknown as readonly { readonly key: string; readonly path: string }[];
    const { key } = items.find(({ path }) => path === "SKILL.md")!;
    const data = skill.object["binaryData"] as Readonly<Record<string, string>>;
    const binaryData = Object.fromEntries(Object.entries(data).filter(([name]) => name !== key));
    const change = async (...labels: readonly Part[]) => {
      const made = world();
      made.running = labels.map((own) => labelled(podObject(plain), own));
      return denial(
        await made.review({ ...skill.object, binaryData }, { operation: "UPDATE", oldObject: skill.object }),
      );
    };
    expect(await change({ runtime: "agent" })).toContain("MOUNT_NOT_ALLOWED");
    // A pod of the same files that is not closed speaks for itself only.
    expect(await change({}, { runtime: "agent" })).toContain("MOUNT_NOT_ALLOWED");
    expect(await change({})).not.toContain("MOUNT_NOT_ALLOWED");
  });
});

describe("immutability.readOnlyRootFilesystem", () => {
  const demands = (more: Part = {}) =>
    policyObject({ immutability: { readOnlyRootFilesystem: "Required" }, ...more });
  const readOnly = { securityContext: { readOnlyRootFilesystem: true } };
  const withSkill = (own: Part, helper: Part) => ({
    volumes: [skillVolume],
    containers: [agent([skillMount()], own), container("helper", [], helper)],
  });

  it("holds for every container of a pod that sees a skill", async () => {
    expect(denial(await review(withSkill(readOnly, readOnly), demands()))).toBeUndefined();
    const text = denial(await review(withSkill(readOnly, {}), demands()));
    expect(text).toContain('WRITABLE_MOUNT securityContext.readOnlyRootFilesystem is not true in "helper"');
    expect(text).toContain("fix: set securityContext.readOnlyRootFilesystem: true in every container");
    expect(denial(await review(withSkill({}, {}), demands()))).toContain(
      'is not true in "agent" and "helper"',
    );
    expect(denial(await review(withSkill({}, {}), policyObject()))).toBeUndefined();
  });

  it("holds for a closed pod without a skill, and for no other", async () => {
    const parts = { containers: [agent([])] };
    expect(denial(await review(parts, demands()))).toBeUndefined();
    const closed = demands({ closed: { podSelector: { matchLabels: { runtime: "agent" } } } });
    expect(denial(await review(parts, closed))).toContain("WRITABLE_MOUNT");
    expect(denial(await review({ containers: [agent([], readOnly)] }, closed))).toBeUndefined();
  });

  it("is no matter of a place that could hold a skill only", async () => {
    const parts = { volumes: [v(claim)], containers: [agent([mount("v", "/home/agent")])] };
    expect(denial(await review(parts, demands({ unverifiable: { default: "Allow" } })))).toBeUndefined();
  });

  it("holds for an ephemeral container that comes later, and leaves what was admitted", async () => {
    const running = podObject(withSkill({}, {}));
    const add = (more: Part) =>
      world(demands()).review(
        labelled({
          ...running,
          spec: { ...(running["spec"] as object), ephemeralContainers: [container("debug", [], more)] },
        }),
        { operation: "UPDATE", subResource: "ephemeralcontainers", oldObject: labelled(running) },
      );
    expect(denial(await add({}))).toContain('and "debug"');
    expect(denial(await add(readOnly))).toBeUndefined();
  });
});

describe("immutability.processNamespace", () => {
  const demands = (more: Part = {}) =>
    policyObject({ immutability: { processNamespace: "Private" }, ...more });
  const skills = { volumes: [skillVolume], containers: [agent([skillMount()])] };

  it.each(["shareProcessNamespace", "hostPID"])("refuses %s in a pod that sees a skill", async (field) => {
    const text = denial(await review({ ...skills, more: { [field]: true } }, demands()));
    expect(text).toContain(`PROCESSES_SHARED spec.${field} is true`);
    expect(text).toContain(`fix: take spec.${field} out of the pod`);
    expect(denial(await review({ ...skills, more: { [field]: true } }, policyObject()))).toBeUndefined();
    expect(denial(await review({ ...skills, more: { [field]: false } }, demands()))).toBeUndefined();
  });

  it("holds for a closed pod without a skill, and for no other", async () => {
    const parts = { containers: [agent([])], more: { hostPID: true } };
    expect(denial(await review(parts, demands()))).toBeUndefined();
    const closed = demands({ closed: { podSelector: {} } });
    expect(denial(await review(parts, closed))).toContain("PROCESSES_SHARED");
    expect(denial(await review({ containers: [agent([])] }, closed))).toBeUndefined();
  });
});
