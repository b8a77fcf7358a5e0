import { constants } from "node:fs";
import { mkdir, open, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { maxTrustedRootLength } from "../signature/sigstore/root/trusted-root.ts";

/** The last root from a mirror that could be used. */
export interface LastGood {
  readonly text: string;
  /** When the mirror last confirmed it, milliseconds since 1970. */
  readonly at: number;
}

/** Bytes of the file: JSON may escape every character. */
const maxBytes = 8 * maxTrustedRootLength;

/** Only a regular file: reading a pipe would never end, and policies would wait for it. */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

async function readSmall(file: string): Promise<string> {
  const handle = await open(file, flags);
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new TypeError(`${file} is no file`);
    const { size } = status;
    if (size > maxBytes) throw new RangeError(`${file} is larger than ${maxBytes} bytes`);
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}

/** Loads the stored root; undefined where there is none that could be used. */
export async function loadLastGood(file: string): Promise<LastGood | undefined> {
  try {
    const { text, at } = JSON.parse(await readSmall(file)) as Partial<Record<keyof LastGood, unknown>>;
    return typeof text === "string" && typeof at === "number" && Number.isFinite(at)
      ? { text, at }
      : undefined;
  } catch {
    // An unreadable file counts as absent: the mirror will be contacted.
    return undefined;
  }
}

/** Stores the root, whole or not at all. */
export async function saveLastGood(file: string, { text, at }: LastGood): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, JSON.stringify({ text, at }), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
