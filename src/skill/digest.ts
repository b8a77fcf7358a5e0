import { hash, webcrypto } from "node:crypto";

/** A SHA-256 digest in the form of policies and messages: `sha256:` and 64 lower-case hex digits. */
export type Sha256 = `sha256:${string}`;

/** SHA-256 as 64 lower-case hex digits. */
export const sha256Hex = (bytes: Uint8Array | string): string => hash("sha256", bytes, "hex");

/** SHA-256 as 64 lower-case hex digits, computed on Node.js's thread pool. */
export async function sha256HexElsewhere(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)).toString(
    "hex",
  );
}

/** SHA-256 with its algorithm in front. */
export const sha256 = (bytes: Uint8Array | string): Sha256 => `sha256:${sha256Hex(bytes)}`;

/** The first eight digits, for people to compare: `3f8e44cb…`. The algorithm is kept unless it is SHA-256. */
export const shortDigest = (digest: string): string => `${digest.replace(/^sha256:/, "").slice(0, 8)}…`;
