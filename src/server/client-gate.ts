import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

import { printable } from "../text/printable.ts";
import { RequestError } from "./body.ts";
import type { Authorities, ClientAuthority } from "./certificates/client-authority.ts";

/** A `type:value` of Node's text of subjectAltName; a value that could be mistaken for several is a JSON string. */
const alternativeName = /(?:^|, )(?:DNS|URI|email|IP Address):("(?:[^"\\]|\\.)*"|[^,"]+)/g;

/** Common names, and alternative names of the usual types, as they are written. */
export function namesOf(certificate: X509Certificate): readonly string[] {
  const common: unknown = certificate.toLegacyObject().subject.CN;
  const alternative = [...(certificate.subjectAltName ?? "").matchAll(alternativeName)].map(
    ([, text = ""]) => (text.startsWith('"') ? String(JSON.parse(text)) : text),
  );
  return [common, ...alternative].flat().filter((name) => typeof name === "string");
}

/** True if one of these authorities issued the certificate. Node shows a server no authorities that a client sends. */
const issuedBy = ({ certificates }: Authorities, certificate: X509Certificate): boolean =>
  certificates.some(
    (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
  );

const remedy =
  "give the API server its client certificate (--admission-control-config-file, see docs/client-certificates.md), " +
  "or serve without --client-ca-file";

const refused = (status: 401 | 403, why: string): RequestError =>
  new RequestError(status, `${why}, so nothing is reviewed: ${remedy}`);

/** What TLS made of a connection's client certificate, and the authorities by which it was last found good. */
interface Checked {
  readonly certificate: X509Certificate;
  readonly notAfter: number;
  by?: Authorities;
}

/**
 * Decides by TLS client certificate who may ask for reviews: one that TLS has verified, of an authority that still
 * counts, not expired since, and with one of the names. Connections outlive all of these, so that each request asks.
 *
 * @returns why a connection's client may not; undefined where it may
 */
export function clientGate(
  authority: ClientAuthority,
  now: () => number,
): (socket: Socket) => RequestError | undefined {
  const known = new WeakMap<Socket, Checked>();
  const check = (socket: Socket): Checked | RequestError => {
    const connection = socket instanceof TLSSocket ? socket : undefined;
    const certificate = connection?.getPeerX509Certificate();
    if (certificate === undefined) return refused(401, "no client certificate came");
    if (connection?.authorized !== true) {
      // Typed as an Error, it is the code of OpenSSL.
      const code = String(connection?.authorizationError);
      return refused(403, `the client certificate is not valid (${code})`);
    }
    if (!namesOf(certificate).some((name) => authority.names.includes(name))) {
      const names = namesOf(certificate).map((name) => JSON.stringify(printable(name, 100)));
      return refused(
        403,
        `the client certificate is for ${names.slice(0, 3).join(", ") || "nobody"}, whom --client-name does not name`,
      );
    }
    return { certificate, notAfter: certificate.validToDate.getTime() };
  };
  return (socket) => {
    const checked = known.get(socket) ?? check(socket);
    if (checked instanceof RequestError) return checked;
    known.set(socket, checked);
    const authorities = authority.current();
    if (checked.by !== authorities) {
      if (!issuedBy(authorities, checked.certificate))
        return refused(403, "the authority that issued the client certificate is not in --client-ca-file");
      checked.by = authorities;
    }
    if (now() > checked.notAfter) return refused(403, "the client certificate has expired");
    return undefined;
  };
}
