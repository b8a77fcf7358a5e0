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

const expiry: readonly PrinterColumn[] = [
  {
    name: "Expires",
    type: "string",
    jsonPath: ".status.expires",
    description: "When the next of its entries ends, or a policy's `unsigned.until`.",
  },
  {
    name: "Expiring",
    type: "string",
    jsonPath: ".status.expiring",
    description: "The entry that ends next.",
    priority: 1,
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
        name: "Noncompliant",
        type: "integer",
        jsonPath: ".status.noncompliantWorkloads",
        description: "Workloads that are stored and do not meet it.",
      },
      ...expiry,
      {
        name: "Tenant",
        type: "string",
        jsonPath: ".spec.tenant",
        description: "Tenant in metrics and logs.",
        priority: 1,
      },
      ...ready,
    ],
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
        name: "Revoked",
        type: "integer",
        jsonPath: ".status.revoked",
        description: "Entries of which a revocation list names something.",
        priority: 1,
      },
      {
        name: "Unused",
        type: "integer",
        jsonPath: ".status.unused",
        description: "Entries that match nothing.",
        priority: 1,
      },
      ...expiry,
      ...ready,
    ],
  },
  SkillRevocationList: {
    description:
      "Names what is refused whatever else holds: skills, files, certificates, keys and keyless identities. Every list counts for every " +
      "policy, from the moment it is there. While one cannot be read, every policy denies, for nobody knows then what it revokes.",
    columns: [
      {
        name: "Enforcement",
        type: "string",
        jsonPath: ".spec.enforcement",
        description:
          "Policy: as the policies' modes say. Always: whatever they say, and where there is none.",
      },
      ...(["Skills", "Files", "Certificates", "Keys", "Identities"] as const).map((name) => ({
        name,
        type: "integer" as const,
        jsonPath: `.status.${name.toLowerCase()}`,
        description: `${name} that are revoked.`,
      })),
      {
        name: "Matched",
        type: "integer",
        jsonPath: ".status.matched",
        description: "Entries that name something that runs or is trusted.",
      },
      ...ready,
    ],
  },
};

/** The custom resources: source of the CRDs and their pages. */
export const resources = ownKinds.map((kind) => ({ kind, ...ownResources[kind], ...presentations[kind] }));

export type Resource = (typeof resources)[number];
