import type { CardFault, SkillCard } from "./skill-card.ts";

/** Sorts the licences of an expression with one operator and no brackets: `B AND A` becomes `A AND B`. */
function ordered(expression: string): string {
  for (const operator of [" AND ", " OR "]) {
    const parts = expression.split(operator);
    if (parts.length > 1 && !/[()]| AND | OR /.test(parts.join(" "))) return parts.sort().join(operator);
  }
  return expression;
}

const licenseOf = ({ license }: SkillCard): string | undefined =>
  license?.spdx === undefined ? license?.raw : ordered(license.spdx);

/** Contradictions between two cards of one skill, as faults of the card that does not count. */
export function cardDifferences(preferred: SkillCard, other: SkillCard): readonly CardFault[] {
  const compared = [
    ["license", licenseOf(preferred), licenseOf(other)],
    ["owner", preferred.owner, other.owner],
    ["version", preferred.version, other.version],
  ] as const;
  return compared
    .filter(([, left, right]) => left !== undefined && right !== undefined && left !== right)
    .map(([field, left, right]) => {
      const [here, there] = [left, right].map((each) => JSON.stringify((each ?? "").slice(0, 64)));
      return {
        path: other.path,
        field,
        detail: `says ${there ?? ""}, but ${preferred.path} says ${here ?? ""}; make them agree (${preferred.path} counts)`,
      };
    });
}
