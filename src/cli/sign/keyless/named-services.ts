import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";

import type { SigningConfig } from "@sigstore/protobuf-specs";

/** Where Node tells of each request of its HTTP client when it is made, before anything of it is sent. */
const requests = "http.client.request.created";

const originsOf = ({ caUrls, rekorTlogUrls, tsaUrls }: SigningConfig): ReadonlySet<string> =>
  new Set([...caUrls, ...rekorTlogUrls, ...tsaUrls].map(({ url }) => new URL(url).origin));

function originOf(request: ClientRequest): string {
  const host = String(request.getHeader("host"));
  const url = `${request.protocol}//${host}`;
  return URL.canParse(url) ? new URL(url).origin : url;
}

/**
 * Runs what speaks with the services of a signing configuration, and lets no request of it go anywhere else. The library
 * follows redirects, also from https to http, and sends what it has again: of the certificate authority that is the identity
 * token, with which whoever gets it can sign in the owner's name. It has no option against that.
 *
 * While it runs, it holds for every request of this process by `node:http` and `node:https`.
 *
 * @throws what `speak` throws; for a request that was stopped an error that names where it would have gone
 */
export async function withNamedServices<T>(config: SigningConfig, speak: () => Promise<T>): Promise<T> {
  const named = originsOf(config);
  const strangers = new Set<string>();
  const guard = (message: unknown): void => {
    const { request } = message as { readonly request: ClientRequest };
    const origin = originOf(request);
    if (named.has(origin)) return;
    strangers.add(origin);
    request.destroy(new Error(`a request to ${origin} was stopped`));
  };
  subscribe(requests, guard);
  try {
    return await speak();
  } catch (cause) {
    const [stranger] = strangers;
    if (stranger === undefined) throw cause;
    throw new Error(`a service redirects to ${stranger.slice(0, 200)}, which is none of the named ones`, {
      cause,
    });
  } finally {
    unsubscribe(requests, guard);
  }
}
