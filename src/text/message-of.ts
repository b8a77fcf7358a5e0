/** The message of whatever was thrown; JavaScript lets anything be thrown, not only errors. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
