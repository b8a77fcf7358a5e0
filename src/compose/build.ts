/** What is running: for `--version`, the log and the metric `build_info`. */
export interface Build {
  readonly version: string;
  /** Commit that it was built from, where the build said so. */
  readonly revision: string;
  /** Bytes of memory that the process may take, as its control group says; absent where there is no limit. */
  readonly memoryLimit?: number;
}
