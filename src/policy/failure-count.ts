import type { SkillResult } from "./finding.ts";
import type { PodFault, SkillReference } from "../skill/reference.ts";

type Cause = "unverifiable" | "unavailable" | PodFault["demand"];

/** What is wrong beside skills. */
const words: Readonly<Record<Cause, (count: number) => string>> = {
  unverifiable: (count) => `${count} place${count === 1 ? "" : "s"} cannot be verified`,
  unavailable: (count) => `${count} source${count === 1 ? "" : "s"} cannot be judged`,
  closed: (count) => (count === 1 ? "1 mount is not allowed" : `${count} mounts are not allowed`),
  rootFilesystem: () => "a root file system is writable",
  processes: () => "its containers share processes",
  binding: () => "its node is preset",
  inUse: () => "it is still in use",
};

/** Equal for one path of one pod. */
const placeOf = ({ path, mountedBy = "" }: SkillReference): string => `${mountedBy} ${path}`;

/** What is said of a reference by a policy, or is known of it without one. */
type About = Pick<SkillResult, "reference">;

const placesWithSkills = (results: readonly About[]): ReadonlySet<string> =>
  new Set(
    results.flatMap(({ reference }) => (reference.content.state === "resolved" ? [placeOf(reference)] : [])),
  );

/** Tells which references are about a skill. Of one that can be read in part, the other parts are its own too. */
export function aboutSkills(results: readonly About[]): (reference: SkillReference) => boolean {
  const places = placesWithSkills(results);
  return (reference) => reference.content.state !== "fault" && places.has(placeOf(reference));
}

/** Number of skills, each once, without the places that cannot be verified and other faults of a pod. */
export const skillCount = (results: readonly About[]): number => placesWithSkills(results).size;

function causeOf({ content }: SkillReference): Cause | undefined {
  if (content.state === "resolved") return undefined;
  return content.state === "fault" ? content.demand : content.state;
}

/** Numbers of what failed, each place once: `1 of 3 skills failed, 2 places cannot be verified`. */
export function failureCount(results: readonly SkillResult[], failed: readonly SkillResult[]): string {
  const isAboutSkill = aboutSkills(results);
  const byCause = Map.groupBy(
    failed.map(({ reference }) => reference),
    (reference) => (isAboutSkill(reference) ? undefined : causeOf(reference)),
  );
  const count = (references: readonly SkillReference[] = []): number => new Set(references.map(placeOf)).size;
  const total = skillCount(results);
  const bad = count(byCause.get(undefined));
  const beside = [...byCause].flatMap(([cause, references]) =>
    cause === undefined ? [] : [words[cause](count(references))],
  );
  const skills = `${bad} of ${total} skill${total === 1 ? "" : "s"} failed`;
  return [...(bad > 0 || beside.length === 0 ? [skills] : []), ...beside].join(", ");
}
