import { ownKinds, ownResources, type OwnKind } from "../../src/policy/resource/kinds.ts";

export interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly jsonPath: string;
  readonly description: string;
  /** 1: shown only with `-o wide`. */
  readonly priority?: number;
}

/** Texts for `kubectl` and the reference page, besides the schemas. */
interface Presentation {
  /** First paragraph of `kubectl explain` and of the page. */
  readonly description: string;
  readonly columns: readonly PrinterColumn[];
  /** A complete example, YAML. */
  readonly example: string;
}

const ready: readonly PrinterColumn[] = [
  {
    name: "Ready",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    description: "Is it in force as written.",
  },
  {
    name: "Reason",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
    description: "Why it is, or is not.",
    priority: 1,
  },
  {
    name: "Message",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="Ready")].message',
    description: "What is wrong, and what to do.",
    priority: 1,
  },
  {
    name: "Age",
    type: "date",
    jsonPath: ".metadata.creationTimestamp",
    description: "Time since its creation.",
  },
];

const presentations: Readonly<Record<OwnKind, Presentation>> = {
  ClusterSkillPolicy: {
    description:
      "Says which agent skills may be brought into which namespaces: whose signatures are accepted, what the evidence about a " +
      "skill must reach, and what happens to a skill that falls short. All policies that govern a namespace must be met.",
    columns: [
      { name: "Mode", type: "string", jsonPath: ".spec.mode", description: "Enforce, Warn or Audit." },
      {
        name: "Publishers",
        type: "integer",
        jsonPath: ".status.publishers",
        description: "Publishers whose signature is accepted.",
      },
      {
        name: "Tenant",
        type: "string",
        jsonPath: ".spec.tenant",
        description: "Tenant in metrics and logs.",
        priority: 1,
      },
      ...ready,
    ],
    example: `apiVersion: skill-admission.dev/v1alpha1
kind: ClusterSkillPolicy
metadata:
  name: payments
spec:
  mode: Enforce
  tenant: payments
  namespaceSelector:
    matchLabels: { tenant: payments }
  skillRoots: [/opt/agent/skills]
  skills:
    - names: ["cuopt-*", data-designer]
      sources: [ConfigMap, Projected]
  publishers:
    - name: nvidia
      certificate:
        trustRootRef: { name: nvidia-agent }
        subject: { organization: NVIDIA Corporation }
    - name: payments-team
      publicKey:
        trustRootRef: { name: payments, key: release }
  evidence:
    integrity: STRONG
    authorship: STRONG
  card:
    required: true
    fields: [description, owner, license, risks]
    mitigationPerRisk: true
    licenses: { allow: [Apache-2.0, MIT, CC-BY-4.0] }
    permissions: { deny: ["Bash(*)", "network:egress"] }
  revocation:
    listRefs: [{ name: org-revoked }]
  immutability: { configMap: Required, readOnlyMount: Required }
  unverifiable: { default: Deny, PersistentVolumeClaim: Warn }
  unsigned: { action: Warn, until: "2027-01-31T00:00:00Z" }
`,
  },
  SkillTrustRoot: {
    description:
      "Holds certificates and public keys from which publishers of skills are checked, so that they are rotated in one place. " +
      "It grants nothing by itself: policies name it.",
    columns: [
      {
        name: "Certificates",
        type: "integer",
        jsonPath: ".status.certificates",
        description: "Certificates read.",
      },
      {
        name: "Keys",
        type: "integer",
        jsonPath: ".status.keys",
        description: "Keys read, of signers and registries.",
      },
      {
        name: "Sigstore",
        type: "integer",
        jsonPath: ".status.sigstore",
        description: "Sigstore instances trusted.",
      },
      {
        name: "Expires",
        type: "string",
        jsonPath: ".status.expires",
        description: "When the next of its entries ends.",
      },
      {
        name: "Expiring",
        type: "string",
        jsonPath: ".status.expiring",
        description: "The entry that ends next.",
        priority: 1,
      },
      ...ready,
    ],
    example: `apiVersion: skill-admission.dev/v1alpha1
kind: SkillTrustRoot
metadata:
  name: payments
spec:
  keys:
    - name: release
      notAfter: "2027-12-31T00:00:00Z"
      pem: |
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEii6edT4gf0z3k4/c8dMel9HZGctq
        J0jdGtypTeMOB3jBaX6Vd1wxSoYQlhD0+0KTV0CtoSS+y6OQMYUoh8F8ng==
        -----END PUBLIC KEY-----
`,
  },
  SkillRevocationList: {
    description:
      "Names what is refused whatever else holds: skills, files, certificates, keys and keyless identities. Every list counts for every " +
      "policy, from the moment it is there. While one cannot be read, every policy denies, for nobody knows then what it revokes.",
    columns: [
      ...(["Skills", "Files", "Certificates", "Keys", "Identities"] as const).map((name) => ({
        name,
        type: "integer" as const,
        jsonPath: `.status.${name.toLowerCase()}`,
        description: `${name} that are revoked.`,
      })),
      ...ready,
    ],
    example: `apiVersion: skill-admission.dev/v1alpha1
kind: SkillRevocationList
metadata:
  name: org-revoked
spec:
  skills:
    - digest: sha256:6ef1fd0e2d3c4d4f5e4f2f7bd0b1a3b6a5d3a1f9c2a24bb1c1f1d7a3b0f8e9aa
      reason: exfiltrates credentials (SEC-1234)
      revokedAt: "2026-11-21T08:00:00Z"
  keys:
    - digest: sha256:7db647f4b363a944b2a9c5d0b7e6a1c88f3f5e3d5a1b0c9d8e7f6a5b4c3d2e1f
      reason: laptop of a signer was stolen
  identities:
    - identity: https://github.com/acme/skills/.github/workflows/release.yml@refs/heads/main
      issuer: https://token.actions.githubusercontent.com
      reason: workflow was open to pull requests from forks
`,
  },
};

/** The custom resources: source of the CRDs and their pages. */
export const resources = ownKinds.map((kind) => ({ kind, ...ownResources[kind], ...presentations[kind] }));

export type Resource = (typeof resources)[number];
