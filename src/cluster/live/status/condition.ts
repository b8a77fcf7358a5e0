/** One condition in the status of a custom resource. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
}

/** What a condition says, without its times. */
export type Said = Pick<Condition, "status" | "reason" | "message">;
