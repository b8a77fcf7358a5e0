/**
 * Limits of one skill. Real skills have 4 to 130 files, 55 KB in the median, 1.2 MB at most (a survey of 344): the
 * limits leave two orders of magnitude and keep a review within its deadline.
 */
export const skillLimits = {
  /** Regular files in one skill. */
  files: 10_000,
  /** Bytes of all files of one skill together. */
  bytes: 64 * 1024 * 1024,
  /** UTF-8 bytes of one relative path. */
  pathBytes: 1024,
  /** Components of one relative path. */
  depth: 32,
  /** Bytes of one signature file. */
  signatureBytes: 8 * 1024 * 1024,
  /** Bytes of one skill card: it is parsed whole, in some milliseconds. Real ones have 20 KB at most. */
  cardBytes: 64 * 1024,
  /** Bytes of a Markdown file's frontmatter with its closing line; the longest real one has some 3 KB. */
  frontmatterBytes: 64 * 1024,
  /** Bytes of a SKILL.md. Only its frontmatter is parsed. */
  instructionBytes: 1024 * 1024,
} as const;
