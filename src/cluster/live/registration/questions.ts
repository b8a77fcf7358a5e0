import { selfCheckName } from "../../../admission/self-check.ts";
import { carriers, type Carrier } from "../../../workload/carriers/carriers.ts";
import {
  immutableOnly,
  notAMirrorPod,
  notOnlyMetadata,
  notTheClusterCa,
  notTheNamespaceController,
  notTheSameFiles,
  notTheSameTemplate,
  type MatchCondition,
} from "./match-conditions.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly ("CREATE" | "UPDATE" | "DELETE")[];
}

/** One webhook, wherever it asks. */
export interface Question {
  /** First part of the webhook's name. */
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly matchConditions: readonly MatchCondition[];
}

const written = ["CREATE", "UPDATE"] as const;

const [pods, ...controllers] = carriers;

/** Rules, one for each API group. */
const rulesFor = (kinds: readonly Carrier[]): readonly Rule[] =>
  [...Map.groupBy(kinds, ({ group }) => group)].map(([group, ofGroup]) => ({
    apiGroups: [group],
    resources: ofGroup.map(({ resource }) => resource),
    operations: written,
  }));

/** The webhooks of every governed namespace. */
export const questions = (closingLabels: readonly string[]): readonly Question[] => [
  {
    name: "pods",
    rules: [
      ...rulesFor([pods]),
      { apiGroups: [""], resources: ["pods/ephemeralcontainers"], operations: ["UPDATE"] },
    ],
    matchConditions: [notOnlyMetadata(pods, closingLabels), notAMirrorPod],
  },
  {
    name: "controllers",
    rules: rulesFor(controllers),
    matchConditions: [notTheSameTemplate(controllers)],
  },
  {
    name: "configmaps",
    rules: [{ apiGroups: [""], resources: ["configmaps"], operations: written }],
    matchConditions: [notTheSameFiles, notTheClusterCa],
  },
  {
    name: "deletions",
    rules: [{ apiGroups: [""], resources: ["configmaps"], operations: ["DELETE"] }],
    matchConditions: [immutableOnly, notTheNamespaceController],
  },
];

/** Asked by the controller itself, never by others: only a dry run of a Lease of this name. */
export const selfQuestion: Question = {
  name: "self",
  rules: [{ apiGroups: ["coordination.k8s.io"], resources: ["leases"], operations: ["CREATE"] }],
  matchConditions: [
    {
      name: "the-controllers-own-dry-run",
      expression: `request.dryRun && request.name == '${selfCheckName}'`,
    },
  ],
};

/** Both ways to bind a pod: `bindings` is the older one. No other write sets the node of a stored pod. */
export const bindingQuestion: Question = {
  name: "bindings",
  rules: [{ apiGroups: [""], resources: ["pods/binding", "bindings"], operations: ["CREATE"] }],
  matchConditions: [],
};
