import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packConfigMaps } from "../../../src/cli/package/config-maps.ts";
import { examplePod, podVolume } from "../../../src/cli/package/pod-volume.ts";
import type { ApiRequest } from "../../../src/cluster/live/api/client.ts";
import { readerOf } from "../../../src/cluster/live/open-reader.ts";
import { webhookConfiguration } from "../../../src/cluster/live/registration/webhook-configuration.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { collectionPath } from "../../../src/policy/resource/kinds.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { keylessSkill } from "../../fixtures/keyless-skill.ts";
import { forbidden, listingApi } from "../../fixtures/listing-api.ts";
import { clusterSkillPolicy, skillRevocationList, skillTrustRoot } from "../../fixtures/resources.ts";
import { sha256 } from "../../../src/skill/digest.ts";
import { identity, issuer, testSigstore } from "../../fixtures/sigstore.ts";
import { signedSkill, withFiles } from "../../fixtures/signed-skill.ts";
import { documents, run } from "./line.ts";
import { everywhere, nowhere } from "../../fixtures/governed.ts";

const good = signedSkill();
const pem = good.trust.keys[0]!.key.export({ type: "spki", format: "pem" });
const changed = withFiles(good.skill, { "extra.py": "x" });
const policy = (over: object = {}) =>
  clusterSkillPolicy("payments", {
    namespaceSelector: { matchLabels: { tenant: "payments" } },
    publishers: [{ name: "team", publicKey: { pem } }],
    ...over,
  });

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "apply-cluster-"));
});
afterAll(() => rmSync(home, { recursive: true }));

interface World {
  readonly policies?: readonly KubernetesObject[];
  readonly roots?: readonly KubernetesObject[];
  readonly lists?: readonly KubernetesObject[];
  /** Pods with a skill each, in the namespace `payments`. */
  readonly skills?: Readonly<Record<string, Skill>>;
  readonly pods?: readonly KubernetesObject[];
  /** More collections. */
  readonly more?: Readonly<Record<string, readonly KubernetesObject[]>>;
  readonly before?: (request: ApiRequest) => void;
}

const bare = (namespace: string, name: string): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace },
  spec: { containers: [{ name: "c", image: "i" }] },
});

/** A cluster of these objects, answered through the product's own adapter. */
function cluster({ policies = [policy()], roots = [], lists = [], skills = {}, ...world }: World) {
  const shipped = Object.entries(skills).map(([name, skill]) => {
    const packed = packConfigMaps(skill, { name, namespace: "payments" });
    const volume = podVolume(packed, name, `/skills/${skill.name}`);
    const pod = examplePod(volume, { name, namespace: "payments", image: "example.invalid/agent" });
    return { configMaps: packed.map(({ manifest }) => manifest), pod };
  });
  const pods = [...shipped.map(({ pod }) => pod as KubernetesObject), ...(world.pods ?? [])];
  const client = listingApi({
    collections: {
      [collectionPath("ClusterSkillPolicy")]: policies,
      [collectionPath("SkillTrustRoot")]: roots,
      [collectionPath("SkillRevocationList")]: lists,
      "/api/v1/namespaces": [
        { metadata: { name: "payments", labels: { tenant: "payments" } } },
        { metadata: { name: "other", labels: {} } },
      ],
      "/api/v1/pods": pods,
      "/api/v1/namespaces/payments/pods": pods.filter(
        ({ metadata }) => (metadata as { namespace?: string }).namespace === "payments",
      ),
      "/api/v1/namespaces/payments/configmaps": shipped.flatMap(
        ({ configMaps }) => configMaps as unknown as readonly KubernetesObject[],
      ),
      "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations": [
        webhookConfiguration({
          address: { url: "https://h" },
          caBundle: "",
          governed: everywhere,
          bindings: nowhere,
          controllerNamespace: "skill-admission",
          exemptNamespaces: ["kube-system", "quiet"],
        }),
      ],
      ...world.more,
    },
    ...(world.before === undefined ? {} : { before: world.before }),
  });
  return { client, openCluster: () => Promise.resolve(readerOf(client, "skill-admission")) };
}

const apply = (world: World, ...args: readonly string[]) => {
  const { openCluster } = cluster(world);
  return run(["apply", "--cluster", ...args], { openCluster });
};

const refuse =
  (words: string, verb: string, resource: string) =>
  ({ path }: ApiRequest): void => {
    if (path.includes(words)) throw forbidden(verb, resource);
  };

describe("apply --cluster", () => {
  it("judges the pods that run there by the policies that are there", async () => {
    const world = {
      skills: { good: good.skill, bad: changed },
      pods: [bare("payments", "plain"), bare("other", "x")],
    };
    const { code, out, err } = await apply(world);
    expect(code).toBe(1);
    expect(out).toMatch(/^Pod payments\/good +pass +1 +payments$/m);
    expect(out).toMatch(/^Pod payments\/bad +FAIL +1 +payments$/m);
    expect(out).toContain("FILE_UNSIGNED extra.py");
    expect(out).toMatch(/^2 pods: 1 passed, 1 failed$/m);
    expect(err).toBe("not listed: 1 without skills, 1 that no policy governs\n");
  });

  it("says the same in JSON, a line each, with the pod's path in place of a file", async () => {
    const { code, out } = await apply({ skills: { good: good.skill } }, "-o", "json");
    expect(code).toBe(0);
    expect(documents(out)).toMatchObject([
      {
        object: { kind: "Pod", namespace: "payments", name: "good" },
        file: "api/v1/namespaces/payments/pods/good",
        outcome: "allow",
        verdicts: [{ policy: "payments", mode: "Enforce" }],
      },
    ]);
  });

  it("takes revocation lists of the cluster too", async () => {
    const digest = sha256(good.skill.files.get("SKILL.md")!.bytes);
    const lists = [skillRevocationList("l", { files: [{ digest, reason: "stolen" }] })];
    const { code, out } = await apply({ skills: { good: good.skill }, lists });
    expect([code, out]).toEqual([1, expect.stringContaining("REVOKED")]);
  });

  it("reads one namespace only, where one is named", async () => {
    const { client, openCluster } = cluster({ skills: { good: good.skill }, pods: [bare("other", "x")] });
    const args = ["apply", "--cluster", "--namespace", "payments"];
    const { code, err } = await run(args, { openCluster });
    expect([code, err]).toEqual([0, "not listed: 0 without skills, 0 that no policy governs\n"]);
    expect(client.asked.filter(({ path }) => path.startsWith("/api/v1/pods"))).toEqual([]);
  });

  it("does not take a namespace that is not there for one without pods", async () => {
    const { code, out, err } = await apply({}, "--namespace", "paymets");
    expect([code, out, err]).toEqual([3, "", "error: there is no Namespace paymets\n"]);
  });

  it("asks with --as-mode what every policy would do in that mode", async () => {
    const world = { policies: [policy({ mode: "Audit" })], skills: { bad: changed } };
    expect((await apply(world)).code).toBe(0);
    const enforced = await apply(world, "--as-mode", "Enforce", "-o", "json");
    expect([enforced.code, documents(enforced.out)[0]]).toMatchObject([
      1,
      { outcome: "deny", verdicts: [{ mode: "Enforce", outcome: "deny" }] },
    ]);
    const strict = { ...world, policies: [policy()] };
    expect((await apply(strict, "--as-mode", "Warn")).code).toBe(0);
    expect((await apply(strict, "--as-mode", "Block")).code).toBe(2);
  });

  it("judges the same pods by the policies of files in place of the cluster's", async () => {
    const file = join(home, "strict.json");
    writeFileSync(file, JSON.stringify(policy({ skills: [{ names: ["nothing"] }] })));
    const world = { policies: [], skills: { good: good.skill } };
    const { code, out } = await apply(world, "--policy", file);
    expect([code, out]).toEqual([1, expect.stringContaining("SKILL_NOT_ALLOWED")]);
  });

  const reader = policy({
    publishers: [{ name: "team", publicKey: { trustRootRef: { name: "ours", key: "release" } } }],
  });
  const ours = (material: unknown) => skillTrustRoot("ours", { keys: [{ name: "release", pem: material }] });

  it("takes the trust roots and revocation lists that the files lack from the cluster", async () => {
    const file = join(home, "rooted.json");
    writeFileSync(file, JSON.stringify(reader));
    const digest = sha256(good.skill.files.get("SKILL.md")!.bytes);
    const lists = [skillRevocationList("l", { files: [{ digest, reason: "stolen" }] })];
    const world = { policies: [], roots: [ours(pem)], skills: { good: good.skill } };
    expect((await apply(world, "--policy", file)).code).toBe(0);
    const revoked = await apply({ ...world, lists }, "--policy", file);
    expect([revoked.code, revoked.out]).toEqual([1, expect.stringContaining("REVOKED")]);
    // A file is about to be applied, so it is newer.
    const other = signedSkill();
    const key = other.trust.keys[0]!.key.export({ type: "spki", format: "pem" });
    const root = join(home, "root.json");
    writeFileSync(root, JSON.stringify(ours(key)));
    const { code, out } = await apply(world, "--policy", file, "--policy", root);
    expect([code, out]).toEqual([1, expect.stringContaining("UNTRUSTED_SIGNER")]);
  });

  it("says where those of the cluster do not count, and what is wrong of them", async () => {
    const file = join(home, "own.json");
    writeFileSync(file, JSON.stringify(policy()));
    const world = { policies: [], skills: { good: good.skill } };
    const before = refuse("skilltrustroots", "list", "skilltrustroots");
    const unread = await apply({ ...world, before }, "--policy", file);
    expect(unread.code).toBe(0);
    expect(unread.err).toMatch(
      /^warning: trust roots and revocation lists of the cluster do not count here: the skilltrustroots could not be read: .*; grant that right/,
    );
    const broken = await apply({ ...world, roots: [ours("none")] }, "--policy", file);
    expect([broken.code, broken.err]).toEqual([
      0,
      expect.stringMatching(/^warning: SkillTrustRoot ours: spec\.keys\[0\]\.pem: /),
    ]);
    // What is wrong of the files is their author's to mend.
    writeFileSync(file, JSON.stringify(reader));
    const lacking = await apply(world, "--policy", file);
    expect([lacking.code, lacking.err]).toEqual([2, expect.stringContaining("ours")]);
  });

  it("leaves out the pods of namespaces that the registered webhook exempts, and says so of one that is named", async () => {
    const pods = [bare("quiet", "x"), bare("other", "y")];
    const { err } = await apply({ pods });
    expect(err).toBe("not listed: 0 without skills, 1 that no policy governs\n");
    const more = {
      "/api/v1/namespaces": [{ metadata: { name: "quiet", labels: {} } }],
      "/api/v1/namespaces/quiet/pods": [bare("quiet", "x")],
    };
    const named = await apply({ more }, "--namespace", "quiet");
    expect(named.err).toMatch(/^the webhook is not asked about Namespace quiet, which is exempt: /);
    const unknown = await apply({
      pods,
      more: {
        "/api/v1/namespaces": ["quiet", "other"].map((name) => ({ metadata: { name, labels: {} } })),
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations": [],
      },
    });
    expect(unknown.err).toBe(
      "only kube-node-lease, kube-system, skill-admission count as exempt; what webhook.exemptNamespaces names is not known here: no webhook is registered there\n" +
        "not listed: 0 without skills, 2 that no policy governs\n",
    );
  });

  it("judges files by the cluster's policies, labels and ConfigMaps", async () => {
    const file = join(home, "pod.json");
    const { client, openCluster } = cluster({ skills: { bad: changed } });
    const [pod] = (await client.call({ path: "/api/v1/pods", signal: AbortSignal.timeout(1000) }))[
      "items"
    ] as readonly KubernetesObject[];
    writeFileSync(file, JSON.stringify({ ...pod, apiVersion: "v1", kind: "Pod" }));
    const { code, out } = await run(["apply", "--cluster", "--resource", file], { openCluster });
    expect(code).toBe(1);
    expect(out).toContain("FILE_UNSIGNED extra.py");
    expect(out).toMatch(/^1 object: /m);
  });

  it("passes and says so where the cluster has no policy", async () => {
    const { code, err } = await apply({ policies: [], skills: { bad: changed } });
    expect(code).toBe(0);
    expect(err).toContain("warning: the cluster has no ClusterSkillPolicy: nothing is denied there\n");
    expect(err).toContain("not listed: 0 without skills, 1 that no policy governs\n");
  });

  it("denies by a policy that is wrong, as the webhook does, and names it", async () => {
    const wrong = policy({ publishers: [{ name: "team", publicKey: { pem: "none" } }] });
    const { code, out, err } = await apply({ policies: [wrong], skills: { good: good.skill } });
    expect([code, out]).toEqual([1, expect.stringContaining("the policy cannot be used")]);
    expect(err).toMatch(/^warning: ClusterSkillPolicy payments: spec\.publishers\[0\]/);
  });

  it("follows a list over pages, with its progress on a terminal", async () => {
    const pods = Array.from({ length: 250 }, (_, index) => bare("payments", `p-${index}`));
    const written: string[] = [];
    const stderr = { write: (text: string) => void written.push(text), isTerminal: true, columns: 100 };
    const { client, openCluster } = cluster({ pods });
    const { code } = await run(["apply", "--cluster"], { openCluster, stderr });
    expect(code).toBe(0);
    expect(client.asked.filter(({ path }) => path.startsWith("/api/v1/pods?"))).toHaveLength(3);
    expect(written.join("")).toContain("101/250 api/v1/namespaces/payments/pods/p-100");
    expect(written.at(-1)).toBe("not listed: 250 without skills, 0 that no policy governs\n");
  });
});

describe("apply --cluster without all that it needs", () => {
  it.each([
    ["/pods", "list", "pods", "the pods"],
    ["clusterskillpolicies", "list", "clusterskillpolicies", "the clusterskillpolicies"],
  ])("ends with 3 and names the right to %s", async (words, verb, resource, what) => {
    const { code, out, err } = await apply({ before: refuse(words, verb, resource) });
    expect([code, out]).toEqual([3, ""]);
    expect(err).toContain(`error: ${what} could not be read: `);
    expect(err).toContain(`cannot ${verb} resource "${resource}"`);
    expect(err).toMatch(/; grant that right \(docs\/cli\.md has a ClusterRole\)\n$/);
  });

  it.each(["Enforce", "Audit"])(
    "does not judge a pod in mode %s whose ConfigMap it may not read",
    async (mode) => {
      const world = {
        policies: [policy({ mode })],
        skills: { good: good.skill },
        before: refuse("/configmaps/", "get", "configmaps"),
      };
      const { code, out } = await apply(world, "-o", "json");
      expect([code, documents(out)[0]]).toMatchObject([3, { outcome: "unevaluated" }]);
      expect(out).toContain("grant that right");
    },
  );

  it("judges the others, whose violation outweighs it", async () => {
    const name = (path: string) => path.includes("/configmaps/first");
    const before = ({ path }: ApiRequest): void => {
      if (name(path)) throw forbidden("get", "configmaps");
    };
    const skills = { first: good.skill, second: good.skill };
    const { code, out } = await apply({ skills, before });
    expect(code).toBe(3);
    expect(out).toMatch(/^2 pods: 1 passed, 1 not judged$/m);
    expect((await apply({ skills: { ...skills, third: changed }, before })).code).toBe(1);
  });

  it("does not judge a pod whose ConfigMap is gone: what its agent reads is not there any more", async () => {
    const more = { "/api/v1/namespaces/payments/configmaps": [] };
    const { code, out } = await apply({ skills: { good: good.skill }, more });
    expect([code, out]).toEqual([3, expect.stringMatching(/^1 pod: 0 passed, 1 not judged$/m)]);
  });

  it("does not judge the pods of a namespace whose labels it may not read", async () => {
    const before = refuse("/namespaces/payments", "get", "namespaces");
    const { code, out } = await apply({ skills: { good: good.skill }, before }, "-o", "json");
    expect([code, documents(out)[0]]).toMatchObject([3, { error: { code: "SOURCE_UNAVAILABLE" } }]);
  });

  it("keeps what it found before a list broke off", async () => {
    const pods = Array.from({ length: 150 }, (_, index) => bare("payments", `p-${index}`));
    const broken = { skills: { bad: changed }, pods, before: refuse("continue=", "list", "pods") };
    const { code, out, err } = await apply(broken);
    expect([code, out]).toEqual([1, expect.stringMatching(/^1 pod: 0 passed, 1 failed$/m)]);
    expect(err).toContain("error: the pods could not be read");
    const whole = { ...broken, skills: { good: good.skill } };
    expect((await apply(whole)).code).toBe(3);
  });
});

describe("apply --cluster with a trusted root that is kept elsewhere", () => {
  const from = { trustedRootFrom: { configMap: { name: "roots", key: "root.json" } } };
  let skill: Skill;
  let text: string;

  beforeAll(async () => {
    const sigstore = await testSigstore();
    text = JSON.stringify(sigstore.trustedRoot);
    skill = await keylessSkill(sigstore);
  });

  const world = (entry: object): World => ({
    roots: [skillTrustRoot("r", { sigstore: [{ name: "s", ...entry }] })],
    policies: [
      policy({ publishers: [{ name: "ci", keyless: { trustRootRef: { name: "r" }, issuer, identity } }] }),
    ],
    skills: { keyless: skill },
    more: {
      "/api/v1/namespaces/security/configmaps": [
        { metadata: { name: "roots" }, data: { "root.json": text } },
      ],
    },
  });

  it("reads it from the controller's namespace", async () => {
    const { code, err } = await apply(world(from), "--controller-namespace", "security");
    expect([code, err]).toEqual([0, "not listed: 0 without skills, 0 that no policy governs\n"]);
  });

  it.each<[string, object, readonly string[], RegExp]>([
    [
      "it is not there",
      from,
      [],
      /no ConfigMap skill-admission\/roots; create it, or name .*--controller-namespace/,
    ],
    [
      "it lacks the key",
      { trustedRootFrom: { configMap: { name: "roots", key: "none" } } },
      ["--controller-namespace", "security"],
      /security\/roots has no key none/,
    ],
    [
      "only a mirror has it",
      { tuf: { mirror: "https://tuf.invalid", root: '{"signed":{"_type":"root"}}' } },
      [],
      /https:\/\/tuf\.invalid is not asked by this command/,
    ],
  ])("does not judge by the policy where %s", async (_what, entry, args, why) => {
    const { code, out, err } = await apply(world(entry), "-o", "json", ...args);
    expect([code, documents(out)[0]]).toMatchObject([
      3,
      { outcome: "unevaluated", error: { message: expect.stringMatching(why) as string } },
    ]);
    expect(err).toMatch(/^warning: SkillTrustRoot r: /);
  });

  it("goes on with pods that bring in no skill, and with what it may read", async () => {
    const before = refuse("/namespaces/security/", "get", "configmaps");
    const args = ["--controller-namespace", "security"];
    const plain = { ...world(from), skills: {}, pods: [bare("payments", "plain")], before };
    expect((await apply(plain, ...args)).code).toBe(0);
    const { code, out } = await apply({ ...world(from), before }, ...args);
    expect([code, out.replaceAll(/\s+/g, " ")]).toEqual([3, expect.stringContaining("grant that right")]);
  });
});

describe("a call of apply that cannot be meant", () => {
  it.each<[readonly string[], string]>([
    [[], "no objects are named"],
    [["--resource", "pod.yaml"], "no policies are named"],
    [["--policy", "p.yaml"], "no objects are named"],
    [["--policy", "p", "--resource", "r", "--context", "x"], "--kubeconfig and --context go with --cluster"],
    [
      ["--policy", "p", "--resource", "r", "--kubeconfig", "x"],
      "--kubeconfig and --context go with --cluster",
    ],
    [["--policy", "-", "--resource", "-"], "standard input (-) is named twice"],
  ])("%j ends with 2", async (args, message) => {
    const { code, out, err } = await run(["apply", ...args]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(`error: ${message}`);
  });
});
