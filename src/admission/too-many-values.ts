import { SourceError } from "../skill/source-error.ts";

/**
 * Values of a body whose objects are read: reading 50,000 takes up to 0.1 s, in which nothing else is answered. Real pods
 * have some hundred, ConfigMaps as many as keys.
 */
export const maxReviewValues = 50_000;

/** The error of an object that is not read. @param what names it */
export const tooManyValues = (what: string): SourceError =>
  new SourceError(
    "LIMIT_EXCEEDED",
    `${what} is made of more than ${maxReviewValues} values, and of a changed object both versions count; split it`,
  );
