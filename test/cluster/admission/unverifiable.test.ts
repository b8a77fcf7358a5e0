import { generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { apply } from "../harness/apply.ts";
import { unreadableSources } from "../../fixtures/unreadable-sources.ts";
import { sharedProduct, type SharedProduct } from "./product.ts";
import { createNamespace, denial, enforce, policy, tryApply, warnings, type Part } from "./world.ts";

const spaces = {
  Deny: "source-deny",
  Warn: "source-warn",
  Allow: "source-allow",
  mixed: "source-mixed",
} as const;

let product: SharedProduct;
let pods = 0;

beforeAll(async () => {
  const pem = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  }).publicKey;
  const publishers = [{ name: "team", publicKey: { pem } }];
  product = await sharedProduct();
  for (const namespace of Object.values(spaces)) {
    await createNamespace(namespace, namespace);
    await apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "skills", namespace },
      stringData: { "SKILL.md": "x" },
    });
  }
  await enforce(
    policy(spaces.Deny, { publishers }),
    policy(spaces.Warn, { publishers, unverifiable: { default: "Warn" } }),
    policy(spaces.Allow, { publishers, unverifiable: { default: "Allow" } }),
    policy(spaces.mixed, { publishers, unverifiable: { default: "Allow", Image: "Warn", HostPath: "Deny" } }),
  );
});

/** Writes the volume too, where only that makes it count. */
const writersOf = (type: Part): readonly Part[] =>
  "emptyDir" in type
    ? [{ name: "writer", image: "example.invalid/b", volumeMounts: [{ name: "v", mountPath: "/out" }] }]
    : [];

const podWith = (namespace: string, type: Part, mountPath: string): Part => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: `pod-${(pods += 1)}`, namespace },
  spec: {
    containers: [
      { name: "agent", image: "example.invalid/a", volumeMounts: [{ name: "v", mountPath }] },
      ...writersOf(type),
    ],
    volumes: [{ name: "v", ...type }],
  },
});

const nameOf = (pod: Part): string => (pod["metadata"] as { readonly name: string }).name;

// Every place and every answer for each of them: test/unit/admission/unverifiable.test.ts.
describe.each(Object.entries(unreadableSources))("skills from an unreadable source: %s", (_name, source) => {
  it("are denied at /skills/x", async () => {
    const pod = podWith(spaces.Deny, source.type, "/skills/x");
    const text = denial(await tryApply([pod]));
    expect(text).toContain(
      `policy "${spaces.Deny}" denied Pod ${spaces.Deny}/${nameOf(pod)}: 1 place cannot be verified`,
    );
    expect(text).toContain("  SOURCE_UNVERIFIABLE ");
    expect(text).toContain("  fix: deliver the skill as immutable ConfigMaps (skill-admission package)");
    const { verdicts } = await product.decision("Pod", nameOf(pod));
    expect(verdicts?.[0]?.skills[0]).toMatchObject({
      sources: [expect.stringMatching(new RegExp(`^${source.kind} `)) as string],
    });
  });
});

describe("skills from an unreadable source: image volume", () => {
  const { type } = unreadableSources["image volume"]!;

  it("pass with a warning, when the policy warns", async () => {
    const ran = await tryApply([podWith(spaces.Warn, type, "/skills/x")]);
    expect(ran.code).toBe(0);
    expect(warnings(ran).join("\n")).toContain(`${spaces.Warn}: /skills/x`);
  });

  it("pass without a word, when the policy allows them", async () => {
    const pod = podWith(spaces.Allow, type, "/skills/x");
    expect(await tryApply([pod])).toMatchObject({ code: 0, stderr: "" });
    await product.decision("Pod", nameOf(pod), { decision: "allow" });
  });

  it("are no matter away from every skill root", async () => {
    const pod = podWith(spaces.Deny, type, "/var/lib/data");
    expect(await tryApply([pod])).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("a volume above a skill root", () => {
  it("is denied: an emptyDir that another container writes, at /home/agent", async () => {
    const pod = podWith(spaces.Deny, unreadableSources["emptyDir"]!.type, "/home/agent");
    expect(denial(await tryApply([pod]))).toContain("  SOURCE_UNVERIFIABLE ");
  });
});

describe("a policy that answers by kind", () => {
  it.each([
    ["image volume", "warn"],
    ["host path", "deny"],
    ["emptyDir", "allow"],
  ])("%s: %s", async (name, decision) => {
    const pod = podWith(spaces.mixed, unreadableSources[name]!.type, "/skills/x");
    await tryApply([pod]);
    await product.decision("Pod", nameOf(pod), { decision });
  });
});
