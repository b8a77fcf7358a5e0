import { defined } from "../../text/fields.ts";
import type { Evidence } from "../../evidence/evidence.ts";
import type { SignatureEvidence, Signer } from "../../signature/signature-evidence.ts";
import { treeRootDigest } from "../../signature/oms/digest.ts";
import { formats } from "../../signature/formats.ts";
import { shortDigest } from "../../skill/digest.ts";
import { treeDigest, type Skill } from "../../skill/skill.ts";
import { memoizeByObject } from "../../text/memoize-by-object.ts";
import type { Finding } from "../finding.ts";
import { entryMark, type Mark } from "../trust/usage.ts";
import { identityKey, type Revocation, type RevocationIndex } from "../trust/revocations.ts";

/** Maximum files of one skill that are named: ten thousand revoked files need no full list. */
const maxFiles = 20;

const hexOf = (digest: string): string => digest.replace(/^sha256:/, "");

/** Finding with the revoked object, the list, the date and the reason. */
function revoked(what: string, { by, reason, revokedAt }: Revocation, entry: Mark, path?: string): Finding {
  const since = revokedAt === undefined ? "" : ` since ${revokedAt}`;
  const message = `${what} is revoked by ${by}${since}${reason === undefined ? "" : `: ${reason}`}`;
  return { code: "REVOKED", message, ...defined({ path }), entries: [entry], tolerated: false };
}

/**
 * Digests of the skill's content, independent of its signatures: a revoked skill stays revoked unsigned or signed
 * anew. First the digest that a signature over all files would state, then that of the tree: `package` prints the
 * latter and sets it on its ConfigMaps, from where people copy it into a list.
 */
const contentDigests = memoizeByObject((skill: Skill): readonly string[] => {
  const files = [...skill.files].filter(([path]) => formats.every(({ file }) => file !== path));
  return [treeRootDigest(new Map(files)), treeDigest(skill)];
});

function skillFindings(
  { skills }: RevocationIndex,
  skill: Skill,
  signatures: readonly SignatureEvidence[],
): readonly Finding[] {
  if (skills.size === 0) return [];
  const stated = signatures.flatMap(({ digest }) => (digest === undefined ? [] : [digest]));
  return [...new Set<string>([...stated, ...contentDigests(skill)])].flatMap((digest) => {
    const entry = skills.get(hexOf(digest));
    return entry === undefined
      ? []
      : [revoked(`the skill ${shortDigest(digest)}`, entry, entryMark("skills", hexOf(digest)))];
  });
}

function fileFindings({ files: entries }: RevocationIndex, { files }: Skill): readonly Finding[] {
  if (entries.size === 0) return [];
  const found = [...files].flatMap(([path, { sha256 }]) => {
    const entry = entries.get(sha256);
    return entry === undefined
      ? []
      : [revoked(`the file ${shortDigest(sha256)}`, entry, entryMark("files", sha256), path)];
  });
  const told = found.slice(0, maxFiles);
  // The last one has the entries of those that are not told.
  const last = {
    ...told[maxFiles - 1],
    entries: found.slice(maxFiles - 1).flatMap(({ entries = [] }) => entries),
  };
  return found.length > maxFiles ? told.with(-1, last as Finding) : told;
}

/**
 * Certificates above the signer's come first: they say most. A certificate also matches by the fingerprint of its
 * malleated form: anybody can rewrite an ECDSA signature into the other valid one.
 */
function certificateFindings({ certificates }: RevocationIndex, signer: Signer): readonly Finding[] {
  if (certificates.size === 0 || !("fingerprint" in signer)) return [];
  const above = signer.issuers ?? (signer.kind === "certificate" ? signer.anchors : []);
  const called = [...new Set([...above, signer.fingerprint])].map((of) => ({ of, fingerprint: of }));
  return [...called, ...(signer.malleable ?? [])].flatMap(({ of, fingerprint }) => {
    const entry = certificates.get(fingerprint);
    const whose = of === signer.fingerprint ? "of the signer" : "above the signer's";
    return entry === undefined
      ? []
      : [
          revoked(
            `the certificate ${shortDigest(fingerprint)} ${whose}`,
            entry,
            entryMark("certificates", fingerprint),
          ),
        ];
  });
}

/** Revoking a CA key revokes all certificates issued for it; otherwise a thief would use another. */
function keyFindings({ keys }: RevocationIndex, signer: Signer): readonly Finding[] {
  if (keys.size === 0) return [];
  const above = "issuerKeys" in signer ? (signer.issuerKeys ?? []) : [];
  return [...new Set([...above, signer.publicKey])].flatMap((key) => {
    const entry = keys.get(key);
    const whose = key === signer.publicKey ? "of the signer" : "above the signer's";
    return entry === undefined
      ? []
      : [revoked(`the key ${shortDigest(key)} ${whose}`, entry, entryMark("keys", key))];
  });
}

function identityFindings({ identities }: RevocationIndex, signer: Signer): readonly Finding[] {
  if (signer.kind !== "keyless") return [];
  const key = identityKey(signer.issuer, signer.identity);
  const entry = identities.get(key);
  const who = `the signer ${signer.identity.slice(0, 200)} (${signer.issuer.slice(0, 200)})`;
  return entry === undefined ? [] : [revoked(who, entry, entryMark("identities", key))];
}

function signerFindings(index: RevocationIndex, signer: Signer): readonly Finding[] {
  return [
    ...certificateFindings(index, signer),
    ...keyFindings(index, signer),
    ...identityFindings(index, signer),
  ];
}

/**
 * Reports a revoked skill, file, key, certificate or identity, also of signers beside a good signature. Never
 * tolerated, whatever the policy says.
 */
export function revocationFindings(
  indexes: readonly RevocationIndex[],
  skill: Skill,
  { signature, others = [] }: Evidence,
): readonly Finding[] {
  const signatures = [signature, ...others];
  const signers = signatures.flatMap((one) =>
    one.outcome === "unsigned" || one.signer === undefined ? [] : [one.signer],
  );
  const found = indexes.flatMap((index) => [
    ...skillFindings(index, skill, signatures),
    ...fileFindings(index, skill),
    ...signers.flatMap((signer) => signerFindings(index, signer)),
  ]);
  // Two signatures by one key give equal findings.
  const said = new Map(found.map((finding) => [`${finding.path ?? ""}\n${finding.message}`, finding]));
  return [...said.values()];
}
