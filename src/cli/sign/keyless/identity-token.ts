import { readFile } from "node:fs/promises";

import { JsonError, parseStrictJson } from "../../../text/json.ts";
import { UsageError, type CommandLine } from "../../command-line.ts";
import { ioMessage } from "../../files/file-faults.ts";
import { serviceUrl } from "./service-url.ts";

/** Maximum characters of an identity token. Real ones have one or two thousand. */
const maxLength = 32_768;

const patience = 20_000;

/** Audience of tokens for Fulcio, which accepts no other. */
const audience = "sigstore";

const howToGetOne =
  "give --identity-token FILE, set SIGSTORE_ID_TOKEN, or let the GitHub Actions job have permissions: id-token: write";

interface Claims {
  /** Seconds since 1970. */
  readonly exp?: unknown;
}

function claimsOf(token: string): Claims | undefined {
  const [, payload = ""] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token) ?? [];
  try {
    const claims = parseStrictJson(Buffer.from(payload, "base64url"));
    return claims !== null && typeof claims === "object" && !Array.isArray(claims)
      ? (claims as Claims)
      : undefined;
  } catch (cause) {
    if (cause instanceof JsonError) return undefined;
    throw cause;
  }
}

/** Checks the visible claims of a token before it is sent; the certificate authority verifies its signature. */
function checkedToken(text: string, source: string, now: number): string {
  const token = text.trim();
  const claims = token.length <= maxLength ? claimsOf(token) : undefined;
  if (claims === undefined) {
    throw new UsageError(`${source} holds no OpenID Connect identity token (a JSON Web Token)`, howToGetOne);
  }
  if (typeof claims.exp === "number" && claims.exp * 1000 <= now) {
    throw new UsageError(
      `the identity token in ${source} has expired`,
      "get a new one; they are valid for minutes",
    );
  }
  return token;
}

async function readTokenFile(file: string, line: CommandLine): Promise<string> {
  if (file === "-") return Buffer.from(await line.readStdin()).toString("latin1");
  try {
    return await readFile(file, "latin1");
  } catch (cause) {
    throw new UsageError(`cannot read ${file}: ${ioMessage(cause)}`, howToGetOne, { cause });
  }
}

/**
 * GitHub Actions answers jobs with the permission for tokens with `{"value": "…"}` (GitHub's documentation on
 * OpenID Connect).
 */
async function askGitHub({
  requestUrl,
  requestToken,
}: NonNullable<CommandLine["githubActions"]>): Promise<string> {
  if (!URL.canParse(requestUrl)) throw new UsageError("ACTIONS_ID_TOKEN_REQUEST_URL is no URL", howToGetOne);
  const url = new URL(requestUrl);
  // The URL has query parameters of its own; it is checked without them.
  serviceUrl(url.origin + url.pathname, "ACTIONS_ID_TOKEN_REQUEST_URL");
  url.searchParams.set("audience", audience);
  try {
    const answer = await fetch(url, {
      headers: { accept: "application/json", authorization: `Bearer ${requestToken}` },
      redirect: "error",
      signal: AbortSignal.timeout(patience),
    });
    if (!answer.ok) throw new Error(`it answered with status ${answer.status}`);
    const { value } = (await answer.json()) as { readonly value?: unknown };
    if (typeof value !== "string") throw new Error("its answer holds no token");
    return value;
  } catch (cause) {
    throw new UsageError(
      `GitHub Actions gave no identity token: ${(cause as Error).message}`,
      "let the job have permissions: id-token: write",
      { cause },
    );
  }
}

/**
 * Reads the signer's identity token: from a file, from `SIGSTORE_ID_TOKEN`, or from the GitHub Actions job that
 * this runs in; the first found.
 * @throws UsageError if there is none, or it would be refused
 */
export async function readIdentityToken(file: string | undefined, line: CommandLine): Promise<string> {
  const { identityToken, githubActions } = line;
  const now = line.now();
  if (file !== undefined) return checkedToken(await readTokenFile(file, line), file, now);
  if (identityToken !== undefined && identityToken !== "")
    return checkedToken(identityToken, "SIGSTORE_ID_TOKEN", now);
  if (githubActions !== undefined)
    return checkedToken(await askGitHub(githubActions), "GitHub's answer", now);
  throw new UsageError("keyless signing needs an identity token", howToGetOne);
}
