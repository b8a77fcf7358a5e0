import type { ElectionTimes } from "../../../src/cluster/live/leader/election.ts";

/** Of an election that is over sooner than in production, with room for a machine that is busy. */
export const hurriedTimes: ElectionTimes = { duration: 6_000, deadline: 4_000, retry: 800 };
