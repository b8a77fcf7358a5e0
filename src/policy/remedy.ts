import type { Layer } from "../evidence/grade.ts";
import { formats } from "../signature/formats.ts";
import type { Reason } from "./reason.ts";

/** Meaning and remedy of a reason code. */
export interface ReasonText {
  /** One or more sentences for the reference page. */
  readonly meaning: string;
  /** One clause in the imperative, without a full stop: it follows `fix:` in a denial. */
  readonly remedy: string;
}

const either = (names: readonly string[]): string =>
  `${names.slice(0, -1).join(", ")} or ${names.at(-1) ?? ""}`;

/** Every reason code with its meaning and remedy; docs/reasons.md is generated from it. */
export const reasonTexts: Readonly<Record<Reason, ReasonText>> = {
  UNSIGNED: {
    meaning:
      "The skill has no signature file. In a policy with `unsigned: {action: Warn}` it is let in with a warning.",
    remedy: `mount ${either(formats.map(({ file }) => file))} with the skill, or have a publisher of the policy sign it`,
  },
  BAD_SIGNATURE: {
    meaning:
      "There is a signature, but it does not check out: it was made over other bytes or with another key than it says, or with a certificate that may not sign.",
    remedy: "mount the published signature again, or sign the skill anew",
  },
  UNTRUSTED_SIGNER: {
    meaning:
      "The signature is by nobody whom the policy trusts: an unknown key, a certificate under another root, or a trusted party that is no publisher of this policy.",
    remedy: "use a skill signed by a publisher of the policy, or add the signer to its publishers",
  },
  SIGNER_EXPIRED: {
    meaning:
      "The signer's certificate, or one above it, is no longer valid, or not yet; that of a keyless signer was not valid when it signed, or a registry's key was not. Or the certificate or key is outside the period for which its trust root trusts it, or the issuer's revocation list (CRL) in the trust root is out of date. Where that lies ahead, or the list is the fault, the finding has a remedy of its own.",
    remedy: "have the skill signed anew, with a certificate or key that is valid",
  },
  DIGEST_MISMATCH: {
    meaning:
      "A file is not the one that was signed. The finding names it, with the signed digest and the one found. Line ends count: where " +
      "every text file differs, git may have changed them on checkout (`core.autocrlf`); `* -text` in `.gitattributes` forbids that.",
    remedy: "mount the published files again, or sign the changed skill",
  },
  FILE_MISSING: {
    meaning: "A signed file is not there where the agent would read it.",
    remedy: "mount every file of the skill at its signed path, or sign the skill without it",
  },
  FILE_UNSIGNED: {
    meaning: "There is a file in the skill's folder that was not signed.",
    remedy: "remove the added file, or sign the skill with it",
  },
  MANIFEST_MALFORMED: {
    meaning: "The signature file, its payload or its list of files breaks a rule of its format.",
    remedy: "mount the signature file as it was published, or sign the skill anew",
  },
  UNSUPPORTED_FORMAT: {
    meaning: "The signature is in a format, version or algorithm that is not understood.",
    remedy:
      "sign the skill with a key or certificate on P-256, P-384 or P-521, or an Ed25519 key (skill-admission sign)",
  },
  REVOKED: {
    meaning:
      "The skill, a file in it, or the key, certificate or identity of whoever signed it was revoked, by a SkillRevocationList, by the policy's `revocation`, or by the certificate's issuer in its revocation list (CRL). The finding says what, by which list, since when and why. Nothing that a policy tolerates lets it in.",
    remedy: "use a release that is not revoked; if the entry is a mistake, ask whoever keeps that list",
  },
  EXPIRED: {
    meaning:
      "The signature is older than the policy's `freshness.maxSignatureAge`, by the time that a log or timestamp authority proves. Or it is a trust card's, and past the day in the card's `expires`.",
    remedy: "use a newer release, or have the skill reviewed and signed anew",
  },
  SIGNING_TIME_UNKNOWN: {
    meaning:
      "The policy's `freshness.maxSignatureAge` limits the age of signatures, and of this one no log or timestamp authority says when it was made, or says a time that is yet to come. What the signer itself says of the time proves nothing.",
    remedy: "have the skill signed so that the time is proved, such as keyless with a transparency log",
  },
  CARD_MISSING: {
    meaning: "The policy demands a skill card, and there is none, or it is not among the signed files.",
    remedy: "add skill-card.md or skill_card.yaml to the skill and sign it",
  },
  CARD_INCOMPLETE: {
    meaning:
      "The card or SKILL.md breaks a rule of its format, or leaves a field empty that the policy demands.",
    remedy: "complete the card and SKILL.md, and sign the skill anew",
  },
  RISK_UNMITIGATED: {
    meaning: "The card names a risk without saying how it is mitigated.",
    remedy: "state a mitigation for every risk in the card, and sign the skill anew",
  },
  LICENSE_NOT_ALLOWED: {
    meaning: "The skill's licence is not allowed by the policy, is no SPDX expression, or is not stated.",
    remedy: "use a skill under an allowed licence, or state the licence as an SPDX expression and sign anew",
  },
  PERMISSION_DENIED: {
    meaning: "The skill claims a permission or tool that the policy denies.",
    remedy: "narrow the skill's permissions and allowed-tools and sign anew, or use another skill",
  },
  GRADE_BELOW_MINIMUM: {
    meaning:
      "A layer of evidence is graded below the minimum of the policy's `evidence`. Integrity MEDIUM: there are unsigned files at paths that the signature ignores; a trust card's is never more, for nobody signs CARD.md. Freshness WEAK: no log or timestamp authority proves when it was signed; ABSENT: it has expired, is older than `freshness.maxSignatureAge`, or was revoked; a skill that is signed so that the time is proved, such as keyless, reaches MEDIUM.",
    remedy:
      "remove unsigned files at ignored paths (.git…, vett.analysis.json), or use a skill whose signature reaches the grade",
  },
  SKILL_NOT_ALLOWED: {
    meaning:
      "No entry of the policy's `skills` matches the skill: its folder's name, its name in SKILL.md (one that cannot be read matches nothing), and the kind of every volume it comes from. Or a registry of the policy signed it, but it is none of the skills, or not the version, that the publisher lists.",
    remedy: "use an allowed skill, or add this one to the policy's skills or its publisher's",
  },
  SOURCE_UNVERIFIABLE: {
    meaning:
      "The skill comes from a place whose bytes cannot be read at admission, such as an image, a claim or an emptyDir, or from several ConfigMaps of which one is `optional`, so that its deletion would change the skill unseen. Or such a volume lies where it could hold skills: above a skill root, beside a skill, in a container whose home is not known, or it reaches the files of other pods through the node. The finding says why the place counts, and which field of the policy's `unverifiable` decides ([places.md](places.md)).",
    remedy: "deliver the skill as immutable ConfigMaps (skill-admission package)",
  },
  SOURCE_UNAVAILABLE: {
    meaning:
      "An object that holds the skill's files does not exist or could not be read. In a dry run, and for what makes pods, an object that does not exist is a warning: it may come until a pod starts, which is then judged.",
    remedy: "see that the object is there, with every key that is mounted, then try again",
  },
  SOURCE_MALFORMED: {
    meaning:
      "The object or the pod's volumes hold what no skill may hold, such as names that differ only in letter case.",
    remedy: "correct what the message names, or let skill-admission package make the ConfigMaps",
  },
  NOT_IMMUTABLE: {
    meaning: "The policy demands immutable ConfigMaps, and this one could be changed after admission.",
    remedy: "set immutable: true on each of these objects (skill-admission package does)",
  },
  CHANGED_IN_PLACE: {
    meaning:
      "A ConfigMap was to change under a running pod, which would then show files of two versions of a skill. The kubelet replaces in one step only what comes from one ConfigMap, by one mount without `subPath`. A skill that is spread further is not changed in place, whether the new version is signed or not, and its ConfigMaps are not made anew one after the other while a pod runs that has them. Or a new pod has a skill of a ConfigMap that was made anew while others, which have it as something else, named it: their nodes may give the pod the old one ([deleting immutable ConfigMaps](operations.md#deleting-immutable-configmaps)). See [changing a skill](operations.md#changing-a-skill).",
    remedy:
      "give the new version ConfigMaps of new names (skill-admission package does), or delete the running pods first",
  },
  STILL_IN_USE: {
    meaning:
      "An immutable ConfigMap with bytes of a skill that no signature covers was to be deleted, or its last finalizer taken off, while pods name it. A node goes on giving it to every pod that mounts this name, also after another ConfigMap was made under it, for as long as one of these pods is there: a signed skill of that name would then bring the old bytes in. ConfigMaps whose bytes are all signed, and those that hold no skill, are deleted as ever. See [deleting immutable ConfigMaps](operations.md#deleting-immutable-configmaps).",
    remedy: "delete or replace these pods first, or leave the ConfigMap and use a new name",
  },
  WRITABLE_MOUNT: {
    meaning:
      "The policy demands read-only mounts, and a container could write to the skill. Or it demands read-only root file systems (`immutability.readOnlyRootFilesystem`), and that of a container is mounted writable, though the pod sees a skill or is a closed one.",
    remedy: "set readOnly: true on every mount of the skill",
  },
  MOUNT_NOT_ALLOWED: {
    meaning:
      "The policy's `closed` selects the pod, and a mount is neither made of verified skills, nor by the kubelet, nor at or below a folder of `closed.data` ([places.md](places.md#closed-pods)). The finding says which mount, and why no folder of `data` allows it.",
    remedy: "take the mount out, or mount it at or below a folder of the policy's closed.data",
  },
  PROCESSES_SHARED: {
    meaning:
      "The policy demands private processes (`immutability.processNamespace`), and by `shareProcessNamespace` or `hostPID` the pod's containers reach each other's files through `/proc`, though the pod sees a skill or is a closed one.",
    remedy: "take shareProcessNamespace and hostPID out of the pod",
  },
  NODE_PRESET: {
    meaning:
      "The policy reviews the binding of pods to nodes (`recheck: Binding`), and this one brings a `nodeName` of its own: no scheduler binds it, so its ConfigMaps could change unseen before it starts.",
    remedy: "take nodeName out of the pod, and choose the node by nodeSelector or affinity",
  },
  LIMIT_EXCEEDED: {
    meaning: "The skill, or an object on the way to it, is larger than what is checked.",
    remedy: "make the skill smaller: at most 10,000 files and 64 MiB",
  },
  TIMEOUT: {
    meaning: "The review could not be completed within its deadline.",
    remedy: "try again; if it goes on, look at the webhook's latency",
  },
  INTERNAL: {
    meaning:
      "The fault is not the skill's: a policy that cannot be used as written, or an error inside Skill Admission. Nothing was proved, so nothing is let in.",
    remedy: "an operator should look at the policy's status (kubectl get cskp) and the controller's log",
  },
};

/** Remedies for a layer's low grade, used if no other finding explains it. */
const gradeRemedies: Readonly<Record<Layer, string>> = {
  integrity: reasonTexts.GRADE_BELOW_MINIMUM.remedy,
  authorship: reasonTexts.UNTRUSTED_SIGNER.remedy,
  freshness: reasonTexts.SIGNING_TIME_UNKNOWN.remedy,
};

/** Reasons that lower grades through the signature: their remedy raises the grades too. */
const aboutSignature: readonly Reason[] = [
  "UNSIGNED",
  "BAD_SIGNATURE",
  "UNTRUSTED_SIGNER",
  "SIGNER_EXPIRED",
  "MANIFEST_MALFORMED",
  "UNSUPPORTED_FORMAT",
];

/** Reasons that explain a layer's low grade: their remedy replaces the grade's own. */
const explains: Readonly<Record<Layer, ReadonlySet<Reason>>> = {
  integrity: new Set(aboutSignature),
  // A registry's skill that the publisher does not list: the list has to change.
  authorship: new Set([...aboutSignature, "SKILL_NOT_ALLOWED"]),
  freshness: new Set([...aboutSignature, "EXPIRED", "SIGNING_TIME_UNKNOWN", "REVOKED"]),
};

interface Remediable {
  readonly code: Reason;
  readonly layer?: Layer;
  readonly remedy?: string;
  readonly tolerated?: boolean;
}

/**
 * Reasons by which a new version of a ConfigMap does not fit pods that run, though it may fit its own: they mount other
 * files of it.
 */
const unfit: ReadonlySet<Reason> = new Set(["FILE_MISSING", "FILE_UNSIGNED", "SOURCE_UNAVAILABLE"]);
const newName =
  "if the new version is for new pods, such as those of a new release, give its ConfigMap a new name (skill-admission package does): these keep the old one";

/** Remedies for what a changed ConfigMap would make of a skill of running pods. */
export function remedyUnderPods(findings: readonly Remediable[]): string {
  const remedy = remedyFor(findings);
  const isUnfit = findings.some(({ code }) => unfit.has(code));
  const hasIt = findings.some(({ code }) => code === "CHANGED_IN_PLACE");
  return isUnfit && !hasIt ? `${remedy}; ${newName}` : remedy;
}

/** Remedies for findings, each once, in the order of the findings; tolerated findings need none. */
export function remedyFor(findings: readonly Remediable[]): string {
  const pressing = findings.filter(({ tolerated }) => tolerated !== true);
  const told = pressing.length === 0 ? findings : pressing;
  // What is missing need not come back: it would be refused for the same reason.
  const isChanged = told.some(({ code }) => code === "CHANGED_IN_PLACE");
  const remedies = told.flatMap(({ code, layer, remedy }) => {
    if (isChanged && code === "SOURCE_UNAVAILABLE") return [];
    if (layer === undefined) return [remedy ?? reasonTexts[code].remedy];
    return told.some((other) => explains[layer].has(other.code)) ? [] : [gradeRemedies[layer]];
  });
  return [...new Set(remedies)].join("; ");
}
