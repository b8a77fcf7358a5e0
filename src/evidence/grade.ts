/** Answer to one question, best first. UNVERIFIED and ABSENT meet no minimum. */
export type Grade = "STRONG" | "MEDIUM" | "WEAK" | "UNVERIFIED" | "ABSENT";

/** The graded questions. */
export const layers = ["integrity", "authorship", "freshness"] as const;

export type Layer = (typeof layers)[number];

export type Grades = Readonly<Record<Layer, Grade>>;

/** Grades of a skill whose bytes are not available. */
export const unverified: Grades = {
  integrity: "UNVERIFIED",
  authorship: "UNVERIFIED",
  freshness: "UNVERIFIED",
};

const rank: Readonly<Record<Grade, number>> = { STRONG: 3, MEDIUM: 2, WEAK: 1, UNVERIFIED: 0, ABSENT: 0 };

/** Grades that a policy can require. */
export type MinimumGrade = Exclude<Grade, "UNVERIFIED" | "ABSENT">;

export const meets = (grade: Grade, minimum: MinimumGrade): boolean => rank[grade] >= rank[minimum];
