import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signedSkill, skillOf, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { apply, kubectl, tryKubectl, type Ran } from "../harness/cluster.ts";
import { startProduct, type Product } from "./product.ts";
import {
  createNamespace,
  denial,
  enforce,
  policy,
  ship,
  trustRoot,
  tryApply,
  warnings,
  type Part,
} from "./world.ts";

let product: Product;
let good: SignedSkill;
let broken: Skill;
let pem: string;
let publishers: readonly Part[];
let pods = 0;

beforeAll(async () => {
  good = signedSkill();
  broken = withFiles(good.skill, { "extra.py": "x" });
  pem = good.trust.keys[0]!.key.export({ type: "spki", format: "pem" }) as string;
  publishers = [{ name: "team", publicKey: { pem } }];
  product = await startProduct();
}, 60_000);

afterAll(() => product.remove());

/** Applies a pod with the skill, under a name of its own. */
async function tryPod(skill: Skill, namespace: string): Promise<Ran & { readonly name: string }> {
  const name = `pod-${(pods += 1)}`;
  return { ...(await tryApply(ship(skill, namespace, name).all)), name };
}

const column = (table: string, name: string): string => {
  const [header = "", row = ""] = table.split("\n");
  const at = header.split(/ {2,}/).indexOf(name);
  return row.split(/ {2,}/)[at] ?? "";
};

const ready = async (kind: string, name: string): Promise<string> =>
  kubectl(["get", kind, name, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']);

describe("the resources, as kubectl shows them", () => {
  it("have columns for their mode, counts and state", async () => {
    await enforce(
      trustRoot("shown", { keys: [{ name: "k", pem }] }),
      policy("shown", { mode: "Warn", tenant: "team-a", publishers }),
    );
    const policies = await kubectl(["get", "cskp", "shown", "-o", "wide"]);
    expect(column(policies, "MODE")).toBe("Warn");
    expect(column(policies, "PUBLISHERS")).toBe("1");
    expect(column(policies, "TENANT")).toBe("team-a");
    expect(column(policies, "READY")).toBe("True");
    const roots = await kubectl(["get", "sktr", "shown"]);
    expect(column(roots, "KEYS")).toBe("1");
    expect(column(roots, "CERTIFICATES")).toBe("0");
    expect(column(roots, "READY")).toBe("True");
  });

  it("are listed together by their category", async () => {
    const names = await kubectl(["get", "skill-admission", "-o", "name"]);
    expect(names).toContain("clusterskillpolicy.skill-admission.dev/shown");
    expect(names).toContain("skilltrustroot.skill-admission.dev/shown");
  });

  it("are explained", async () => {
    const text = await kubectl(["explain", "clusterskillpolicy.spec.publishers"]);
    expect(text).toContain("Parties whose signature is accepted; one of them must have signed.");
    expect(text).toContain("certificate");
    expect(text).toContain("A signer with a bare key.");
  });
});

describe("kubectl apply refuses a policy, saying what is wrong, with", () => {
  const cases: readonly (readonly [what: string, spec: () => Part, says: RegExp])[] = [
    ["an unknown field", () => ({ publishers, mod: "Enforce" }), /unknown field "spec\.mod"/],
    ["no publishers", () => ({}), /spec\.publishers: Required value/],
    [
      "an empty list of publishers",
      () => ({ publishers: [] }),
      /spec\.publishers.*should have at least 1 items/,
    ],
    [
      "an unknown mode",
      () => ({ publishers, mode: "Enforced" }),
      /spec\.mode: Unsupported value: "Enforced"/,
    ],
    [
      "a publisher of both kinds",
      () => ({
        publishers: [{ name: "x", publicKey: { pem }, certificate: { trustRootRef: { name: "y" } } }],
      }),
      /give exactly one of certificate and publicKey/,
    ],
    [
      "noMatch without skills",
      () => ({ publishers, noMatch: "Allow" }),
      /noMatch has no effect without skills/,
    ],
    [
      "a date that has no effect",
      () => ({ publishers, unsigned: { until: "2030-01-01T00:00:00Z" } }),
      /until has no effect unless action is Warn/,
    ],
    [
      "a misspelt kind of source",
      () => ({ publishers, unverifiable: { PersistentVolume: "Allow" } }),
      /unknown field "spec\.unverifiable\.PersistentVolume"/,
    ],
    [
      "a relative skill root",
      () => ({ publishers, skillRoots: ["skills"] }),
      /give an absolute folder|skillRoots\[0\]/,
    ],
  ];

  it.each(cases)("%s", async (_what, spec, says) => {
    const { code, stderr } = await tryApply([policy("refused", spec())]);
    expect(code).toBe(1);
    expect(stderr).toMatch(says);
  });

  it("nothing wrong in it: it is taken", async () => {
    expect(await tryApply([policy("refused", { publishers })], "--dry-run=server")).toMatchObject({
      code: 0,
    });
  });

  it("is the same for a trust root without anything in it", async () => {
    const { stderr } = await tryApply([trustRoot("refused", {})]);
    expect(stderr).toContain("give at least one of certificates and keys");
  });
});

describe("a policy that names a trust root", () => {
  const space = "trust";
  const spec = (): Part => ({
    publishers: [{ name: "team", publicKey: { trustRootRef: { name: "late" } } }],
  });
  const message = () => kubectl(["get", "cskp", space, "-o", "jsonpath={.status.conditions[0].message}"]);

  it("says that there is none, and denies instead of letting through", async () => {
    await createNamespace(space, space);
    await apply(policy(space, spec()));
    await expect.poll(() => ready("cskp", space)).toBe("False");
    expect(await message()).toBe(
      "spec.publishers[0].publicKey.trustRootRef: there is no SkillTrustRoot late; create it, or name another",
    );
    const text = denial(await tryPod(good.skill, space));
    expect(text).toContain(`  INTERNAL the policy cannot be used: ${await message()}`);
    expect(text).toContain("  fix: an operator should look at the policy's status (kubectl get cskp)");
  });

  it("comes into force as soon as the trust root is there", async () => {
    await apply(trustRoot("late", { keys: [{ name: "k", pem }] }));
    await sleep(1000);
    expect(await ready("cskp", space)).toBe("True");
    expect(await tryPod(good.skill, space)).toMatchObject({ code: 0, stderr: "" });
    expect(denial(await tryPod(broken, space))).toContain("FILE_UNSIGNED extra.py");
  });

  it("denies again, when the trust root holds another key, and trusts what that one signs", async () => {
    const other = signedSkill();
    const otherPem = other.trust.keys[0]!.key.export({ type: "spki", format: "pem" });
    await enforce(trustRoot("late", { keys: [{ name: "k", pem: otherPem }] }));
    await sleep(500);
    expect(denial(await tryPod(good.skill, space))).toContain("UNTRUSTED_SIGNER");
    expect(await tryPod(other.skill, space)).toMatchObject({ code: 0, stderr: "" });
  });

  it("denies, when the trust root is deleted", async () => {
    await kubectl(["delete", "sktr", "late"]);
    await sleep(1000);
    expect(denial(await tryPod(good.skill, space))).toContain("there is no SkillTrustRoot late");
    expect(await ready("cskp", space)).toBe("False");
  });

  it("denies, when the trust root cannot be read", async () => {
    const garbled = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    await apply(trustRoot("late", { keys: [{ name: "k", pem: garbled }] }));
    await expect.poll(() => ready("sktr", "late")).toBe("False");
    expect(denial(await tryPod(good.skill, space))).toContain("the SkillTrustRoot late is not ready");
  });
});

describe("the mode", () => {
  const space = "modes";
  const setMode = (mode: string) => enforce(policy(space, { publishers, mode }));

  beforeAll(() => createNamespace(space, space));

  it("Enforce denies", async () => {
    await setMode("Enforce");
    expect(denial(await tryPod(broken, space))).toContain("FILE_UNSIGNED extra.py");
    expect(await tryPod(good.skill, space)).toMatchObject({ code: 0, stderr: "" });
  });

  it("Warn admits, and kubectl prints the warning", async () => {
    await setMode("Warn");
    const ran = await tryPod(broken, space);
    expect(ran.code).toBe(0);
    expect(warnings(ran)).toEqual([`${space}: skill data-designer: FILE_UNSIGNED extra.py`]);
    expect(await tryPod(good.skill, space)).toMatchObject({ code: 0, stderr: "" });
    expect(await product.decision("Pod", ran.name)).toMatchObject({ decision: "warn" });
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
    expect(await product.metrics()).toMatch(
      /^skill_admission_violations_total\{.*policy="modes".*reason="FILE_UNSIGNED".*enforced="false".*\} [1-9]/m,
    );
  });

  it("takes effect within a second of its change, both ways", async () => {
    for (const [mode, code] of [
      ["Enforce", 1],
      ["Audit", 0],
      ["Enforce", 1],
    ] as const) {
      await kubectl(["patch", "cskp", space, "--type=merge", "-p", JSON.stringify({ spec: { mode } })]);
      await sleep(1000);
      expect((await tryPod(broken, space)).code, mode).toBe(code);
    }
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
    await enforce(policy(space, until(Date.now() + 3600_000)));
    const ran = await tryPod(skillOf("legacy"), space);
    expect(ran.code).toBe(0);
    expect(warnings(ran)).toEqual([`${space}: skill legacy: UNSIGNED there is no signature`]);
    expect(denial(await tryPod(broken, space))).toContain("FILE_UNSIGNED extra.py");
    await enforce(policy(space, until(Date.now() - 1000)));
    expect(denial(await tryPod(skillOf("legacy"), space))).toContain("  UNSIGNED there is no signature");
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
    await kubectl(["label", "namespace", space, `tenant=${space}`]);
    await sleep(1000);
    expect(denial(await tryPod(broken, space))).toContain("FILE_UNSIGNED extra.py");
    await kubectl(["label", "namespace", space, "tenant-"]);
    await sleep(1000);
    expect(await tryPod(broken, space)).toMatchObject({ code: 0, stderr: "" });
  });

  it("hold in a namespace from its first moment", async () => {
    const space = "brand-new";
    await enforce(policy(space, { publishers }));
    const namespace = {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: space, labels: { tenant: space } },
    };
    const ran = await tryApply([namespace, ...ship(broken, space, "first").all]);
    expect(denial(ran)).toContain("FILE_UNSIGNED extra.py");
  });

  it("are gone when they are deleted", async () => {
    await kubectl(["delete", "cskp", "brand-new"]);
    await sleep(1000);
    expect((await tryKubectl(["get", "cskp", "brand-new"])).code).toBe(1);
    expect(await tryPod(broken, "brand-new")).toMatchObject({ code: 0, stderr: "" });
  });
});
