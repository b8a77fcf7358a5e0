import type { SigningConfig } from "@sigstore/protobuf-specs";
import { readFile } from "node:fs/promises";

import { defined } from "../../../text/fields.ts";
import { readTrustedRoot } from "../../../signature/sigstore/root/trusted-root.ts";
import { SignatureError } from "../../../signature/signature-error.ts";
import type { SigstoreRoot } from "../../../signature/sigstore/root/sigstore-root.ts";
import { UsageError } from "../../command-line.ts";
import { ioMessage } from "../../files/file-faults.ts";
import { serviceUrl } from "./service-url.ts";
import { readTrustConfig } from "./trust-config.ts";

/** Choice of the Sigstore instance that signs. */
export interface ServiceOptions {
  readonly fulcioUrl?: string;
  readonly rekorUrl?: string;
  readonly tsaUrl?: string;
  /** File with a ClientTrustConfig: services and trusted root together. */
  readonly trustConfig?: string;
  /** File with the trusted root that checks the signature before it is written. */
  readonly trustedRoot?: string;
}

/** Signing services, with the root that checks their signatures. */
export interface Services {
  readonly config: SigningConfig;
  /** Absent: no root of this instance is known. */
  readonly root?: SigstoreRoot;
  /** Option by which `verify` gets that root. */
  readonly rootOption: string;
}

const publicFulcio = "https://fulcio.sigstore.dev";
const publicRekor = "https://rekor.sigstore.dev";

/** Maximum bytes of a file. Public ones have 10 to 20 KB. */
const maxBytes = 1024 * 1024;

async function readText(file: string, what: string): Promise<string> {
  try {
    const text = await readFile(file, "utf8");
    if (text.length <= maxBytes) return text;
  } catch (cause) {
    throw new UsageError(`cannot read ${file}: ${ioMessage(cause)}`, `name a ${what}`, { cause });
  }
  throw new UsageError(`${file} is too large`, `name a ${what}`);
}

/** Parses the text of a file that the call names. */
function read<T>(file: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    throw new UsageError(`${file}: ${cause.message}`, `name a ${what}`, { cause });
  }
}

async function configOf(options: ServiceOptions): Promise<SigningConfig> {
  const { SigningConfig: message } = await import("@sigstore/protobuf-specs");
  const service = (text: string, option: string): object => ({
    url: serviceUrl(text, option),
    majorApiVersion: 1,
  });
  const { fulcioUrl = publicFulcio, rekorUrl = publicRekor, tsaUrl } = options;
  return message.fromJSON({
    caUrls: [service(fulcioUrl, "--fulcio-url")],
    rekorTlogUrls: [service(rekorUrl, "--rekor-url")],
    rekorTlogConfig: { selector: "ANY" },
    ...(tsaUrl === undefined
      ? {}
      : { tsaUrls: [service(tsaUrl, "--tsa-url")], tsaConfig: { selector: "ANY" } }),
  });
}

/** The public instance's root is built in; that of another instance must be named. */
async function rootOf(options: ServiceOptions): Promise<SigstoreRoot | undefined> {
  const { trustedRoot, fulcioUrl, rekorUrl, tsaUrl } = options;
  if (trustedRoot !== undefined) {
    const text = await readText(trustedRoot, "trusted_root.json");
    return read(trustedRoot, "trusted_root.json", () => readTrustedRoot(text, []));
  }
  if (fulcioUrl !== undefined || rekorUrl !== undefined || tsaUrl !== undefined) return undefined;
  const { publicGoodRoot } = await import("../../../signature/sigstore/root/public-good-root.ts");
  return readTrustedRoot(publicGoodRoot, []);
}

/**
 * Chooses the signing services: those of a ClientTrustConfig, those named one by one, or the public ones.
 * @param now milliseconds since 1970
 * @throws UsageError for an unreadable file, or a URL that must not receive a token
 */
export async function readServices(options: ServiceOptions, now: number): Promise<Services> {
  const { trustConfig, trustedRoot } = options;
  if (trustConfig !== undefined) {
    const text = await readText(trustConfig, "ClientTrustConfig");
    const { config, root } = read(trustConfig, "ClientTrustConfig", () => readTrustConfig(text, now));
    return { config, root, rootOption: " --trusted-root TRUSTED_ROOT_FILE" };
  }
  const root = await rootOf(options);
  const isPublic = root !== undefined && trustedRoot === undefined;
  return {
    config: await configOf(options),
    ...defined({ root }),
    rootOption: isPublic ? "" : ` --trusted-root ${trustedRoot ?? "TRUSTED_ROOT_FILE"}`,
  };
}
