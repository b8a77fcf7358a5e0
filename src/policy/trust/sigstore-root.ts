import { defined } from "../../text/fields.ts";
import { SignatureError } from "../../signature/signature-error.ts";
import { readClientTrustConfig } from "../../signature/sigstore/root/client-trust-config.ts";
import { publicGoodRoot } from "../../signature/sigstore/root/public-good-root.ts";
import { defaultThresholds, type Thresholds } from "../../signature/sigstore/root/thresholds.ts";
import { readTrustedRoot } from "../../signature/sigstore/root/trusted-root.ts";
import type { SigstoreRoot } from "../../signature/sigstore/root/sigstore-root.ts";
import { PolicyError } from "../policy-error.ts";
import type { SigstoreRootSpec } from "../resource/sigstore-root.ts";
import {
  mirrorReference,
  resolveNothing,
  objectReference,
  type TrustReference,
  type TrustReferenceResolver,
} from "./reference.ts";

const thresholdsOf = ({
  tlogThreshold: tlog = defaultThresholds.tlog,
  timestampThreshold: timestamp,
  ctlogThreshold: ctlog = defaultThresholds.ctlog,
}: SigstoreRootSpec): Thresholds => ({ tlog, ...defined({ timestamp }), ctlog });

/** A Sigstore instance as read, with a warning about its source. */
export interface ReadSigstoreRoot {
  readonly root: SigstoreRoot;
  /** Warning with the remedy: the root is usable, but a newer one cannot be had. */
  readonly note?: string;
}

/** A text and its source. */
interface Found {
  readonly text: string;
  readonly member: keyof SigstoreRootSpec;
  /** Location within the member, for messages. */
  readonly place?: string;
  readonly note?: string;
}

const describe = (reference: TrustReference): string =>
  reference.kind === "TUF"
    ? `${reference.target} of ${reference.mirror}`
    : `${reference.kind} ${reference.name}, key ${reference.key}`;

/** The text in the entry itself or in the object that it refers to, or the reason why there is none. */
function findInPlace(
  entry: SigstoreRootSpec,
  resolve: TrustReferenceResolver,
): Found | { readonly fault?: string } {
  const { trustedRoot, clientTrustConfig, instance } = entry;
  if (clientTrustConfig !== undefined) return { text: clientTrustConfig, member: "clientTrustConfig" };
  if (trustedRoot !== undefined) return { text: trustedRoot, member: "trustedRoot" };
  if (instance !== undefined) return { text: publicGoodRoot, member: "instance" };
  const reference = objectReference(entry);
  if (reference === undefined) return {};
  const { text, fault } = resolve(reference);
  const member = "trustedRootFrom";
  return text === undefined
    ? { fault: `${member}: ${fault ?? "nothing is known of it"}` }
    : { text, member, place: describe(reference) };
}

/** Prefers the mirror, once it has answered; until then the text beside it. */
function findText(entry: SigstoreRootSpec, resolve: TrustReferenceResolver, field: string): Found {
  const mirror = mirrorReference(entry);
  const told = mirror && resolve(mirror);
  const fault = told?.fault === undefined ? undefined : `${field}.tuf: ${told.fault}`;
  if (mirror !== undefined && told?.text !== undefined) {
    const note = fault === undefined ? {} : { note: `${fault}; what it published last serves` };
    return { text: told.text, member: "tuf", place: describe(mirror), ...note };
  }
  const found = findInPlace(entry, resolve);
  if ("text" in found)
    return fault === undefined ? found : { ...found, note: `${fault}; ${found.member} serves in its place` };
  const faults = [fault, ...(found.fault === undefined ? [] : [`${field}.${found.fault}`])];
  throw new PolicyError("UnusableTrust", faults.filter((one) => one !== undefined).join("; "));
}

/**
 * Reads a Sigstore instance of a SkillTrustRoot.
 * @param field path of the entry, for messages
 * @param resolve resolves its references
 * @throws PolicyError UnusableTrust
 */
export function readSigstoreRoot(
  entry: SigstoreRootSpec,
  root: string,
  field: string,
  resolve: TrustReferenceResolver = resolveNothing,
): ReadSigstoreRoot {
  const { text, member, place, note } = findText(entry, resolve, field);
  const names = [`${root}/${entry.name}`];
  const isConfig = member === "clientTrustConfig";
  try {
    const read = (isConfig ? readClientTrustConfig : readTrustedRoot)(text, names, thresholdsOf(entry));
    return { root: read, ...defined({ note }) };
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    const remedy = `give the text of a ${isConfig ? "ClientTrustConfig" : "trusted_root.json"}`;
    const where = [`${field}.${member}`, ...(place === undefined ? [] : [place])].join(": ");
    throw new PolicyError("UnusableTrust", `${where}: ${cause.message}; ${remedy}`, { cause });
  }
}
