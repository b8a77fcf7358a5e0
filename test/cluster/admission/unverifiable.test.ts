import { generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { kubectl } from "../harness/cluster.ts";
import { sharedProduct, type SharedProduct } from "./product.ts";
import { createNamespace, denial, enforce, policy, tryApply, warnings, type Part } from "./world.ts";

const sources: Readonly<Record<string, { readonly kind: string; readonly type: Part }>> = {
  "image volume": { kind: "Image", type: { image: { reference: "example.invalid/skills@sha256:0" } } },
  emptyDir: { kind: "EmptyDir", type: { emptyDir: {} } },
  "persistent volume claim": {
    kind: "PersistentVolumeClaim",
    type: { persistentVolumeClaim: { claimName: "skills" } },
  },
  "CSI volume": { kind: "CSI", type: { csi: { driver: "model.csi.example.org" } } },
  "host path": { kind: "HostPath", type: { hostPath: { path: "/srv/skills" } } },
  "ephemeral volume": {
    kind: "Ephemeral",
    type: {
      ephemeral: {
        volumeClaimTemplate: {
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
        },
      },
    },
  },
  Secret: { kind: "Secret", type: { secret: { secretName: "skills" } } },
  "downward API": {
    kind: "DownwardAPI",
    type: {
      downwardAPI: {
        items: [{ path: "x/SKILL.md", fieldRef: { fieldPath: "metadata.annotations['skill']" } }],
      },
    },
  },
  "projected token": {
    kind: "Projected",
    type: { projected: { sources: [{ serviceAccountToken: { path: "x/SKILL.md" } }] } },
  },
};

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
    await kubectl(
      ["-n", namespace, "apply", "-f", "-"],
      JSON.stringify({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "skills" },
        stringData: { "SKILL.md": "x" },
      }),
    );
  }
  await enforce(
    policy(spaces.Deny, { publishers }),
    policy(spaces.Warn, { publishers, unverifiable: { default: "Warn" } }),
    policy(spaces.Allow, { publishers, unverifiable: { default: "Allow" } }),
    policy(spaces.mixed, { publishers, unverifiable: { default: "Allow", Image: "Warn", HostPath: "Deny" } }),
  );
}, 60_000);

const podWith = (namespace: string, type: Part, mountPath: string): Part => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: `pod-${(pods += 1)}`, namespace },
  spec: {
    // The API server wants to know whose token a projected one is.
    serviceAccountName: "default",
    containers: [{ name: "agent", image: "example.invalid/a", volumeMounts: [{ name: "v", mountPath }] }],
    volumes: [{ name: "v", ...type }],
  },
});

const nameOf = (pod: Part): string => (pod["metadata"] as { readonly name: string }).name;

describe.each(Object.entries(sources))("skills from an unreadable source: %s", (_name, { kind, type }) => {
  it.each(["/skills", "/skills/x", "/opt/data/skills"])("are denied at %s", async (mountPath) => {
    const pod = podWith(spaces.Deny, type, mountPath);
    const text = denial(await tryApply([pod]));
    expect(text).toContain(
      `policy "${spaces.Deny}" denied Pod ${spaces.Deny}/${nameOf(pod)}: 1 of 1 skill failed`,
    );
    expect(text).toContain("  SOURCE_UNVERIFIABLE ");
    expect(text).toContain("  fix: deliver the skill as immutable ConfigMaps (skill-admission package)");
    const { verdicts } = await product.decision("Pod", nameOf(pod));
    expect(verdicts?.[0]?.skills[0]).toMatchObject({
      sources: [expect.stringMatching(new RegExp(`^${kind} `)) as string],
    });
  });

  it("pass with a warning, when the policy warns", async () => {
    const ran = await tryApply([podWith(spaces.Warn, type, "/skills/x")]);
    expect(ran.code).toBe(0);
    expect(warnings(ran).join("\n")).toContain(`${spaces.Warn}: skill x: SOURCE_UNVERIFIABLE `);
  });

  it("pass without a word, when the policy allows them", async () => {
    const pod = podWith(spaces.Allow, type, "/skills/x");
    expect(await tryApply([pod])).toMatchObject({ code: 0, stderr: "" });
    expect(await product.decision("Pod", nameOf(pod))).toMatchObject({ decision: "allow" });
  });

  it("are no matter away from every skill root", async () => {
    const pod = podWith(spaces.Deny, type, "/var/lib/data");
    const ran = await tryApply([pod]);
    // A file that is called SKILL.md is a skill wherever it lies.
    if (kind === "DownwardAPI" || kind === "Projected") expect(denial(ran)).toContain("SOURCE_UNVERIFIABLE");
    else expect(ran).toMatchObject({ code: 0, stderr: "" });
  });
});

/** Volumes whose files are not named in the pod could hold a skill root, if they lie above one. */
describe("a volume above a skill root", () => {
  const above = Object.entries(sources).filter(
    ([, { kind }]) => !["DownwardAPI", "Projected", "Secret"].includes(kind),
  );

  it.each(above)("is denied: %s at /opt/data, /home/agent and /root", async (_name, { type }) => {
    for (const path of ["/opt/data", "/home/agent", "/root"]) {
      const text = denial(await tryApply([podWith(spaces.Deny, type, path)]));
      expect(text).toContain("  SOURCE_UNVERIFIABLE ");
    }
  });
});

describe("a policy that answers by kind", () => {
  it.each([
    ["image volume", "warn"],
    ["host path", "deny"],
    ["emptyDir", "allow"],
  ])("%s: %s", async (name, decision) => {
    const pod = podWith(spaces.mixed, sources[name]!.type, "/skills/x");
    await tryApply([pod]);
    expect(await product.decision("Pod", nameOf(pod))).toMatchObject({ decision });
  });
});
