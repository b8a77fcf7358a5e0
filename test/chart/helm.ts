import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { projectRoot, toolPath } from "../cluster/harness/binaries.ts";
import type { Ran } from "../fixtures/run-command.ts";
import { kubeconfig } from "../cluster/harness/opened.ts";

export const chart = join(projectRoot, "charts/skill-admission");

type Labels = Readonly<Record<string, string>>;

export interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: object;
  readonly containers: readonly [
    {
      readonly image: string;
      readonly args: readonly string[];
      readonly ports: readonly object[];
      readonly securityContext: object;
      readonly resources: { readonly limits: Labels };
    },
  ];
  readonly priorityClassName?: string;
  readonly terminationGracePeriodSeconds: number;
  readonly topologySpreadConstraints: readonly object[];
  readonly volumes: readonly { readonly name: string; readonly secret: { readonly secretName: string } }[];
}

interface NetworkRule {
  readonly ports: readonly object[];
  readonly from: readonly object[];
}

/** Of every kind what the tests look at: which of it is there depends on the kind. */
interface Spec {
  readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
  readonly selector: { readonly matchLabels: Labels };
  readonly activeDeadlineSeconds: number;
  readonly ports: readonly { readonly name: string }[];
  readonly endpoints: readonly [{ readonly port: string }];
  readonly podSelector: { readonly matchLabels: Labels };
  readonly ingress: readonly [NetworkRule];
  readonly egress: readonly [NetworkRule, ...NetworkRule[]];
  readonly scopeSelector: { readonly matchExpressions: readonly object[] };
  readonly dnsNames: readonly string[];
  readonly issuerRef: object;
  readonly secretName: string;
  readonly strategy: { readonly rollingUpdate: object };
  readonly mode: string;
}

/** One thing that a role allows. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** An object of the chart, loosely. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Labels;
    readonly annotations?: Labels;
  };
  readonly spec: Spec;
  readonly rules: readonly Rule[];
  readonly data?: object;
}

/** Runs helm against the test's cluster; does not throw when the command fails. */
export async function tryHelm(args: readonly string[], cwd = projectRoot): Promise<Ran> {
  const path = await toolPath("helm");
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  return await new Promise((resolve) => {
    execFile(path, args, { env, cwd, maxBuffer: 32 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, stdout, stderr });
    });
  });
}

/** Calls a function with a file of values, JSON being YAML. */
export async function withValues<T>(values: object, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "skill-admission-values-"));
  try {
    const file = join(folder, "values.yaml");
    await writeFile(file, JSON.stringify(values));
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Each set of values is rendered once. */
function once<T>(make: (values: object, namespace: string) => Promise<T>) {
  const made = new Map<string, Promise<T>>();
  return (values: object = {}, namespace = "skill-admission"): Promise<T> => {
    const key = JSON.stringify([values, namespace]);
    const known = made.get(key) ?? make(values, namespace);
    made.set(key, known);
    return known;
  };
}

/** `helm template` with these values, without a cluster. */
export const tryTemplate = once<Ran>((values, namespace) =>
  withValues(values, (file) =>
    tryHelm(["template", "skill-admission", chart, "--namespace", namespace, "--values", file]),
  ),
);

/** The objects that the chart makes of these values, hooks included. */
const renderAll = once<readonly Rendered[]>(async (values, namespace) => {
  const { code, stdout, stderr } = await tryTemplate(values, namespace);
  if (code !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
});

const isTest = ({ metadata }: Rendered): boolean => metadata.annotations?.["helm.sh/hook"] === "test";

/** What is installed, and what is run before it is uninstalled. */
export const render = once<readonly Rendered[]>(async (values, namespace) =>
  (await renderAll(values, namespace)).filter((object) => !isTest(object)),
);

/** What `helm test` makes. */
export const renderTest = once<readonly Rendered[]>(async (values, namespace) =>
  (await renderAll(values, namespace)).filter(isTest),
);

/** The one object of a kind, by its name where there are several. */
export function one(objects: readonly Rendered[], kind: string, name?: string): Rendered {
  const found = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  if (found.length !== 1)
    throw new Error(`${found.length} of kind ${kind}${name === undefined ? "" : ` named ${name}`}`);
  return found[0]!;
}

/** A value at a path of dots, with everything else as it is by default. */
export const valueAt = (path: string, value: unknown): object =>
  path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
