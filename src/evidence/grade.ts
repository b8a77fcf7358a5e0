/** How well a question is answered, best first. UNVERIFIED and ABSENT meet no minimum. */
export type Grade = "STRONG" | "MEDIUM" | "WEAK" | "UNVERIFIED" | "ABSENT";

/** Layers that are graded. */
export type Layer = "integrity" | "authorship";

const rank: Readonly<Record<Grade, number>> = { STRONG: 3, MEDIUM: 2, WEAK: 1, UNVERIFIED: 0, ABSENT: 0 };

/** Grades that a policy may demand. */
export type MinimumGrade = Exclude<Grade, "UNVERIFIED" | "ABSENT">;

/** Does a grade reach a minimum. */
export const meets = (grade: Grade, minimum: MinimumGrade): boolean => rank[grade] >= rank[minimum];
