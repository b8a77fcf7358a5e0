/** Build of the running program: for `--version`, the log and the metric `build_info`. */
export interface Build {
  readonly version: string;
  /** Commit; "unknown" where the build did not record it. */
  readonly revision: string;
  /** Memory limit of the process's control group, bytes; absent without a limit. */
  readonly memoryLimit?: number;
}
