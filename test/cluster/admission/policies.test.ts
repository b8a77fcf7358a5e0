import { beforeAll, describe, expect, it, vi } from "vitest";
import { reasonTexts } from "../../../src/policy/remedy.ts";
import { signedSkill, skillOf, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { apply, type Applied } from "../harness/apply.ts";
import { api, find, ownPath, patch, remove } from "../harness/api.ts";
import { auditLog, tryKubectlApply } from "../harness/cluster.ts";
import { sharedProduct, type SharedProduct } from "./product.ts";
import {
  applySkill,
  createNamespace,
  denial,
  enforce,
  pemOf,
  policy,
  ship,
  trustRoot,
  tryApply,
  warnings,
  type Part,
} from "./world.ts";
import { patience } from "../../fixtures/patience.ts";

let product: SharedProduct;
let good: SignedSkill;
let broken: Skill;
let pem: string;
let publishers: readonly Part[];

beforeAll(async () => {
  good = signedSkill();
  broken = withFiles(good.skill, { "extra.py": "x" });
  pem = pemOf(good);
  publishers = [{ name: "team", publicKey: { pem } }];
  product = await sharedProduct();
});

/** What the API server says of a pod with the skill, under a name of its own. */
async function tryPod(skill: Skill, namespace: string): Promise<Applied & { readonly name: string }> {
  const { ran, name } = await applySkill(skill, namespace);
  return { ...ran, name };
}

/** Waits for what the product does by itself, and gives the milliseconds that it took. */
async function soon(check: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await vi.waitFor(check, { ...patience, interval: 50 });
  return performance.now() - began;
}

/** What the API server's audit log has of the webhook's annotations, for the request that applies this pod. */
const noted = (name: string): Promise<Readonly<Record<string, string>>> =>
  vi.waitFor(async () => {
    const lines = (await auditLog()).trimEnd().split("\n");
    const line = lines.findLast((text) =>
      ['"resource":"pods"', `"name":"${name}"`, '"verb":"patch"'].every((part) => text.includes(part)),
    );
    const { annotations = {} } = JSON.parse(line ?? "") as { annotations?: Record<string, string> };
    return Object.fromEntries(
      Object.entries(annotations).filter(([key]) => key.startsWith("pods.skill-admission.dev/")),
    );
  }, patience);

interface Judged {
  readonly status?: {
    readonly conditions: readonly {
      readonly type: string;
      readonly status: string;
      readonly message: string;
    }[];
  };
}

const ready = async (path: string): Promise<Partial<{ readonly status: string; readonly message: string }>> =>
  (await api<Judged>(path)).status?.conditions.find(({ type }) => type === "Ready") ?? {};

describe("a policy that names a trust root", () => {
  const space = "trust";
  const spec = (): Part => ({
    publishers: [{ name: "team", publicKey: { trustRootRef: { name: "late" } } }],
  });
  const [trusting, late] = [ownPath("clusterskillpolicies", space), ownPath("skilltrustroots", "late")];

  it("says that there is none, and denies instead of letting through", async () => {
    await createNamespace(space, space);
    await apply(policy(space, spec()));
    await expect.poll(() => ready(trusting)).toMatchObject({ status: "False" });
    const { message } = await ready(trusting);
    expect(message).toBe(
      "spec.publishers[0].publicKey.trustRootRef: there is no SkillTrustRoot late; create it, or name another",
    );
    const text = denial(await tryPod(good.skill, space));
    expect(text).toContain(`  INTERNAL the policy cannot be used: ${message}`);
    expect(text).toContain("  fix: an operator should look at the policy's status (kubectl get cskp)");
  });

  it("comes into force as soon as the trust root is there", async () => {
    await apply(trustRoot("late", { keys: [{ name: "k", pem }] }));
    await soon(async () => expect(await ready(trusting)).toMatchObject({ status: "True" }));
    expect(await tryPod(good.skill, space)).toMatchObject({ code: 0, stderr: "" });
    expect(denial(await tryPod(broken, space))).toContain("FILE_UNSIGNED extra.py");
  });

  it("denies again, when the trust root holds another key, and trusts what that one signs", async () => {
    const other = signedSkill();
    const otherPem = other.trust.keys[0]!.key.export({ type: "spki", format: "pem" });
    await enforce(trustRoot("late", { keys: [{ name: "k", pem: otherPem }] }));
    await soon(async () => expect(denial(await tryPod(good.skill, space))).toContain("UNTRUSTED_SIGNER"));
    expect(await tryPod(other.skill, space)).toMatchObject({ code: 0, stderr: "" });
  });

  it("denies, when the trust root is deleted", async () => {
    await remove(late);
    await soon(async () => {
      expect(denial(await tryPod(good.skill, space))).toContain("there is no SkillTrustRoot late");
      expect(await ready(trusting)).toMatchObject({ status: "False" });
    });
  });

  it("denies, when the trust root cannot be read", async () => {
    const garbled = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    await apply(trustRoot("late", { keys: [{ name: "k", pem: garbled }] }));
    await expect.poll(() => ready(late)).toMatchObject({ status: "False" });
    await soon(async () =>
      expect(denial(await tryPod(good.skill, space))).toContain("the SkillTrustRoot late is not ready"),
    );
  });
});

describe("the mode", () => {
  const space = "modes";
  const setMode = (mode: string) => enforce(policy(space, { publishers, mode }));

  beforeAll(() => createNamespace(space, space));

  it("Enforce denies", async () => {
    await setMode("Enforce");
    const ran = await tryPod(broken, space);
    expect(denial(ran)).toContain("FILE_UNSIGNED extra.py");
    expect(await noted(ran.name)).toMatchObject({
      "pods.skill-admission.dev/policies": expect.stringMatching(
        new RegExp(`^${space}@[0-9]+=Enforce:deny$`),
      ) as string,
    });
    expect(await tryPod(good.skill, space)).toMatchObject({ code: 0, stderr: "" });
  });

  it("Warn admits, and kubectl prints the warning", async () => {
    await setMode("Warn");
    const ran = await tryKubectlApply(ship(broken, space, "warned").all);
    expect(ran.code).toBe(0);
    expect(warnings(ran)).toEqual([
      `${space}: skill data-designer: FILE_UNSIGNED extra.py; fix: ${reasonTexts.FILE_UNSIGNED.remedy}`,
    ]);
    expect(await tryKubectlApply(ship(good.skill, space, "fine").all)).toMatchObject({ code: 0, stderr: "" });
    await product.decision("Pod", "warned", { decision: "warn" });
  });

  it("Audit admits without a word; the log has the findings, and a metric counts them", async () => {
    await setMode("Audit");
    const ran = await tryPod(broken, space);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const { decision, verdicts } = await product.decision("Pod", ran.name);
    expect(decision).toBe("allow");
    expect(verdicts).toMatchObject([
      { policy: space, mode: "Audit", outcome: "allow", skills: [{ findings: [{ code: "FILE_UNSIGNED" }] }] },
    ]);
    expect(await noted(ran.name)).toEqual({
      "pods.skill-admission.dev/decision": expect.stringMatching(/^allow [0-9a-f]{8}$/) as string,
      "pods.skill-admission.dev/policies": expect.stringMatching(
        new RegExp(`^${space}@[0-9]+=Audit:allow$`),
      ) as string,
      "pods.skill-admission.dev/trust": expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      "pods.skill-admission.dev/findings": "FILE_UNSIGNED",
      "pods.skill-admission.dev/skills": expect.stringMatching(
        /^data-designer@sha256:[0-9a-f]{64} \(tampered\) at \/skills\/data-designer$/,
      ) as string,
      "pods.skill-admission.dev/signers": expect.stringMatching(
        /^data-designer=key [0-9a-f]{64} \(tampered\)$/,
      ) as string,
      "pods.skill-admission.dev/causes": `${space}: data-designer: FILE_UNSIGNED extra.py`,
    });
    await expect
      .poll(() => product.metrics())
      .toMatch(
        /^skill_admission_violations_total\{.*policy="modes".*reason="FILE_UNSIGNED".*enforced="false".*\} [1-9]/m,
      );
  });

  it("takes effect within a second of its change, both ways", async () => {
    const change = async (mode: string, code: number): Promise<number> => {
      await patch(ownPath("clusterskillpolicies", space), { spec: { mode } });
      return soon(async () => expect((await tryPod(broken, space)).code, mode).toBe(code));
    };
    const [tightened, loosened]: [number[], number[]] = [[], []];
    for (let round = 0; round < 3; round += 1) {
      tightened.push(await change("Enforce", 1));
      loosened.push(await change("Audit", 0));
    }
    // The quickest: a busy machine may hold up any of them.
    for (const took of [tightened, loosened]) expect(Math.min(...took)).toBeLessThan(1000);
  });
});

describe("unsigned skills", () => {
  it("are let in with a warning until the day that the policy names, and denied afterwards", async () => {
    const space = "legacy";
    await createNamespace(space, space);
    const until = (time: number): Part => ({
      publishers,
      unsigned: { action: "Warn", until: new Date(time).toISOString() },
    });
    const end = new Date(Date.now() + 3600_000);
    await enforce(policy(space, until(end.getTime())));
    const ran = await tryPod(skillOf("legacy"), space);
    expect(ran.code).toBe(0);
    expect(warnings(ran)).toEqual([
      `${space}: skill legacy: UNSIGNED there is no signature, which the policy tolerates until ${end.toISOString().replace(/\.\d+Z$/, "Z")}, in less than an hour; fix: ${reasonTexts.UNSIGNED.remedy}`,
    ]);
    expect(denial(await tryPod(broken, space))).toContain("FILE_UNSIGNED extra.py");
    await enforce(policy(space, until(Date.now() - 1000)));
    expect(denial(await tryPod(skillOf("legacy"), space))).toContain(
      "  UNSIGNED there is no signature, which the policy tolerated until ",
    );
  });
});

describe("the policies of a namespace", () => {
  it("must all pass, and each denial says whose it is", async () => {
    const space = "several";
    await createNamespace(space, space);
    const selector = { namespaceSelector: { matchLabels: { tenant: space } } };
    const named = { skills: [{ names: ["data-*"] }] };
    await enforce(
      policy("several-signed", { ...selector, publishers }),
      policy("several-named", { ...selector, ...named, publishers }),
      policy("several-watched", {
        ...selector,
        publishers,
        mode: "Warn",
        immutability: { configMap: "Required" },
      }),
    );
    expect(await tryPod(good.skill, space)).toMatchObject({ code: 0, stderr: "" });
    const other = signedSkill({ name: "other", key: good.key });
    const byName = denial(await tryPod(other.skill, space));
    expect(byName).toContain('policy "several-named" denied');
    expect(byName).toContain('SKILL_NOT_ALLOWED no entry of the policy\'s skills allows "other"');
    expect(byName).not.toContain('"several-signed"');
    const byBoth = denial(await tryPod(withFiles(other.skill, { "extra.py": "x" }), space));
    expect(byBoth).toContain('policy "several-signed" denied');
    expect(byBoth).toContain('policy "several-named" denied');
  });

  it("come and go with its labels", async () => {
    const space = "labelled";
    await createNamespace(space);
    await enforce(policy(space, { publishers }));
    expect(await tryPod(broken, space)).toMatchObject({ code: 0, stderr: "" });
    await patch(`/api/v1/namespaces/${space}`, { metadata: { labels: { tenant: space } } });
    await soon(async () => expect(denial(await tryPod(broken, space))).toContain("FILE_UNSIGNED extra.py"));
    await patch(`/api/v1/namespaces/${space}`, { metadata: { labels: { tenant: null } } });
    await soon(async () => expect(await tryPod(broken, space)).toMatchObject({ code: 0, stderr: "" }));
  });

  it("hold in a namespace from its first moment", async () => {
    const space = "newborn";
    await enforce(policy(space, { publishers }));
    const namespace = {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: space, labels: { tenant: space } },
    };
    // The account `default` would come a moment later.
    const account = {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "agent", namespace: space },
    };
    const { configMaps, pod } = ship(broken, space, "first");
    const spec = { ...(pod["spec"] as Part), serviceAccountName: "agent" };
    const ran = await tryApply([namespace, account, ...(configMaps as unknown as Part[]), { ...pod, spec }]);
    expect(denial(ran)).toContain("FILE_UNSIGNED extra.py");
  });

  it("are gone when they are deleted", async () => {
    await remove(ownPath("clusterskillpolicies", "newborn"));
    expect(await find(ownPath("clusterskillpolicies", "newborn"))).toBeUndefined();
    await soon(async () => expect(await tryPod(broken, "newborn")).toMatchObject({ code: 0, stderr: "" }));
  });
});
