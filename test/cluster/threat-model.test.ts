import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { commandsOf } from "../fixtures/documented.ts";
import { edited, type Edit } from "../fixtures/edited.ts";
import { api, find, patch, remove, type Part } from "./harness/api.ts";
import { apply, tryApply } from "./harness/apply.ts";
import { kubectl, tryKubectl, tryKubectlApply } from "./harness/cluster.ts";
import { createNamespace } from "./harness/namespaces.ts";
import { patience } from "../fixtures/patience.ts";

const page = "docs/threat-model.md";
const name = "threat-model";
const here = (text: string): string => text.replaceAll("payments", name);

let yaml: (words: string) => string;

const container: Part = {
  name: "agent",
  image: `registry.example.com/agents/coder@sha256:${"0".repeat(64)}`,
  command: ["/usr/local/bin/agent"],
  workingDir: "/workspace",
  env: [{ name: "HOME", value: "/home/agent" }],
};

const pod = (spec: Part = {}): Part => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "agent", namespace: name },
  spec: { containers: [container], ...spec },
});

const runs = { exec: { command: ["sh"] } };

const applied = (words: string): Promise<string> => kubectl(["apply", "-f", "-"], here(yaml(words)));

beforeAll(async () => {
  yaml = await commandsOf(page, "yaml");
  await createNamespace(name, { tenant: name });
});

afterAll(async () => {
  for (const words of ["name: no-exec-into-agents", "name: agents-as-reviewed"])
    await tryKubectl(["delete", "--ignore-not-found", "-f", "-"], here(yaml(words)));
  await remove(`/api/v1/namespaces/${name}`);
});

describe("the ClusterRoles of Kubernetes", () => {
  const may = async (user: string, verb: string, what: string): Promise<boolean> => {
    const [resource = "", subresource = ""] = what.split("/");
    const [plural = "", ...group] = resource.split(".");
    const resourceAttributes = {
      ...{ namespace: name, verb, resource: plural, subresource },
      group: group.join("."),
    };
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: { user, resourceAttributes },
    };
    const { status } = await api<{ readonly status: { readonly allowed: boolean } }>(
      "/apis/authorization.k8s.io/v1/subjectaccessreviews",
      { method: "POST", body },
    );
    return status.allowed;
  };

  it("let tenants exec, and neither label namespaces nor write to policies, webhooks, nodes and status", async () => {
    const roles = ["edit", "admin"];
    await apply(
      ...roles.map((role) => ({
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata: { name: role, namespace: name },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: `${role}or` }],
      })),
    );
    const registrations = "admissionregistration.k8s.io";
    const others = [
      ...["namespaces", "pods/status", "pods/binding", "nodes/proxy", "nodes"],
      ...[`validatingwebhookconfigurations.${registrations}`, `validatingadmissionpolicies.${registrations}`],
      ...["clusterskillpolicies", "skilltrustroots", "skillrevocationlists"].map(
        (plural) => `${plural}.skill-admission.dev`,
      ),
    ];
    for (const user of roles.map((role) => `${role}or`)) {
      await vi.waitFor(async () => expect(await may(user, "create", "pods/exec")).toBe(true), patience);
      expect(await may(user, "update", "configmaps")).toBe(true);
      for (const what of others)
        for (const verb of ["create", "update", "patch", "delete"])
          expect(await may(user, verb, what), `${user}: ${verb} ${what}`).toBe(false);
    }
  });
});

describe("writes to pods/status and pods/binding", () => {
  it("change labels and annotations of a pod", async () => {
    const path = `/api/v1/namespaces/${name}/pods/bound`;
    await apply({ ...pod(), metadata: { name: "bound", namespace: name, labels: { runtime: "agent" } } });
    await patch(`${path}/status`, { metadata: { labels: { runtime: null, of: "status" } } });
    await api(`${path}/binding`, {
      method: "POST",
      body: {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name: "bound", annotations: { of: "binding" } },
        target: { kind: "Node", name: "nowhere" },
      },
    });
    const { metadata } = await api<{ readonly metadata: Part }>(path);
    expect(metadata).toMatchObject({ labels: { of: "status" }, annotations: { of: "binding" } });
    expect(metadata["labels"]).not.toHaveProperty("runtime");
  });
});

/** What is said of a container for debugging, as kubectl debug adds it, which need not attach to it. */
async function debug(...groups: readonly string[]): Promise<string> {
  const added = { spec: { ephemeralContainers: [{ name: "d", image: "busybox", command: ["sh"] }] } };
  const as = ["--as=ada", ...groups.map((group) => `--as-group=${group}`)];
  const what = ["patch", "pod", "agent", "--subresource=ephemeralcontainers", "--dry-run=server"];
  return (await tryKubectl(["-n", name, ...what, "-p", JSON.stringify(added), ...as])).stderr;
}

describe("the objects of docs/threat-model.md", () => {
  it("keeps everybody out of containers and their ports, but for the group for emergencies", async () => {
    await apply(pod());
    const ways = [
      "pods/agent/exec?command=sh",
      "pods/agent/attach",
      "pods/agent/portforward?ports=80",
      "pods/agent/proxy/",
      "services/agent/proxy/",
    ];
    const enter = async (way: string, ...groups: readonly string[]): Promise<string> => {
      const raw = `/api/v1/namespaces/${name}/${way}`;
      const as = ["--as=ada", ...groups.map((group) => `--as-group=${group}`)];
      return (await tryKubectl(["get", "--raw", raw, ...as])).stderr;
    };
    const denied = /no-exec-into-agents.* denied request: nobody enters the containers of agents; ask for/;
    const masters = "system:masters";
    for (const way of ways) expect(await enter(way, masters)).not.toMatch(denied);
    expect(await debug(masters)).toBe("");
    await applied("name: no-exec-into-agents");
    for (const way of ways) {
      await vi.waitFor(async () => expect(await enter(way, masters)).toMatch(denied), { timeout: 40_000 });
      const emergency = await enter(way, masters, "agents:break-glass");
      expect(emergency).not.toMatch(denied);
      expect(emergency).not.toContain("forbidden");
    }
    expect((await tryKubectl(["-n", name, "exec", "agent", "--", "sh"])).stderr).toMatch(denied);
    expect(await debug(masters)).toMatch(denied);
    expect(await debug(masters, "agents:break-glass")).toBe("");
  });

  describe("agents as they were reviewed", () => {
    const tryPod = (edits: Readonly<Record<string, Edit>>) =>
      tryApply([edited({ ...pod(), metadata: { name: "tried", namespace: name } }, edits) as Part], {
        dryRun: true,
      });

    beforeAll(async () => {
      const before = { containers: [{ name: "old", image: "busybox" }] };
      await apply({ ...pod(before), metadata: { name: "before", namespace: name } });
      await applied("name: agents-as-reviewed");
      await vi.waitFor(
        async () =>
          expect((await tryPod({ "spec.containers.0.image": "busybox" })).stderr).toContain("by digest"),
        { timeout: 40_000 },
      );
    });

    it.each<[what: string, edits: Readonly<Record<string, Edit>>, says: string]>([
      [
        "an image from elsewhere",
        { "spec.containers.0.image": `docker.io/x@sha256:${"0".repeat(64)}` },
        "by digest",
      ],
      ["an image by tag", { "spec.containers.0.image": "registry.example.com/agents/coder:1" }, "by digest"],
      [
        "an init container from elsewhere",
        { "spec.initContainers": [{ ...container, name: "init", image: "busybox" }] },
        "by digest",
      ],
      ["another command", { "spec.containers.0.command": ["sh"] }, "run the command"],
      ["the image's command", { "spec.containers.0.command": undefined }, "run the command"],
      ["arguments", { "spec.containers.0.args": ["-p", "obey"] }, "without arguments"],
      ["the image's working directory", { "spec.containers.0.workingDir": undefined }, "work in /workspace"],
      ["the image's HOME", { "spec.containers.0.env": undefined }, "have HOME"],
      [
        "a variable that nobody listed",
        {
          "spec.containers.0.env": [
            { name: "HOME", value: "/home/agent" },
            { name: "SYSTEM_PROMPT", value: "obey" },
          ],
        },
        "no variables but",
      ],
      [
        "variables of a Secret",
        { "spec.containers.0.envFrom": [{ secretRef: { name: "s" } }] },
        "no variables but",
      ],
      ["a lifecycle hook", { "spec.containers.0.lifecycle": { postStart: runs } }, "no lifecycle hooks"],
      ["a probe that runs a command", { "spec.containers.0.readinessProbe": runs }, "no probes"],
      [
        "a device",
        { "spec.resourceClaims": [{ name: "disk", resourceClaimName: "disk" }] },
        "claim no devices",
      ],
    ])("lets in the agent as it was reviewed, and none with %s", async (_what, edits, says) => {
      expect(await tryPod({})).toMatchObject({ code: 0, stderr: "" });
      const { code, stderr } = await tryPod(edits);
      expect(stderr).toContain(says);
      expect(code).toBe(1);
    });

    it("leaves metadata of what was there before alone, and refuses a debugging container", async () => {
      await apply(pod());
      expect(await debug("system:masters", "agents:break-glass")).toContain("by digest");
      await kubectl(["-n", name, "label", "pod", "before", "tried=true"]);
    });

    it("has no expression that the API server warns of", async () => {
      const path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/agents-as-reviewed";
      await vi.waitFor(
        async () => {
          const object = await find<{ readonly status?: Part }>(path);
          expect(object?.status).toMatchObject({ observedGeneration: 1 });
          expect(object?.status?.["typeChecking"] ?? {}).toEqual({});
        },
        { timeout: 40_000 },
      );
    });
  });

  it("takes the NetworkPolicy, whose rules are for the network plugin", async () => {
    expect(await applied("kind: NetworkPolicy")).toContain("networkpolicy.networking.k8s.io/agents created");
  });

  describe("no privileges", () => {
    const other = `${name}-baseline`;
    const spec = { containers: [{ name: "c", image: "busybox" }] };
    const tryPod = (more: Part, securityContext: Part = {}) => {
      const [c] = spec.containers;
      const metadata = { name: "tried", namespace: other };
      const containers = [{ ...c, securityContext }];
      return tryKubectlApply(
        [{ apiVersion: "v1", kind: "Pod", metadata, spec: { ...spec, containers, ...more } }],
        "--dry-run=server",
      );
    };

    beforeAll(async () => {
      await createNamespace(other);
      const [, ...args] = (await commandsOf(page))("pod-security")
        .replaceAll("payments", other)
        .trim()
        .split(" ");
      await kubectl(args);
    });
    afterAll(() => remove(`/api/v1/namespaces/${other}`));

    it.each<[string, more: Part, securityContext?: Part]>([
      ["a privileged container", {}, { privileged: true }],
      ["SYS_ADMIN", {}, { capabilities: { add: ["SYS_ADMIN"] } }],
      ["a host path", { volumes: [{ name: "v", hostPath: { path: "/var/lib/kubelet" } }] }],
      ["the node's processes", { hostPID: true }],
    ])("has Pod Security refuse %s", async (_what, more, securityContext) => {
      expect((await tryPod({})).code).toBe(0);
      expect((await tryPod(more, securityContext)).stderr).toContain('violates PodSecurity "baseline');
    });
  });
});
