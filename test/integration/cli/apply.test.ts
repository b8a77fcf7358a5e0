import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";

import type { ClusterAddress } from "../../../src/evaluation/live-reader.ts";
import { readerOf } from "../../../src/cluster/live/open-reader.ts";
import { SourceError } from "../../../src/skill/source-error.ts";
import { documents, run } from "./line.ts";
import { listingApi } from "../../fixtures/listing-api.ts";
import { clusterSkillPolicy, skillRevocationList } from "../../fixtures/resources.ts";

let home: string;
let skill: string;
let policy: string;
/** ConfigMap and pod as `package` wrote them. */
let packed: string;

function put(path: string, content: string): string {
  mkdirSync(join(home, path, ".."), { recursive: true });
  writeFileSync(join(home, path), content);
  return join(home, path);
}

const policyObject = (name: string, pem: string, over: object = {}) =>
  clusterSkillPolicy(name, { publishers: [{ name: "mine", publicKey: { pem } }], ...over });

let pem: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "apply-"));
  skill = join(home, "demo");
  put("demo/SKILL.md", "---\nname: demo\ndescription: A skill.\n---\n# Demo\n");
  put("demo/scripts/run.sh", "#!/bin/sh\necho demo\n");
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = put("mine.key", privateKey.export({ type: "pkcs8", format: "pem" }) as string);
  pem = publicKey.export({ type: "spki", format: "pem" }) as string;
  expect((await run(["sign", skill, "--key", key])).code).toBe(0);
  policy = put("policy.json", JSON.stringify(policyObject("payments", pem)));
  packed = (await run(["package", skill, "--namespace", "payments", "--with-pod", "busybox"])).out;
});

afterAll(() => {
  rmSync(home, { recursive: true });
});

const apply = (args: readonly string[], stdin = packed, over: Parameters<typeof run>[1] = {}) =>
  run(["apply", "--policy", policy, "--resource", "-", ...args], { stdin, ...over });

const sha256 = (path: string) =>
  createHash("sha256")
    .update(readFileSync(join(skill, path)))
    .digest("hex");

describe("apply", () => {
  it("admits what package wrote, and lists every file as the agent would see it", async () => {
    const { code, out, err } = await apply(["-o", "json"]);
    expect([code, err]).toEqual([0, ""]);
    expect(documents(out)).toMatchObject([
      {
        object: { kind: "Pod", namespace: "payments", name: "demo" },
        outcome: "allow",
        skills: [
          {
            skill: "demo",
            path: "/skills/demo",
            containers: ["agent"],
            signature: { outcome: "signed" },
            files: ["SKILL.md", "scripts/run.sh", "skill.oms.sig"].map((path) => ({
              path,
              sha256: sha256(path),
            })),
          },
        ],
        verdicts: [{ policy: "payments", outcome: "allow" }],
      },
    ]);
    expect((await apply([])).out).toContain("Pod payments/demo  pass");
  });

  it("denies it when one byte differs, naming policy, skill and file, in every format", async () => {
    const changed = packed.replace("echo demo", "echo evil");
    for (const format of ["table", "json", "yaml", "sarif", "junit"]) {
      const { code, out } = await apply(["-o", format], changed);
      expect(code).toBe(1);
      for (const word of ["payments", "demo", "DIGEST_MISMATCH", "scripts/run.sh"])
        expect(out).toContain(word);
    }
  });

  it("denies a pod that brings its node, where the policy reviews bindings, as the webhook would", async () => {
    const reviewing = put(
      "binding.json",
      JSON.stringify(policyObject("payments", pem, { recheck: "Binding" })),
    );
    const judge = (stdin: string) =>
      run(["apply", "--policy", reviewing, "--resource", "-", "-o", "json"], { stdin });
    expect(await judge(packed)).toMatchObject({ code: 0, err: "" });
    const { code, out } = await judge(packed.replace("\nspec:\n", "\nspec:\n  nodeName: node-1\n"));
    expect(code).toBe(1);
    expect(out).toContain("NODE_PRESET");
  });

  it("denies a pod whose ConfigMap is in none of the files", async () => {
    const podOnly = packed.slice(packed.indexOf("\n---\n") + 5);
    const { code, out } = await apply(["-o", "json"], podOnly);
    expect(code).toBe(1);
    expect(documents(out)[0]).toMatchObject({
      verdicts: [{ skills: [{ findings: [{ code: "SOURCE_UNAVAILABLE" }] }] }],
    });
  });

  it("takes from the cluster what the files lack, and the files before the cluster", async () => {
    const [configMap] = parseAllDocuments(packed).map(
      (one) => one.toJS() as { metadata: { name: string }; data: Record<string, string> },
    );
    const podOnly = packed.slice(packed.indexOf("\n---\n") + 5);
    const asked: string[] = [];
    let closed = 0;
    const openCluster = ({ kubeconfig, context }: ClusterAddress) => {
      expect([kubeconfig, context]).toEqual(["kube.conf", "staging"]);
      const client = listingApi({
        collections: {
          "/api/v1/namespaces/payments/configmaps": [configMap!],
          "/api/v1/namespaces": [{ metadata: { name: "payments" } }],
        },
        before: ({ path }) => void asked.push(path.split("/").at(-1)!),
      });
      const reader = readerOf(client, "skill-admission");
      return Promise.resolve({ ...reader, close: () => Promise.resolve(void (closed += 1)) });
    };
    const flags = ["--cluster", "--kubeconfig", "kube.conf", "--context", "staging", "-o", "json"];
    const live = await apply(flags, podOnly, { openCluster });
    expect([live.code, closed]).toEqual([0, 1]);
    // Skill Admission is not installed there.
    const policies = "clusterskillpolicies?limit=100";
    expect(asked).toEqual([policies, "payments", configMap!.metadata.name]);
    expect(live.err).toMatch(/^warning: trust roots and revocation lists of the cluster do not count here: /);
    const both = await apply(flags, packed.replace("echo demo", "echo evil"), { openCluster });
    expect(both.code).toBe(1);
    expect(asked.slice(3)).toEqual([policies, "payments"]);
  });

  it("decides by the labels of the namespace's manifest, and by nothing less", async () => {
    const selected = put(
      "selected.json",
      JSON.stringify(policyObject("tenant", pem, { namespaceSelector: { matchLabels: { tenant: "a" } } })),
    );
    const namespace = (labels: string) =>
      `${packed}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: payments, labels: {${labels}}}\n`;
    const review = async (stdin: string) =>
      run(["apply", "--policy", selected, "--resource", "-", "-o", "json"], { stdin });
    const unknown = await review(packed);
    expect(unknown.code).toBe(3);
    expect(documents(unknown.out)[0]).toMatchObject({
      outcome: "unevaluated",
      error: { code: "SOURCE_UNAVAILABLE" },
    });
    expect(unknown.out).toContain("--cluster");
    expect(documents((await review(namespace("tenant: a"))).out)[0]).toMatchObject({
      outcome: "allow",
      verdicts: [{ policy: "tenant" }],
    });
    const other = await review(namespace("tenant: b").replace("echo demo", "echo evil"));
    expect([other.code, documents(other.out)[0]]).toMatchObject([0, { outcome: "allow", verdicts: [] }]);
  });

  it("fails what makes pods that would be denied, and says what the webhook does with it", async () => {
    const [, pod] = parseAllDocuments(packed).map((one) => one.toJS() as { spec: object });
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "d", namespace: "payments" },
      spec: { selector: {}, template: { metadata: {}, spec: pod!.spec } },
    };
    const stdin = `${packed.slice(0, packed.indexOf("\n---\n")).replace("echo demo", "echo evil")}\n---\n${JSON.stringify(deployment)}\n`;
    const warned = await apply(["-o", "json"], stdin);
    expect([warned.code, documents(warned.out)[0]]).toMatchObject([
      1,
      { outcome: "warn", podsDenied: true, object: { kind: "Deployment" } },
    ]);
    const words = "the webhook would let the Deployment in with a warning, and deny its pods";
    expect((await apply([], stdin)).out.replaceAll(/\s+/g, " ")).toContain(words);
    const strict = put(
      "strict.json",
      JSON.stringify(policyObject("strict", pem, { controllers: "Enforce" })),
    );
    const denied = await run(["apply", "--policy", strict, "--resource", "-"], { stdin });
    expect([denied.code, denied.out]).toEqual([1, expect.not.stringContaining("the webhook would let")]);
  });

  it("does not judge other kinds that make pods, and is never content with them", async () => {
    const [, pod] = parseAllDocuments(packed).map((one) => one.toJS() as { spec: object });
    const rollout = {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "Rollout",
      metadata: { name: "web", namespace: "payments" },
      spec: { template: { spec: pod!.spec } },
    };
    const ingress = {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "i" },
      spec: {},
    };
    const list = { apiVersion: "v1", kind: "List", items: [ingress, rollout] };
    const stdin = `${packed}---\n${JSON.stringify(list)}\n`;
    const { code, out } = await apply(["-o", "json"], stdin);
    expect([code, documents(out)]).toMatchObject([
      3,
      [{ outcome: "allow" }, { object: { kind: "Rollout", name: "web" }, outcome: "unevaluated" }],
    ]);
    expect((await apply([], stdin)).out).toMatch(/^Rollout payments\/web +- +- +-$/m);
    expect((await apply(["-o", "junit"], stdin)).out).toContain('failures="0" errors="1"');
    expect((await apply([], stdin.replace("echo demo", "echo evil"))).code).toBe(1);
    expect((await apply([], `${packed}---\n${JSON.stringify(ingress)}\n`)).code).toBe(0);
  });

  it("counts what is the same twice once, and says so", async () => {
    const { code, out, err } = await apply(["-o", "json"], `${packed}---\n${packed}`);
    expect([code, documents(out)]).toMatchObject([0, [{ object: { kind: "Pod" } }]]);
    expect(err).toMatch(
      /^note: ConfigMap payments\/demo-\w+ is at -:1 and at -:\d+, the same, and counts once \(and 1 more\)\n$/,
    );
    const files = [put("twice/a.yaml", packed), put("twice/b.yaml", packed)];
    const both = await run(["apply", "--policy", policy, "--policy", policy, "-f", join(home, "twice")]);
    expect([both.code, both.out]).toEqual([0, expect.stringContaining("1 object: 1 passed\n")]);
    expect(both.err).toContain(
      `is at ${files[0]}:1 and at ${files[1]}:1, the same, and counts once (and 1 more)\n`,
    );
    expect(both.err).toContain(
      `note: ClusterSkillPolicy payments is at ${policy}:1 and at ${policy}:1, the same,`,
    );
  });

  it("judges each of two that differ, as the API server is asked about each", async () => {
    const [, pod = ""] = packed.split("\n---\n");
    const other = pod.replace("/skills/demo", "/skills/other");
    const { code, out, err } = await apply(["-o", "json"], `${packed}---\n${other}`);
    expect([code, documents(out).map(({ outcome }) => outcome)]).toEqual([0, ["allow", "allow"]]);
    expect(err).toMatch(
      /^warning: Pod payments\/demo is at -:\d+ and at -:\d+, and differs: each is judged, as kubectl applies one after the other\n$/,
    );
  });

  it("judges by a list that is enforced always, without a policy too, in whatever mode is asked for", async () => {
    const files = [{ digest: `sha256:${sha256("scripts/run.sh")}`, reason: "harmful" }];
    const listAt = (enforcement: string) =>
      put(`${enforcement}.json`, JSON.stringify(skillRevocationList("emergency", { enforcement, files })));
    const alone = (path: string, ...args: readonly string[]) =>
      run(["apply", "--policy", path, "--resource", "-", ...args], { stdin: packed });
    const denied = await alone(listAt("Always"), "--as-mode", "Audit");
    expect(denied.code).toBe(1);
    expect(denied.out).toMatch(/REVOKED scripts\/run\.sh[^]*SkillRevocationList\s+emergency/);
    const none = await alone(listAt("Policy"));
    expect(none.code).toBe(2);
    expect(none.err).toContain("there is no ClusterSkillPolicy in");
  });

  it("judges as if every policy were in the mode that is asked for", async () => {
    const changed = packed.replace("echo demo", "echo evil");
    const { code, out } = await apply(["--as-mode", "Audit", "-o", "json"], changed);
    expect([code, documents(out)[0]]).toMatchObject([
      0,
      {
        outcome: "allow",
        verdicts: [{ mode: "Audit", skills: [{ findings: [{ code: "DIGEST_MISMATCH" }] }] }],
      },
    ]);
  });

  it("puts objects without a namespace where the call says", async () => {
    const bare = packed.replaceAll("  namespace: payments\n", "");
    const { code, out } = await apply(["-n", "elsewhere", "-o", "json"], bare);
    expect([code, documents(out)[0]]).toMatchObject([
      0,
      { object: { namespace: "elsewhere" }, outcome: "allow" },
    ]);
  });

  it("says that there is nothing to review", async () => {
    const { code, err } = await apply([], "apiVersion: v1\nkind: Service\n");
    expect([code, err]).toEqual([0, "nothing in these files makes a pod, so nothing brings in a skill\n"]);
  });

  it.each<[string, string, RegExp]>([
    [
      "a ConfigMap twice that differs",
      "twice",
      /ConfigMap demo-\w+ is in - already; keep one\ncorrect the files/,
    ],
    ["a ConfigMap without a name", "apiVersion: v1\nkind: ConfigMap\n", /no metadata.name/],
  ])("ends with 2 for %s", async (_what, text, message) => {
    const { code, err } = await apply(
      [],
      text === "twice" ? `${packed}---\n${packed.replace("echo demo", "echo evil")}` : text,
    );
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  it("denies a pod that is malformed, and a cluster that fails leaves it unevaluated", async () => {
    const malformed = await apply(
      ["-o", "json"],
      JSON.stringify({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "x" },
        spec: { volumes: "none", containers: [] },
      }),
    );
    expect([malformed.code, documents(malformed.out)[0]]).toMatchObject([
      1,
      { outcome: "deny", error: { code: "SOURCE_MALFORMED" } },
    ]);
    const fail = () => Promise.reject(new SourceError("SOURCE_UNAVAILABLE", "connection refused"));
    const reader = readerOf(listingApi({ collections: {} }), "skill-admission");
    const openCluster = () => Promise.resolve({ ...reader, read: fail, namespaceLabels: fail });
    const down = await apply(["--cluster", "-o", "json"], packed, { openCluster });
    expect([down.code, documents(down.out)[0]]).toMatchObject([
      3,
      { error: { message: "connection refused" } },
    ]);
  });
});

describe("package", () => {
  it("writes the same again for the same folder, and tells people only on standard error", async () => {
    const again = await run(["package", skill, "--namespace", "payments", "--with-pod", "busybox"]);
    expect(again.out).toBe(packed);
    expect(again.err).toMatch(/^packed .*: 3 files, 2? ?\d* ?KiB, 1 ConfigMap, sha256:[0-9a-f]{64}\n$/);
  });

  it("puts the pod's part into a comment, so that the stream holds nothing but ConfigMaps", async () => {
    const { out } = await run(["package", skill, "--mount-path", "/opt/skills/demo"]);
    expect(parseAllDocuments(out).map((one) => (one.toJS() as { kind: string }).kind)).toEqual(["ConfigMap"]);
    expect(out).toContain("#         mountPath: /opt/skills/demo\n");
    const snippet = await run(["package", skill, "--pod-snippet", "-o", "json"]);
    expect(JSON.parse(snippet.out)).toMatchObject({
      containers: [{ volumeMounts: [{ readOnly: true }] }],
      volumes: [{ projected: {} }],
    });
  });

  it("leaves a repository's own files out, and says so", async () => {
    put("demo/.gitignore", "x");
    const { code, out, err } = await run(["package", skill]);
    rmSync(join(skill, ".gitignore"));
    expect(code).toBe(0);
    expect(out).not.toContain("gitignore");
    expect(err).toContain("left out, because signatures do too: .gitignore");
    expect(err).not.toContain("warning");
  });

  it("warns of a skill that is not signed or was changed", async () => {
    put("plain/SKILL.md", "# x\n");
    expect((await run(["package", join(home, "plain")])).err).toContain("warning: the skill is not signed");
    put("plain/skills/demo/SKILL.md", "# x\n");
    expect((await run(["package", join(home, "plain/skills")])).err).toContain(
      "warning: there is no SKILL.md",
    );
    put("changed/demo/SKILL.md", "# x\n");
    writeFileSync(join(home, "changed/demo/skill.oms.sig"), readFileSync(join(skill, "skill.oms.sig")));
    expect((await run(["package", join(home, "changed/demo")])).err).toContain(
      "warning: the files differ from what was signed",
    );
  });

  it.each<[readonly string[], RegExp]>([
    [["--mount-path", "skills/demo"], /--mount-path/],
    [["--mount-path", "/skills/../etc"], /--mount-path/],
    [["--name", "Not_A_Name"], /--name/],
    [["--namespace", "a b"], /--namespace "a b" cannot be/],
  ])("ends with 2 for %j", async (args, message) => {
    const { code, out, err } = await run(["package", skill, ...args]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
  });

  it("ends with 2 for a file that no ConfigMap can carry, and names the way out", async () => {
    put("big/SKILL.md", "x".repeat(1024 * 1024 + 1));
    const { code, err } = await run(["package", join(home, "big")]);
    expect([code, err]).toEqual([2, expect.stringContaining("image volume")]);
  });
});
