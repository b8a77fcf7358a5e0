import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";

import type { SigningConfig } from "@sigstore/protobuf-specs";

/** Diagnostics channel of Node's HTTP client: publishes each request before anything is sent. */
const requests = "http.client.request.created";

const originsOf = ({ caUrls, rekorTlogUrls, tsaUrls }: SigningConfig): ReadonlySet<string> =>
  new Set([...caUrls, ...rekorTlogUrls, ...tsaUrls].map(({ url }) => new URL(url).origin));

function originOf(request: ClientRequest): string {
  const host = String(request.getHeader("host"));
  const url = `${request.protocol}//${host}`;
  return URL.canParse(url) ? new URL(url).origin : url;
}

/**
 * Runs `speak` and stops each request to a service that the signing configuration does not name. The library
 * follows redirects, also from https to http, and repeats the request's body there: for the certificate authority
 * that is the identity token, with which a thief can sign as its owner. It has no option against that.
 *
 * While it runs, it applies to every request of this process through `node:http` and `node:https`.
 *
 * @throws what `speak` throws; for a stopped request an error that names its destination
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
