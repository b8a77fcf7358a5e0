import { generateKeyPairSync } from "node:crypto";
import type { OwnKind } from "../../../src/policy/resource/kinds.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";

/** A public key that every valid case uses. */
export const publicKey = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .publicKey.export({ type: "spki", format: "pem" })
  .toString();

export type Spec = Readonly<Record<string, unknown>>;

export const publishers = [{ name: "team", publicKey: { pem: publicKey } }];

/** A spec, and which fields must be named when it is refused; undefined where it must be taken. */
export interface ResourceCase {
  readonly kind: OwnKind;
  readonly name: string;
  readonly spec: unknown;
  readonly refused?: RegExp;
}

const policy = (name: string, spec: Spec, refused?: RegExp): ResourceCase => ({
  kind: "ClusterSkillPolicy",
  name,
  spec: { publishers, ...spec },
  ...(refused === undefined ? {} : { refused }),
});

const root = (name: string, spec: unknown, refused?: RegExp): ResourceCase => ({
  kind: "SkillTrustRoot",
  name,
  spec,
  ...(refused === undefined ? {} : { refused }),
});

const timed = (period: Spec): Spec => ({ keys: [{ name: "a", pem: publicKey, ...period }] });

const list = (name: string, spec: unknown, refused?: RegExp): ResourceCase => ({
  kind: "SkillRevocationList",
  name,
  spec,
  ...(refused === undefined ? {} : { refused }),
});

const digest = `sha256:${"ab".repeat(32)}`;
const revokedSkill = (changes: Spec): Spec => ({ skills: [{ digest, reason: "why", ...changes }] });
const revokedIdentity = (content: Spec): Spec => ({ identities: [content] });
const identity = { identity: "me@example.com", issuer: "https://issuer.example.com", reason: "why" };

const expression = (requirement: Spec): Spec => ({ namespaceSelector: { matchExpressions: [requirement] } });
const certificate = (content: unknown): Spec => ({ publishers: [{ name: "p", certificate: content }] });
const key = (content: unknown): Spec => ({ publishers: [{ name: "p", publicKey: content }] });
const ref = { trustRootRef: { name: "r" } };
const keyless = (content: Spec): Spec => {
  const spec: Spec = { trustRootRef: { name: "r" }, issuer: "https://issuer.example.com", ...content };
  const given = Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined));
  return { publishers: [{ name: "p", keyless: given }] };
};
const vett = (content: Spec): Spec => {
  const spec: Spec = { trustRootRef: { name: "r", registry: "vett" }, skills: [skill()], ...content };
  const given = Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined));
  return { publishers: [{ name: "p", vett: given }] };
};
const skill = (over: Spec = {}): Spec => ({ name: "etl", version: "1.0.0", hash: "a".repeat(64), ...over });
const registry = (over: Spec = {}, keyOver: Spec = {}): Spec => ({
  sigstore: [{ name: "public", instance: "PublicGood" }],
  vett: [
    {
      name: "vett",
      sigstore: "public",
      keys: [{ hint: "v1", pem: publicKey, notBefore: "2025-02-04T00:00:00Z", ...keyOver }],
      ...over,
    },
  ],
});
const certificatePem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const privatePem = `${publicKey}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`;
const many = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `n${index}`);

const crlPem = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
const withCrl = (content: Spec): Spec => {
  const spec: Spec = { name: "crl", pem: crlPem, ...content };
  const crl = Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined));
  return { certificates: [{ name: "a", pem: certificatePem }], crls: [crl] };
};

/** Every field of the schema, taken and refused: a field that is misread in silence is a hole (CVE-2025-29778). */
const sigstoreFrom = (entry: Spec): Spec => ({ sigstore: [{ name: "a", ...entry }] });
const tufOf = (over: Spec = {}): Spec =>
  sigstoreFrom({ tuf: { mirror: "https://tuf.example.com/repo", root: "{}", ...over } });
const objectKey: Spec = { name: "roots", key: "trusted_root.json" };
const fromElsewhere: readonly ResourceCase[] = [
  root("a root in a ConfigMap", sigstoreFrom({ trustedRootFrom: { configMap: objectKey } })),
  root("a root in a Secret", sigstoreFrom({ trustedRootFrom: { secret: objectKey } })),
  root("a root in no object", sigstoreFrom({ trustedRootFrom: {} }), /exactly one of configMap and secret/),
  root(
    "a root in two objects",
    sigstoreFrom({ trustedRootFrom: { configMap: objectKey, secret: objectKey } }),
    /exactly one of configMap and secret/,
  ),
  root("an object without a key", sigstoreFrom({ trustedRootFrom: { configMap: { name: "roots" } } }), /key/),
  root(
    "an object of another namespace",
    sigstoreFrom({ trustedRootFrom: { configMap: { ...objectKey, namespace: "n" } } }),
    /namespace/,
  ),
  root(
    "an object with a path",
    sigstoreFrom({ trustedRootFrom: { secret: { ...objectKey, name: "a/b" } } }),
    /name/,
  ),
  root(
    "a root in the text and in an object",
    sigstoreFrom({ trustedRoot: "{}", trustedRootFrom: { configMap: objectKey } }),
    /exactly one of trustedRoot/,
  ),
  root("a mirror", tufOf()),
  root("a mirror with a path of its file", tufOf({ target: "ours/trusted_root.v2.json" })),
  root("a mirror on this machine", tufOf({ mirror: "http://127.0.0.1:8080/repo" })),
  root(
    "a mirror beside a text",
    sigstoreFrom({ ...(tufOf()["sigstore"] as readonly Spec[])[0], trustedRoot: "{}" }),
  ),
  root(
    "a mirror beside an object",
    sigstoreFrom({
      ...(tufOf()["sigstore"] as readonly Spec[])[0],
      trustedRootFrom: { configMap: objectKey },
    }),
  ),
  root(
    "a mirror beside two texts",
    sigstoreFrom({
      ...(tufOf()["sigstore"] as readonly Spec[])[0],
      trustedRoot: "{}",
      instance: "PublicGood",
    }),
    /exactly one of trustedRoot/,
  ),
  ...[
    "http://tuf.example.com",
    "https://user@tuf.example.com",
    "https://tuf.example.com?x",
    "https://tuf.example.com/a#b",
    "https://",
    "http://localhost.example.com",
    "file:///etc",
    "",
  ].map((mirror) => root(`the mirror ${JSON.stringify(mirror)}`, tufOf({ mirror }), /mirror: give an https/)),
  ...["../root.json", "/trusted_root.json", "a//b", "a/.b", ""].map((target) =>
    root(`the target ${JSON.stringify(target)}`, tufOf({ target }), /target: give the path/),
  ),
  root("a mirror without a root", tufOf({ root: undefined }), /root/),
  root("a mirror with an endless root", tufOf({ root: " ".repeat(65_537) }), /root: must have at most 65536/),
];

export const resourceCases: readonly ResourceCase[] = [
  policy("the least that is possible", {}),
  policy("an unknown field", { moed: "Enforce" }, /moed/),
  policy("a field that is not there yet", { vouching: { threshold: 2 } }, /vouching/),

  policy("each mode", { mode: "Audit" }),
  policy("another mode", { mode: "enforce" }, /spec\.mode/),
  policy("a tenant", { tenant: "payments" }),
  policy("a tenant that is no label", { tenant: "Payments Team" }, /spec\.tenant/),
  policy("a tenant without a letter", { tenant: "" }, /spec\.tenant/),
  policy("a tenant that is too long", { tenant: "a".repeat(64) }, /spec\.tenant/),

  policy("an empty selector", { namespaceSelector: {} }),
  policy("labels", { namespaceSelector: { matchLabels: { "a.b/c_d": "v-1", e: "" } } }),
  policy("labels as a list", { namespaceSelector: { matchLabels: ["a"] } }, /matchLabels/),
  policy("a label's value that is none", { namespaceSelector: { matchLabels: { a: "-" } } }, /matchLabels/),
  policy("a label's key that is none", { namespaceSelector: { matchLabels: { "a b": "c" } } }, /matchLabels/),
  policy(
    "more labels than are allowed",
    { namespaceSelector: { matchLabels: Object.fromEntries(many(33).map((name) => [name, ""])) } },
    /matchLabels/,
  ),
  policy("a selector with another member", { namespaceSelector: { matchNames: ["a"] } }, /matchNames/),
  policy("In with values", expression({ key: "a", operator: "In", values: ["b"] })),
  policy("Exists", expression({ key: "a", operator: "Exists" })),
  policy("In without values", expression({ key: "a", operator: "In" }), /matchExpressions\[0\]/),
  policy(
    "NotIn with no value",
    expression({ key: "a", operator: "NotIn", values: [] }),
    /matchExpressions\[0\]/,
  ),
  policy(
    "Exists with values",
    expression({ key: "a", operator: "Exists", values: ["b"] }),
    /matchExpressions\[0\]/,
  ),
  policy("an unknown operator", expression({ key: "a", operator: "Gt", values: ["1"] }), /operator/),
  policy("an expression without a key", expression({ operator: "Exists" }), /key/),
  policy("a key that is none", expression({ key: "/a", operator: "Exists" }), /key/),
  policy("a value that is none", expression({ key: "a", operator: "In", values: ["b c"] }), /values/),
  policy("a value twice", expression({ key: "a", operator: "In", values: ["b", "b"] }), /values/),
  policy("an unknown member of an expression", expression({ key: "a", operator: "Exists", x: 1 }), /x/),

  policy("skill roots", { skillRoots: ["/opt/agent/skills", "/srv/.hidden/..x", "/a b"] }),
  policy("skill roots of any folder", { skillRoots: [".acme/skills", ".acme", ".a b/.hidden/..x"] }),
  policy("a relative root that begins with no dot folder", { skillRoots: ["opt/skills"] }, /skillRoots/),
  policy("a relative root in the folder itself", { skillRoots: ["./skills"] }, /skillRoots/),
  policy("a relative root above the folder", { skillRoots: ["../skills"] }, /skillRoots/),
  policy("a relative root that begins with two dots", { skillRoots: ["..data/skills"] }, /skillRoots/),
  policy("a relative root with two dots inside", { skillRoots: [".acme/../skills"] }, /skillRoots/),
  policy("a relative root with an empty component", { skillRoots: [".acme//skills"] }, /skillRoots/),
  policy("a relative root with a slash at its end", { skillRoots: [".acme/skills/"] }, /skillRoots/),
  policy("a relative root with a line break", { skillRoots: [".acme\n"] }, /skillRoots/),
  policy("a root of nothing", { skillRoots: [""] }, /skillRoots/),
  policy("the root of all", { skillRoots: ["/"] }, /skillRoots/),
  policy("a root with a slash at its end", { skillRoots: ["/opt/skills/"] }, /skillRoots/),
  policy("a root with an empty component", { skillRoots: ["/opt//skills"] }, /skillRoots/),
  policy("a root with a dot", { skillRoots: ["/opt/./skills"] }, /skillRoots/),
  policy("a root with two dots", { skillRoots: ["/opt/.."] }, /skillRoots/),
  policy("a root twice", { skillRoots: ["/a", "/a"] }, /skillRoots/),
  policy("a root with a line break", { skillRoots: ["/a\n"] }, /skillRoots/),
  policy("a root outside ASCII", { skillRoots: ["/ä"] }, /skillRoots/),

  policy("skills", {
    skills: [{ names: ["cuopt-*", "x"], sources: ["ConfigMap", "Projected"] }, { names: ["*"] }],
  }),
  policy("no skills in the list", { skills: [] }, /skills/),
  policy("skills without names", { skills: [{ sources: ["ConfigMap"] }] }, /names/),
  policy("skills with no name", { skills: [{ names: [] }] }, /names/),
  policy("a name with a slash", { skills: [{ names: ["a/b"] }] }, /names/),
  policy("a name with a blank", { skills: [{ names: ["a b"] }] }, /names/),
  policy("an empty name", { skills: [{ names: [""] }] }, /names/),
  policy("a name twice", { skills: [{ names: ["a", "a"] }] }, /names/),
  policy("an unknown source", { skills: [{ names: ["a"], sources: ["Git"] }] }, /sources/),
  policy("a folder as source", { skills: [{ names: ["a"], sources: ["Directory"] }] }, /sources/),
  policy("no source in the list", { skills: [{ names: ["a"], sources: [] }] }, /sources/),
  policy("an unknown member of skills", { skills: [{ names: ["a"], name: "b" }] }, /name/),
  policy("noMatch with skills", { skills: [{ names: ["a"] }], noMatch: "Allow" }),
  policy("noMatch without skills", { noMatch: "Warn" }, /noMatch has no effect/),
  policy("an unknown answer", { skills: [{ names: ["a"] }], noMatch: "Ignore" }, /noMatch/),

  policy("no publisher", { publishers: [] }, /publishers/),
  policy("publishers as one", { publishers: publishers[0] }, /publishers/),
  policy("two publishers of one name", { publishers: [...publishers, ...publishers] }, /publishers/),
  policy("a publisher without a name", { publishers: [{ publicKey: ref }] }, /name/),
  policy("a publisher with a bad name", { publishers: [{ name: "A", publicKey: ref }] }, /name/),
  policy(
    "a publisher with nothing",
    { publishers: [{ name: "p" }] },
    /exactly one of certificate, publicKey, keyless and vett/,
  ),
  policy(
    "a publisher with both",
    { publishers: [{ name: "p", publicKey: ref, certificate: ref }] },
    /exactly one of certificate, publicKey, keyless and vett/,
  ),
  policy(
    "an unknown member of a publisher",
    { publishers: [{ name: "p", publicKey: ref, keyless: {} }] },
    /keyless/,
  ),
  policy("a certificate by reference", certificate({ ...ref, subject: { commonName: "a", country: "US" } })),
  policy("a certificate with neither", certificate({}), /exactly one of trustRootRef and pem/),
  policy(
    "a certificate with both",
    certificate({ ...ref, pem: certificatePem }),
    /exactly one of trustRootRef and pem/,
  ),
  policy("a certificate's subject without members", certificate({ ...ref, subject: {} }), /subject/),
  policy("an unknown attribute", certificate({ ...ref, subject: { O: "a" } }), /O/),
  policy("an empty organization", certificate({ ...ref, subject: { organization: "" } }), /organization/),
  policy("an empty unit", certificate({ ...ref, subject: { organizationalUnit: "" } }), /organizationalUnit/),
  policy("an empty name in the subject", certificate({ ...ref, subject: { commonName: "" } }), /commonName/),
  policy("a country in words", certificate({ ...ref, subject: { country: "Germany" } }), /country/),
  policy("a certificate's PEM that is a key", certificate({ pem: publicKey }), /BEGIN CERTIFICATE/),
  policy(
    "a certificate's PEM with a private key",
    certificate({ pem: certificatePem + privatePem }),
    /private key/,
  ),
  policy("a reference without a name", certificate({ trustRootRef: {} }), /name/),
  policy("a reference with a bad name", certificate({ trustRootRef: { name: "A_B" } }), /name/),
  policy("a reference to a certificate's key", certificate({ trustRootRef: { name: "r", key: "k" } }), /key/),
  policy("an unknown member of a certificate", certificate({ ...ref, issuer: "a" }), /issuer/),
  policy("a key by reference", key({ trustRootRef: { name: "r", key: "k" } })),
  policy("a key with neither", key({}), /exactly one of trustRootRef and pem/),
  policy("a key with both", key({ ...ref, pem: publicKey }), /exactly one of trustRootRef and pem/),
  policy("a key's PEM that is none", key({ pem: "hello" }), /BEGIN PUBLIC KEY/),
  policy("a private key", key({ pem: privatePem }), /private key/),
  policy("a key that is too long", key({ pem: publicKey + " ".repeat(65_536) }), /pem/),
  policy("a key's name that is none", key({ trustRootRef: { name: "r", key: "K" } }), /key/),
  policy("an unknown member of a key", key({ ...ref, algorithm: "rsa" }), /algorithm/),

  policy("minimum grades", { evidence: { integrity: "STRONG", authorship: "WEAK" } }),
  policy("an unknown grade", { evidence: { integrity: "strong" } }, /integrity/),
  policy("a keyless publisher", keyless({ identity: "me@example.com" })),
  policy("a keyless publisher by pattern", keyless({ identityPattern: "^https://example\\.com/.*$" })),
  policy("a keyless publisher with claims", {
    ...keyless({ identity: "a", claims: { sourceRepositoryRef: "refs/heads/main" } }),
  }),
  policy("an identity and a pattern", keyless({ identity: "a", identityPattern: "^a$" }), /identityPattern/),
  policy("no identity", keyless({}), /exactly one of identity and identityPattern/),
  policy("an empty identity", keyless({ identity: "" }), /identity/),
  policy("a pattern without a beginning", keyless({ identityPattern: "a$" }), /begin with/),
  policy("a pattern without an end", keyless({ identityPattern: "^a" }), /begin with/),
  policy("a pattern that ends in a dollar sign", keyless({ identityPattern: "^a\\$" }), /begin with/),
  policy(
    "a pattern that is too long",
    keyless({ identityPattern: `^${"a".repeat(511)}$` }),
    /identityPattern/,
  ),
  policy("no issuer", keyless({ identity: "a", issuer: undefined }), /issuer/),
  policy("no trust root", keyless({ identity: "a", trustRootRef: undefined }), /trustRootRef/),
  policy("no claims", keyless({ identity: "a", claims: {} }), /claims/),
  policy("an unknown claim", keyless({ identity: "a", claims: { branch: "main" } }), /branch/),
  policy("a keyless publisher with PEM", keyless({ identity: "a", pem: publicKey }), /pem/),

  policy("a registry", vett({})),
  policy("any registry of a trust root", vett({ trustRootRef: { name: "r" } })),
  policy(
    "two versions of a skill",
    vett({ skills: [skill(), skill({ version: "1.1.0", hash: "b".repeat(64) })] }),
  ),
  policy("a registry without skills", vett({ skills: undefined }), /skills/),
  policy("a registry with no skill", vett({ skills: [] }), /skills/),
  policy("a version twice", vett({ skills: [skill(), skill({ hash: "b".repeat(64) })] }), /skills/),
  policy("a pattern for a name", vett({ skills: [skill({ name: "etl-*" })] }), /name/),
  policy("a name that is a path", vett({ skills: [skill({ name: "a/b" })] }), /name/),
  policy("a skill without a version", vett({ skills: [{ name: "a", hash: "a".repeat(64) }] }), /version/),
  policy("a skill without a hash", vett({ skills: [{ name: "a", version: "1" }] }), /hash/),
  policy(
    "a hash with its algorithm",
    vett({ skills: [skill({ hash: `sha256:${"a".repeat(64)}` })] }),
    /hash/,
  ),
  policy("a hash in capitals", vett({ skills: [skill({ hash: "A".repeat(64) })] }), /hash/),
  policy("an unknown member of a skill", vett({ skills: [skill({ owner: "acme" })] }), /owner/),
  policy("a registry without a trust root", vett({ trustRootRef: undefined }), /trustRootRef/),
  policy("an unknown member of a registry's publisher", vett({ keys: [] }), /keys/),
  policy("a grade that nothing can miss", { evidence: { authorship: "ABSENT" } }, /authorship/),
  policy("a freshness", { evidence: { freshness: "MEDIUM" } }),
  policy("the least freshness", { evidence: { freshness: "WEAK" } }),
  policy("a freshness that nothing can reach", { evidence: { freshness: "STRONG" } }, /freshness/),
  policy("a layer that is not graded yet", { evidence: { vouching: "MEDIUM" } }, /vouching/),
  policy("no layer", { evidence: {} }, /evidence/),

  policy("a card", {
    card: {
      required: true,
      fields: ["description", "owner", "license", "risks"],
      mitigationPerRisk: true,
      licenses: { allow: ["MIT"], deny: ["GPL-3.0-only"] },
      permissions: { deny: ["Bash(*)"] },
    },
  }),
  policy("no demand of the card", { card: {} }, /card/),
  policy("required in words", { card: { required: "yes" } }, /required/),
  policy("mitigationPerRisk in words", { card: { mitigationPerRisk: "true" } }, /mitigationPerRisk/),
  policy("an unknown field of the card", { card: { fields: ["price"] } }, /fields/),
  policy("no field of the card", { card: { fields: [] } }, /fields/),
  policy("a field twice", { card: { fields: ["owner", "owner"] } }, /fields/),
  policy("no licence lists", { card: { licenses: {} } }, /licenses/),
  policy("an empty list of licences", { card: { licenses: { allow: [] } } }, /allow/),
  policy("an empty licence", { card: { licenses: { deny: [""] } } }, /deny/),
  policy("an unknown list of licences", { card: { licenses: { permit: ["MIT"] } } }, /permit/),
  policy("no permissions", { card: { permissions: {} } }, /deny/),
  policy("an empty list of permissions", { card: { permissions: { deny: [] } } }, /deny/),
  policy("an unknown list of permissions", { card: { permissions: { deny: ["a"], allow: ["b"] } } }, /allow/),
  policy("an unknown demand of the card", { card: { required: true, signed: true } }, /signed/),

  policy("immutability", { immutability: { configMap: "Required", readOnlyMount: "NotRequired" } }),
  policy("immutability of ConfigMaps in words", { immutability: { configMap: true } }, /configMap/),
  policy("immutability of mounts in words", { immutability: { readOnlyMount: "Yes" } }, /readOnlyMount/),
  policy("immutability of the pod", {
    immutability: { readOnlyRootFilesystem: "Required", processNamespace: "Private" },
  }),
  policy(
    "immutability of root file systems in words",
    { immutability: { readOnlyRootFilesystem: true } },
    /readOnlyRootFilesystem/,
  ),
  policy(
    "a process namespace of no such kind",
    { immutability: { processNamespace: "Required" } },
    /processNamespace/,
  ),

  policy("a review of bindings", { recheck: "Binding" }),
  policy("no review of bindings", { mode: "Audit", recheck: "Watch" }),
  policy("an unknown recheck", { recheck: "Never" }, /recheck/),
  policy("closed pods", {
    closed: { podSelector: { matchLabels: { runtime: "agent" } }, data: ["/data", "/var/cache/app"] },
  }),
  policy("closed pods without data", { closed: { podSelector: {} } }),
  policy("closed pods with a cache in a home", {
    closed: { podSelector: {}, data: ["/root/.cache", "/home/agent/.cache/hf", "/home/agent/work"] },
  }),
  policy("closed pods with roots apart from data", {
    skillRoots: ["/opt/acme/lore", ".acme/lore"],
    closed: { podSelector: {}, data: ["/opt/acme/lore-data", "/data"] },
  }),
  policy("closed without a selector", { closed: { data: ["/data"] } }, /podSelector/),
  policy("an empty closed", { closed: {} }, /podSelector/),
  policy("an unknown field of closed", { closed: { podSelector: {}, folders: ["/data"] } }, /folders/),
  policy(
    "a selector of closed without values",
    { closed: { podSelector: { matchExpressions: [{ key: "a", operator: "In" }] } } },
    /matchExpressions/,
  ),
  ...[
    "/",
    "data",
    "./data",
    "/data/",
    "//data",
    "/data/../skills",
    "/data/.",
    "/root",
    "/home",
    "/home/agent",
    "/opt",
    "/opt/data",
    "/opt/data/plugins/x",
    "/app",
    "/config",
    "/etc",
    "/var",
    "/kelos/plugin",
    "/skills",
    "/data/skills",
    "/data/skill/x",
    "/home/agent/.claude",
    "/data/.acme/rules",
    "/data/.caches",
    "/dat\u00e4",
  ].map((folder) =>
    policy(`closed pods with data at ${folder}`, { closed: { podSelector: {}, data: [folder] } }, /data/),
  ),
  ...["/opt/acme", "/opt/acme/lore", "/opt/acme/lore/x"].map((folder) =>
    policy(
      `closed pods with data at ${folder}, near a root of the policy`,
      { skillRoots: ["/opt/acme/lore"], closed: { podSelector: {}, data: [folder] } },
      /closed[.]data/,
    ),
  ),
  policy("data twice", { closed: { podSelector: {}, data: ["/data", "/data"] } }, /data/),

  policy("an unknown immutability", { immutability: { digestPin: "Required" } }, /digestPin/),

  policy("unverifiable", {
    unverifiable: { default: "Warn", PersistentVolumeClaim: "Allow", EmptyDir: "Deny" },
  }),
  policy("an unknown default answer", { unverifiable: { default: "Ignore" } }, /default/),
  policy("an unknown answer for a source", { unverifiable: { Image: "warn" } }, /Image/),
  policy("an unknown kind of source", { unverifiable: { PVC: "Warn" } }, /PVC/),
  policy("answers for other places", {
    unverifiable: {
      above: { default: "Warn", EmptyDir: "Allow" },
      unknownHome: "Deny",
      hostRuntime: "Allow",
    },
  }),
  policy("an answer above roots for one kind", { unverifiable: { above: { Secret: "Deny" } } }),
  policy("no answer above roots", { unverifiable: { above: {} } }, /above/),
  policy("one word for all above roots", { unverifiable: { above: "Warn" } }, /above/),
  policy(
    "an unknown default above roots",
    { unverifiable: { above: { default: "warn" } } },
    /above\.default/,
  ),
  policy("an unknown answer above roots", { unverifiable: { above: { EmptyDir: "No" } } }, /above\.EmptyDir/),
  policy("an unknown kind above roots", { unverifiable: { above: { PVC: "Warn" } } }, /above\.PVC/),
  policy("a place above roots", { unverifiable: { above: { unknownHome: "Warn" } } }, /above\.unknownHome/),
  policy("an unknown answer for unknown homes", { unverifiable: { unknownHome: "Ignore" } }, /unknownHome/),
  policy("unknown homes by kind", { unverifiable: { unknownHome: { EmptyDir: "Warn" } } }, /unknownHome/),
  policy("an unknown answer for the runtime", { unverifiable: { hostRuntime: "true" } }, /hostRuntime/),
  policy("an unknown place", { unverifiable: { beside: "Warn" } }, /beside/),

  policy("unsigned until", { unsigned: { action: "Warn", until: "2027-01-31T00:00:00+01:00" } }),
  policy("unsigned allowed", { unsigned: { action: "Allow" } }, /action/),
  policy("until without Warn", { unsigned: { until: "2027-01-31T00:00:00Z" } }, /until has no effect/),
  policy("a date without a time", { unsigned: { action: "Warn", until: "2027-01-31" } }, /until/),
  policy("a day that is none", { unsigned: { action: "Warn", until: "2027-02-30T00:00:00Z" } }, /until/),
  policy(
    "an unknown member of unsigned",
    { unsigned: { action: "Warn", from: "2027-01-31T00:00:00Z" } },
    /from/,
  ),

  policy("controllers", { controllers: "Enforce" }),
  policy("an unknown answer to controllers", { controllers: "Deny" }, /controllers/),

  root("keys", { keys: [{ name: "a", pem: publicKey }] }),
  root("certificates", { certificates: [{ name: "a", pem: certificatePem }] }),
  root("nothing", {}, /at least one of certificates, keys and sigstore/),
  root("two empty lists", { certificates: [], keys: [] }, /at least one of certificates, keys and sigstore/),
  root("an unknown field of a trust root", { keys: [{ name: "a", pem: publicKey }], tuf: {} }, /tuf/),
  root("the public Sigstore instance", { sigstore: [{ name: "a", instance: "PublicGood" }] }),
  root("another Sigstore instance", { sigstore: [{ name: "a", trustedRoot: "{}" }] }),
  root("an unknown instance", { sigstore: [{ name: "a", instance: "Staging" }] }, /instance/),
  root("a Sigstore root that is empty", { sigstore: [{ name: "a" }] }, /exactly one of trustedRoot/),
  root(
    "a Sigstore root with two sources",
    { sigstore: [{ name: "a", instance: "PublicGood", trustedRoot: "{}" }] },
    /exactly one of trustedRoot/,
  ),
  root("a Sigstore instance by its ClientTrustConfig", {
    sigstore: [{ name: "a", clientTrustConfig: "{}" }],
  }),
  root(
    "a ClientTrustConfig beside a trusted root",
    { sigstore: [{ name: "a", trustedRoot: "{}", clientTrustConfig: "{}" }] },
    /exactly one of trustedRoot/,
  ),
  root(
    "a ClientTrustConfig that is an object",
    { sigstore: [{ name: "a", clientTrustConfig: {} }] },
    /clientTrustConfig/,
  ),
  ...fromElsewhere,
  root("thresholds of a Sigstore instance", {
    sigstore: [
      { name: "a", instance: "PublicGood", tlogThreshold: 2, timestampThreshold: 2, ctlogThreshold: 1 },
      { name: "b", trustedRoot: "{}", tlogThreshold: 0, ctlogThreshold: 0 },
    ],
  }),
  ...(
    [
      ["no time at all", "timestampThreshold", 0],
      ["more times than there can be", "timestampThreshold", 5],
      ["more logs than there can be", "tlogThreshold", 5],
      ["fewer logs than none", "tlogThreshold", -1],
      ["half a log", "tlogThreshold", 0.5],
      ["a number as text", "ctlogThreshold", "1"],
    ] as const
  ).map(([what, field, value]) =>
    root(
      `a threshold of ${what}`,
      { sigstore: [{ name: "a", instance: "PublicGood", [field]: value }] },
      new RegExp(field),
    ),
  ),
  root("a Sigstore root that is an object", { sigstore: [{ name: "a", trustedRoot: {} }] }, /trustedRoot/),
  root("a Sigstore root from elsewhere", { sigstore: [{ name: "a", tufMirror: "x" }] }, /tufMirror/),
  root("a registry", registry()),
  root("a registry's key with an end", registry({}, { notAfter: "2026-02-04T00:00:00Z" })),
  root(
    "a registry's key that ends as it begins",
    registry({}, { notAfter: "2025-02-04T00:00:00Z" }),
    /notAfter/,
  ),
  root("a registry's key without a beginning", registry({}, { notBefore: undefined }), /notBefore/),
  root("a registry's key with a date", registry({}, { notBefore: "2025-02-04" }), /notBefore/),
  root("a registry's key without a hint", registry({}, { hint: undefined }), /hint/),
  root("a hint with a blank", registry({}, { hint: "v 1" }), /hint/),
  root("a registry's private key", registry({}, { pem: privatePem }), /private key/),
  root("an unknown member of a registry's key", registry({}, { curve: "P-256" }), /curve/),
  root("a registry without keys", registry({ keys: [] }), /keys/),
  root(
    "a hint twice",
    registry({
      keys: ["2025", "2026"].map((year) => ({
        hint: "a",
        pem: publicKey,
        notBefore: `${year}-01-01T00:00:00Z`,
      })),
    }),
    /keys/,
  ),
  root("a registry without a log", registry({ sigstore: undefined }), /sigstore/),
  root(
    "a registry with a log that is not there",
    registry({ sigstore: "private" }),
    /must be the name of an entry/,
  ),
  root(
    "a registry where there is no log",
    { vett: registry()["vett"], keys: [{ name: "a", pem: publicKey }] },
    /must be the name of an entry/,
  ),
  root("a registry alone", { vett: registry()["vett"] }, /at least one of certificates/),
  root("a key without a name", { keys: [{ pem: publicKey }] }, /name/),
  root("a key without PEM", { keys: [{ name: "a" }] }, /pem/),
  root(
    "a key twice",
    {
      keys: [
        { name: "a", pem: publicKey },
        { name: "a", pem: publicKey },
      ],
    },
    /keys/,
  ),
  root("a private key in a trust root", { keys: [{ name: "a", pem: privatePem }] }, /private key/),
  root("a certificate that is a key", { certificates: [{ name: "a", pem: publicKey }] }, /BEGIN CERTIFICATE/),
  root("a certificate without PEM", { certificates: [{ name: "a" }] }, /pem/),
  root("an unknown member of an entry", { keys: [{ name: "a", pem: publicKey, curve: "x" }] }, /curve/),
  root("no spec at all", undefined, /spec/),
  root(
    "a key with a period",
    timed({ notBefore: "2026-01-01T00:00:00Z", notAfter: "2027-01-01T00:00:00+01:00" }),
  ),
  root("a key with an end alone", timed({ notAfter: "2027-01-01T00:00:00Z" })),
  root("a key whose end is a day", timed({ notAfter: "2027-01-01" }), /notAfter/),
  root("a key whose beginning is none", timed({ notBefore: "soon" }), /notBefore/),
  root(
    "a key that ends before it begins",
    timed({ notBefore: "2027-01-01T00:00:00Z", notAfter: "2027-01-01T00:00:00+01:00" }),
    /notAfter must be later/,
  ),
  root(
    "a key that ends as it begins",
    timed({ notBefore: "2027-01-01T00:00:00Z", notAfter: "2027-01-01T00:00:00Z" }),
    /notAfter must be later/,
  ),
  root("a certificate with a period", {
    certificates: [{ name: "a", pem: certificatePem, notAfter: "2027-01-01T00:00:00Z" }],
  }),
  root("a Sigstore root with a period", {
    sigstore: [{ name: "a", instance: "PublicGood", notAfter: "2027-01-01T00:00:00Z" }],
  }),

  root("a revocation list of an authority", withCrl({})),
  root("a revocation list alone", { crls: [{ name: "crl", pem: crlPem }] }, /at least one of certificates/),
  root("a revocation list that is a certificate", withCrl({ pem: certificatePem }), /BEGIN X509 CRL/),
  root("a revocation list without PEM", withCrl({ pem: undefined }), /pem/),
  root("a revocation list to be fetched", withCrl({ url: "https://example.com/ca.crl" }), /url/),
  root("a revocation list without a name", { ...withCrl({}), crls: [{ pem: crlPem }] }, /name/),

  policy("a limit to the age of signatures", { freshness: { maxSignatureAge: "4320h" } }),
  policy("a limit of hours, minutes and seconds", { freshness: { maxSignatureAge: "1h30m5s" } }),
  policy("freshness without a limit", { freshness: {} }, /maxSignatureAge/),
  policy("a limit of nothing", { freshness: { maxSignatureAge: "" } }, /maxSignatureAge/),
  policy("a limit of zero", { freshness: { maxSignatureAge: "0h" } }, /maxSignatureAge/),
  policy("a limit in days", { freshness: { maxSignatureAge: "180d" } }, /maxSignatureAge/),
  policy("a limit without a unit", { freshness: { maxSignatureAge: "4320" } }, /maxSignatureAge/),
  policy("a limit as a number", { freshness: { maxSignatureAge: 4320 } }, /maxSignatureAge/),
  policy("another freshness", { freshness: { maxSignatureAge: "1h", requireExpiry: true } }, /requireExpiry/),

  policy("revoked digests", { revocation: { digests: [digest] } }),
  policy("references to lists", { revocation: { listRefs: [{ name: "org-revoked" }] } }),
  policy("a revocation of nothing", { revocation: {} }, /revocation/),
  policy("an empty list of digests", { revocation: { digests: [] } }, /digests/),
  policy("a digest without its algorithm", { revocation: { digests: ["ab".repeat(32)] } }, /digests/),
  policy("a digest in capitals", { revocation: { digests: [`sha256:${"AB".repeat(32)}`] } }, /digests/),
  policy("a digest that is cut", { revocation: { digests: [digest.slice(0, -1)] } }, /digests/),
  policy("a digest twice", { revocation: { digests: [digest, digest] } }, /digests/),
  policy("no reference to a list", { revocation: { listRefs: [] } }, /listRefs/),
  policy("a reference to a list by text", { revocation: { listRefs: ["org-revoked"] } }, /listRefs/),
  policy("a list's name that is none", { revocation: { listRefs: [{ name: "A_B" }] } }, /listRefs/),
  policy(
    "a list twice",
    { revocation: { listRefs: [{ name: "a" }, { name: "a" }] } },
    /listRefs|two entries have the same name/,
  ),
  policy("an unknown member of the revocation", { revocation: { digests: [digest], until: "x" } }, /until/),

  list("nothing revoked", {}),
  list("enforcement by the policies", { enforcement: "Policy" }),
  list("enforcement everywhere", { enforcement: "Always" }),
  list("enforcement in some namespaces", {
    enforcement: "Always",
    namespaceSelector: { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["infra"] }] },
  }),
  list("another enforcement", { enforcement: "always" }, /enforcement/),
  list(
    "a selector without a word of enforcement",
    { namespaceSelector: { matchLabels: { tenant: "a" } } },
    /namespaceSelector has no effect unless enforcement is Always/,
  ),
  list(
    "a selector with enforcement by the policies",
    { enforcement: "Policy", namespaceSelector: {} },
    /namespaceSelector has no effect unless enforcement is Always/,
  ),
  list(
    "a selector that is wrong",
    { enforcement: "Always", namespaceSelector: { matchExpressions: [{ key: "a", operator: "In" }] } },
    /In and NotIn need values/,
  ),
  list("a skill", revokedSkill({ revokedAt: "2026-11-21T08:00:00Z" })),
  list("each kind", {
    skills: [{ digest, reason: "a" }],
    files: [{ digest, reason: "b" }],
    certificates: [{ digest, reason: "c" }],
    keys: [{ digest, reason: "d" }],
    identities: [identity],
  }),
  list("the same digest twice", { files: [1, 2].map(() => ({ digest, reason: "a" })) }),
  list("an unknown kind", { images: [{ digest, reason: "a" }] }, /images/),
  list("a digest by itself", { skills: [digest] }, /skills/),
  list("a skill by another digest", revokedSkill({ digest: `sha512:${"ab".repeat(64)}` }), /digest/),
  list("a file with a short digest", { files: [{ digest: "sha256:ab", reason: "a" }] }, /digest/),
  list("a certificate with colons", { certificates: [{ digest: "sha256:AB:CD", reason: "a" }] }, /digest/),
  list("a key without a digest", { keys: [{ reason: "a" }] }, /digest/),
  list("an entry without a reason", { skills: [{ digest }] }, /reason/),
  list("an empty reason", revokedSkill({ reason: "" }), /reason/),
  list("a reason of two lines", revokedSkill({ reason: "a\nb" }), /reason/),
  list("a long reason", revokedSkill({ reason: "a".repeat(257) }), /reason/),
  list("a day without a time", revokedSkill({ revokedAt: "2026-11-21" }), /revokedAt/),
  list("an unknown member of an entry", revokedSkill({ until: "2026-11-21T08:00:00Z" }), /until/),
  list("an identity without an issuer", revokedIdentity({ ...identity, issuer: "" }), /issuer/),
  list("an identity that is empty", revokedIdentity({ ...identity, identity: "" }), /identity/),
  list(
    "a pattern of identities",
    revokedIdentity({ ...identity, identityPattern: "^a$" }),
    /identityPattern/,
  ),
  list("no list at all", undefined, /spec/),
];

/** The object of a case, under a name of its own. */
export const objectOf = ({ kind, spec }: ResourceCase, index: number): KubernetesObject => ({
  apiVersion: "skill-admission.dev/v1alpha1",
  kind,
  metadata: { name: `case-${index}` },
  ...(spec === undefined ? {} : { spec }),
});
