/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Environment of this process; the only place that reads it. */
export const processEnvironment = (): Environment => process.env;
