import { quotedScalar, stringScalar } from "./yaml-text.ts";

/** Plain scalars that a YAML 1.1 reader, such as kubectl, takes for a boolean or null. */
const words = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

const plainScalar = (text: string): boolean => /^[A-Za-z/][A-Za-z0-9_./-]*$/.test(text) && !words.test(text);

const keyScalar = (key: string): string => (plainScalar(key) ? key : quotedScalar(key));

function scalar(value: unknown, indent: number): string {
  if (typeof value === "string") return plainScalar(value) ? value : stringScalar(value, indent);
  return JSON.stringify(value);
}

const isBranch = (value: unknown): value is object =>
  typeof value === "object" && value !== null && Object.keys(value).length > 0;

/** Lines of a mapping or list whose keys or dashes stand at `indent`. */
function lines(value: object, indent: number): readonly string[] {
  const margin = " ".repeat(indent);
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown) => {
      if (!isBranch(item)) return [`${margin}- ${scalar(item, indent)}`];
      const [first = "", ...rest] = lines(item, indent + 2);
      return [`${margin}- ${first.slice(indent + 2)}`, ...rest];
    });
  }
  const members = Object.entries(value).filter(([, item]) => item !== undefined);
  return members.flatMap(([key, item]: [string, unknown]) =>
    isBranch(item)
      ? [`${margin}${keyScalar(key)}:`, ...lines(item, indent + 2)]
      : [`${margin}${keyScalar(key)}: ${scalar(item, indent)}`],
  );
}

/**
 * Plain data as block-style YAML that readers of YAML 1.1 and 1.2 understand alike: the same data gives the same
 * bytes. Undefined members are left out, as in JSON. Multi-line text becomes a literal block where that is exact.
 * Ends in a line break.
 */
export const yamlDocument = (value: object): string => `${lines(value, 0).join("\n")}\n`;
