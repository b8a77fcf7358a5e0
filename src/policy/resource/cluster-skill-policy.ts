import { z } from "zod";
import type { Layer, MinimumGrade } from "../../evidence/grade.ts";
import { podSourceKinds } from "../../skill/reference.ts";
import type { Mode } from "../finding.ts";
import type { Recheck } from "../policy.ts";
import { cardSection } from "./card-section.ts";
import { closedSection, dataApartFromRoots } from "./closed.ts";
import { asSet, byName, celRule, someMember } from "./schema/constraints.ts";
import { labelSelector } from "./schema/label-selector.ts";
import { publisher } from "./publisher.ts";
import { entryName, objectName } from "./schema/scalars.ts";
import { duration, moment } from "./schema/time.ts";
import { response } from "./schema/response.ts";
import { skillRoot } from "./schema/skill-root.ts";
import { sha256Digest } from "./skill-revocation-list.ts";
import { unverifiable } from "./unverifiable.ts";

const modes = ["Enforce", "Warn", "Audit"] as const satisfies readonly Mode[];
const grades = ["STRONG", "MEDIUM", "WEAK"] as const satisfies readonly MinimumGrade[];

const rechecks = ["Watch", "Binding"] as const satisfies readonly Recheck[];

/** Grades that the freshness layer can have. */
const freshnessGrades = ["MEDIUM", "WEAK"] as const satisfies readonly MinimumGrade[];

const demand = z.enum(["Required", "NotRequired"]);

/** A skill name or pattern: printable ASCII without blank and slash; `*` stands for any characters. */
const namePattern = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[!-.0-~]+$/, "use printable ASCII without blanks and slashes");

const skillRule = z.strictObject({
  names: asSet(z.array(namePattern).min(1).max(64)).describe(
    "Names that the skill may have; `*` stands for any characters. The folder's name and the name in SKILL.md must both match.",
  ),
  sources: asSet(z.array(z.enum(podSourceKinds)).min(1))
    .exactOptional()
    .describe("Kinds of volume that the skill may come from: every volume that adds to it. Left out: any."),
});

const evidence = someMember(
  z.strictObject({
    integrity: z
      .enum(grades)
      .exactOptional()
      .describe(
        "STRONG: every file is signed. MEDIUM or WEAK: files at paths that the signature ignores (`.git…`) may be there too. " +
          "Changed, missing or added files are refused whatever is set here.",
      ),
    authorship: z
      .enum(grades)
      .exactOptional()
      .describe(
        "How surely the author is known; a lower grade is reported in addition to the finding about the signer. " +
          "Only the publishers of this policy reach STRONG, and other signers are refused whatever is set here.",
      ),
    freshness: z
      .enum(freshnessGrades)
      .exactOptional()
      .describe(
        "MEDIUM: a log or timestamp authority proves when it was signed, and the signature is no older than `freshness.maxSignatureAge`, if that is given. " +
          "WEAK: the signing time may be unproved, but the signature has not expired. There is no STRONG: nothing shows that no newer release exists.",
      ),
  } satisfies Readonly<Record<Layer, z.ZodType>>),
);

const immutability = z.strictObject({
  configMap: demand
    .default("NotRequired")
    .describe(
      "Required: every ConfigMap (or Secret) whose files are part of a skill must be `immutable: true`. Otherwise its updates are checked when they come, " +
        "except in the moment between a pod's admission and its start.",
    ),
  readOnlyMount: demand
    .default("NotRequired")
    .describe("Required: no container of the pod may be able to write through the mount of a skill."),
  readOnlyRootFilesystem: demand
    .default("NotRequired")
    .describe(
      "Required: every container of a pod that sees a skill, or that `closed` selects, must have `securityContext.readOnlyRootFilesystem: true`.",
    ),
  processNamespace: z
    .enum(["Private", "Any"])
    .default("Any")
    .describe(
      "Private: a pod that sees a skill, or that `closed` selects, must have neither `shareProcessNamespace` nor `hostPID`, by which containers reach each other's files.",
    ),
});

const unsigned = celRule(
  z.strictObject({
    action: z
      .enum(["Deny", "Warn"])
      .default("Deny")
      .describe(
        "Warn lets skills without any signature in, with a warning. A skill whose signature is wrong is denied all the same. The requirements of `evidence` and `card` do not apply to unsigned skills.",
      ),
    until: moment
      .exactOptional()
      .describe("When Warn ends and Deny begins, RFC 3339, for example `2027-01-31T00:00:00Z`."),
  }),
  {
    rule: "!has(self.until) || self.action == 'Warn'",
    message: "until has no effect unless action is Warn; remove it, or set action: Warn",
    check: ({ action, until }) => until === undefined || action === "Warn",
  },
);

const revocation = someMember(
  z.strictObject({
    digests: asSet(z.array(sha256Digest).min(1).max(256))
      .exactOptional()
      .describe(
        "Revoked digests, `sha256:…`: each may be that of a skill, of a file in it, or of the certificate or public key of its signer.",
      ),
    listRefs: byName(
      z
        .array(z.strictObject({ name: objectName.describe("Name of a SkillRevocationList.") }))
        .min(1)
        .max(32),
    )
      .exactOptional()
      .describe(
        "Lists that must be there: while one is missing, the policy denies every skill. Every SkillRevocationList counts, named here or not.",
      ),
  }),
);

/** `spec` of a ClusterSkillPolicy. */
export const clusterSkillPolicySpec = celRule(
  celRule(
    z.strictObject({
      mode: z
        .enum(modes)
        .default("Enforce")
        .describe(
          "What happens when a skill fails: Enforce denies, Warn admits with a warning, Audit admits and reports.",
        ),
      tenant: entryName.exactOptional().describe("Tenant in metrics and logs. Left out: the policy's name."),
      namespaceSelector: labelSelector
        .exactOptional()
        .describe(
          "Namespaces that the policy applies to, by their labels. Left out: all. The API server never asks about kube-system, kube-node-lease and the controller's own namespace, so that the cluster can always heal.",
        ),
      skillRoots: asSet(z.array(skillRoot).max(32))
        .exactOptional()
        .describe(
          "Folders whose children are skills, added to the built-in ones: absolute, such as `/opt/agent/skills`, or beginning with a dot folder, such as `.acme/skills`, which counts in every folder.",
        ),
      skills: z
        .array(skillRule)
        .min(1)
        .max(64)
        .exactOptional()
        .describe("Admitted skills; one entry must match. Left out: any."),
      noMatch: response
        .default("Deny")
        .describe(
          "Response to a skill that no entry of `skills` matches. All other requirements of the policy apply in any case.",
        ),
      publishers: byName(z.array(publisher).min(1).max(32)).describe(
        "Parties whose signature is accepted; one of them must have signed.",
      ),
      evidence: evidence
        .exactOptional()
        .describe("Minimum grade for each layer of evidence. A layer that is left out has none."),
      card: cardSection
        .exactOptional()
        .describe("Requirements for the skill's card. Only signed cards count."),
      revocation: revocation
        .exactOptional()
        .describe("Revocations of this policy, in addition to every SkillRevocationList."),
      freshness: z
        .strictObject({
          maxSignatureAge: duration.describe(
            "Oldest signature that is accepted, such as `4320h` (180 days), by the time that a log or timestamp authority proves. A signature without such a time is refused.",
          ),
        })
        .exactOptional()
        .describe("How recent the skill's signature must be. Left out: of any age."),
      immutability: immutability.prefault({}).describe("Protection against changes after admission."),
      unverifiable: unverifiable
        .prefault({})
        .describe(
          "Response to content that cannot be read at admission, by the kind of source, at or inside a skill root; `above`, `unknownHome` and `hostRuntime` answer for other places.",
        ),
      closed: closedSection
        .exactOptional()
        .describe(
          "Pods in which every mount must be made of verified skills, be made by the kubelet (the account's token, its own certificates), or lie at or below a folder of `data`. Left out: none.",
        ),
      recheck: z
        .enum(rechecks)
        .default("Watch")
        .describe(
          "When a pod is judged once more, as it and its ConfigMaps are stored. Watch: once the watch shows them, when the pod may run already. Binding: also when the scheduler binds it to a node, " +
            "before any kubelet sees it; a pod that fails is not bound in mode Enforce, nor one that brings a `nodeName` of its own and reads a ConfigMap.",
        ),
      unsigned: unsigned
        .prefault({})
        .describe("Response to skills without any signature: a transition for skills older than the policy."),
      otherSignatures: response
        .default("Deny")
        .describe(
          "Response to a skill with a valid signature by a publisher and another one that is invalid. A signature by an unknown signer is neither.",
        ),
      controllers: z
        .enum(["Warn", "Enforce"])
        .default("Warn")
        .describe(
          "Response in mode Enforce to Deployments and other controllers of pods. Warn admits them with a warning; their pods are denied in any case.",
        ),
    }),
    dataApartFromRoots,
  ),
  {
    rule: "has(self.skills) || self.noMatch == 'Deny'",
    message: "noMatch has no effect without skills; remove it, or list skills",
    check: ({ skills, noMatch }) => skills !== undefined || noMatch === "Deny",
  },
);

export type ClusterSkillPolicySpec = z.output<typeof clusterSkillPolicySpec>;
