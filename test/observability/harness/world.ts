import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import "reflect-metadata";
import { SubjectAlternativeNameExtension } from "@peculiar/x509";
import { apply } from "../../cluster/harness/apply.ts";
import { kubectl } from "../../cluster/harness/cluster.ts";
import { createNamespace } from "../../cluster/harness/namespaces.ts";
import { issueAuthority, issueCertificate } from "../../fixtures/certificates.ts";
import { podReview } from "../../fixtures/review.ts";
import { withFiles } from "../../fixtures/signed-skill.ts";
import { testSigstore } from "../../fixtures/sigstore.ts";
import { TufRepository } from "../../fixtures/tuf-repository.ts";
import { tufServer } from "../../fixtures/tuf-server.ts";
import { changed, configMapOf, podFor, policyObject, published } from "../../unit/admission/world.ts";
import { startProduct, writeState, type Product } from "./product.ts";
import { kubeconfig } from "../../cluster/harness/opened.ts";
import { skillTrustRoot } from "../../fixtures/resources.ts";

const namespaceObject = (name: string, labels: Readonly<Record<string, string>> = {}): object => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: { tenant: name, ...labels } },
});

async function trustRoot(name: string, notAfter: number): Promise<object> {
  const { pem } = await issueAuthority({ notBefore: -30, notAfter });
  return skillTrustRoot(name, { certificates: [{ name: "ca", pem }] });
}

/** A TUF repository, where it can be had. */
export interface Mirror {
  readonly url: string;
  /** Text of its root.json. */
  readonly root: string;
  stop(): Promise<void>;
}

/** A mirror that answers as it should. */
export async function startMirror(): Promise<Mirror> {
  const repository = new TufRepository();
  repository.publish(JSON.stringify((await testSigstore()).trustedRoot));
  const server = await tufServer(repository.files);
  return { url: server.url, root: repository.root, stop: () => server.close() };
}

/** A trust root that follows a mirror, and has something in its place. */
const mirrored = (url: string, root: string): object =>
  skillTrustRoot("mirrored", {
    sigstore: [{ name: "ours", instance: "PublicGood", tuf: { mirror: url, root } }],
  });

const configMapNames = { published: "skills-etl", changed: "skills-bad", "changed again": "skills-worse" };

/** A pod that brings in a skill: as it was published, or changed since. */
export const podWith = (which: keyof typeof configMapNames): object => {
  const { items } = configMapOf(published.skill);
  const pod = JSON.stringify(podFor(items));
  return JSON.parse(pod.replace('"skills-etl"', `"${configMapNames[which]}"`)) as object;
};

/** A skill of one file, not signed, in a ConfigMap of this namespace; and a pod with it. */
const unsignedConfigMap = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "unsigned", namespace: "staging" },
  data: {
    "SKILL.md": "---\nname: notes\ndescription: Keeps notes. Use when something is to be kept.\n---\n",
  },
};
export const podUnsigned: object = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "unsigned", namespace: "staging" },
  spec: {
    volumes: [{ name: "skill", configMap: { name: "unsigned" } }],
    containers: [
      { name: "agent", image: "agent", volumeMounts: [{ name: "skill", mountPath: "/skills/notes" }] },
    ],
  },
};

export const podPlain: object = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "plain", namespace: "payments" },
  spec: { containers: [{ name: "web", image: "web" }] },
};

/** The review that an API server would send. */
/** A review of a pod; by another name than the pod's it is no attempt at the same again. */
export const reviewOf = (object: object, namespace = "payments", name?: string): object =>
  podReview(object, { namespace, ...(name === undefined ? {} : { name }) });

const worse = withFiles(published.skill, { "SKILL.md": "---\nname: data-designer\n---\nDo as you like.\n" });
const configMaps = [
  configMapOf(published.skill).object,
  configMapOf(changed, configMapNames.changed).object,
  configMapOf(worse, configMapNames["changed again"]).object,
];

/** All in order: two tenants' worth of policy, an authority that lasts, a mirror that answers, on a folder of manifests. */
export async function startHealthy(folder: string, { url, root }: Mirror): Promise<Product> {
  const roots = [await trustRoot("long", 400), mirrored(url, root)];
  const objects = [namespaceObject("payments"), policyObject(), ...roots, ...configMaps];
  const state = await writeState(folder, ...objects);
  return startProduct({ folder, args: ["--state", state, "--tuf-mirror", url, "--metrics-namespaces=10"] });
}

/** All in order, beside the test's cluster, and the leader by its Lease. */
export async function startLive(folder: string): Promise<Product> {
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "manifests/crds"]);
  await kubectl(["wait", "--for=condition=Established", "--timeout=60s", "-f", "manifests/crds"]);
  for (const name of ["payments", "skill-admission"]) await createNamespace(name, { tenant: name });
  await apply(policyObject(), ...configMaps);
  const lease = ["--lease", "skill-admission", "--namespace", "skill-admission"];
  return startProduct({ folder, args: ["--kubeconfig", kubeconfig, ...lease] });
}

/** Much is wrong: a policy that names no trust root that there is, authorities that end, a certificate for half a day, no mirror. */
export async function startSick(folder: string, { root }: Mirror): Promise<Product> {
  // A port that nobody may listen on.
  const nowhere = "http://127.0.0.1:1";
  const authority = await issueAuthority({ subject: "CN=Webhook CA" });
  const address = new SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }]);
  const options = { subject: "CN=webhook", issuer: authority, notAfter: 0.5, extensions: [address] };
  const leaf = await issueCertificate(options);
  const [certFile, keyFile] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  const missing = [{ name: "nobody", certificate: { trustRootRef: { name: "missing" } } }];
  const broken = { publishers: missing, namespaceSelector: { matchLabels: { tenant: "nobody" } } };
  const warning = { mode: "Warn", namespaceSelector: { matchLabels: { tenant: "staging" } } };
  const state = await writeState(
    folder,
    namespaceObject("payments"),
    namespaceObject("staging"),
    policyObject(),
    policyObject(broken, "broken"),
    policyObject(warning, "staging"),
    await trustRoot("five-days", 5),
    await trustRoot("over", -2),
    mirrored(nowhere, root),
    unsignedConfigMap,
    ...configMaps,
  );
  await writeFile(certFile, leaf.pem);
  await writeFile(keyFile, leaf.keyPem);
  return startProduct({
    folder,
    args: [
      ...["--state", state, "--tls-cert-file", certFile, "--tls-key-file", keyFile],
      ...["--tuf-mirror", nowhere],
    ],
    env: { SOURCE_REVISION: "one" },
    ca: authority.pem,
  });
}

/** Beside an API server that is not there. */
export async function startCutOff(folder: string): Promise<Product> {
  const file = join(folder, "kubeconfig");
  const text = JSON.parse(await readFile(kubeconfig, "utf8")) as {
    clusters: { cluster: { server: string } }[];
  };
  // A port that nobody may listen on.
  for (const { cluster } of text.clusters) cluster.server = "https://127.0.0.1:1";
  await writeFile(file, JSON.stringify(text), { mode: 0o600 });
  const env = { SOURCE_REVISION: "two" };
  return startProduct({ folder, args: ["--kubeconfig", file], env, readiness: 503 });
}

/** Runs, and has no policy. */
export async function startBare(folder: string): Promise<Product> {
  const state = await writeState(folder, namespaceObject("payments"));
  return startProduct({ folder, args: ["--state", state] });
}
