import { z } from "zod";
import { asSet, someMember } from "./schema/constraints.ts";

/** Fields of a card that a policy can require, by their names in the normalised model, `SkillCard`. */
const cardFields = [
  "description",
  "intent",
  "owner",
  "license",
  "version",
  "useCase",
  "geography",
  "posture",
  "risks",
  "limitations",
  "permissions",
  "dependencies",
  "references",
  "credentials",
] as const;

export type CardField = (typeof cardFields)[number];

const licenseList = asSet(z.array(z.string().min(1).max(128)).min(1).max(64));

/** `spec.card`: requirements for the skill card. */
export const cardSection = someMember(
  z.strictObject({
    required: z.boolean().exactOptional().describe("True: the skill must have a signed card."),
    fields: asSet(z.array(z.enum(cardFields)).min(1))
      .exactOptional()
      .describe("Fields that the card must fill in; implies that there must be a card."),
    mitigationPerRisk: z
      .boolean()
      .exactOptional()
      .describe("True: every risk that the card names must come with a mitigation."),
    licenses: someMember(
      z.strictObject({
        allow: licenseList
          .exactOptional()
          .describe("SPDX licences that are allowed. Left out: all that are not denied."),
        deny: licenseList.exactOptional().describe("SPDX licences that are denied, whatever is allowed."),
      }),
    )
      .exactOptional()
      .describe(
        "Licences that the skill may be under, by SPDX expression; of `A OR B` one must be allowed, of `A AND B` both. " +
          "The card's licence counts, without a card that of SKILL.md. One that is absent or unreadable is denied.",
      ),
    permissions: z
      .strictObject({
        deny: asSet(z.array(z.string().min(1).max(128)).min(1).max(64)).describe(
          "Permissions that the skill may not claim, for example `Bash(*)` or `network:egress`; `*` stands for any characters. " +
            "A broader claim than the denied one is denied too.",
        ),
      })
      .exactOptional()
      .describe("Permissions and tools that the skill claims, in its card and in SKILL.md."),
  }),
);

export type CardSection = z.output<typeof cardSection>;
