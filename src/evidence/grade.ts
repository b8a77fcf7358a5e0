/** How well a question is answered, best first. UNVERIFIED and ABSENT meet no minimum. */
export type Grade = "STRONG" | "MEDIUM" | "WEAK" | "UNVERIFIED" | "ABSENT";

/** Layers that are graded. */
export const layers = ["integrity", "authorship", "freshness"] as const;

export type Layer = (typeof layers)[number];

/** How well each question about one skill is answered. */
export type Grades = Readonly<Record<Layer, Grade>>;

/** Of bytes that could not be had. */
export const unverified: Grades = {
  integrity: "UNVERIFIED",
  authorship: "UNVERIFIED",
  freshness: "UNVERIFIED",
};

const rank: Readonly<Record<Grade, number>> = { STRONG: 3, MEDIUM: 2, WEAK: 1, UNVERIFIED: 0, ABSENT: 0 };

/** Grades that a policy may demand. */
export type MinimumGrade = Exclude<Grade, "UNVERIFIED" | "ABSENT">;

/** Does a grade reach a minimum. */
export const meets = (grade: Grade, minimum: MinimumGrade): boolean => rank[grade] >= rank[minimum];
