import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { PolicySnapshot } from "../../policy/policy.ts";
import type { RevocationLists } from "../../policy/trust/revocations.ts";
import { UsageError, type CommandLine } from "../command-line.ts";
import { ioMessage, pemRemedy } from "../files/file-faults.ts";

/** Trusted signers of a call: policies in files, or a single publisher. */
export interface TrustOptions {
  readonly policy?: readonly string[];
  readonly publicKey?: string;
  readonly certificateChain?: string;
  /** E-mail address or URI of a keyless signer; `issuer` vouched for it. */
  readonly identity?: string;
  readonly issuer?: string;
  /** File with a Sigstore trusted root; absent: the public instance's, which comes with the program. */
  readonly trustedRoot?: string;
  /** Files or folders with revocation lists; not with a policy, whose files hold them. */
  readonly revocations?: readonly string[];
}

const blocks = {
  "PUBLIC KEY": "public key",
  CERTIFICATE: "certificate",
} as const;

/** PEM blocks of one label in a file. Text around them is common, and skipped. */
async function readPem(file: string, label: keyof typeof blocks): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, "latin1");
  } catch (cause) {
    throw new UsageError(`cannot read ${file}: ${ioMessage(cause)}`, "name a PEM file", { cause });
  }
  const found = text.match(new RegExp(`-----BEGIN ${label}-----[^-]{1,65536}-----END ${label}-----`, "g"));
  if (found !== null) return `${found.join("\n").replaceAll("\r", "")}\n`;
  throw new UsageError(`${file} holds no ${blocks[label]} in PEM`, pemRemedy(label, file, text));
}

/** Publisher name from a file's name, reduced to the characters that a publisher may have. */
const publisherName = (file: string): string =>
  basename(file)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/^-|-$/g, "") || "publisher";

/** Compiles a single key or certificate as a policy of one publisher: there is one way to judge. */
async function trustFile(
  file: string,
  publisher: { readonly publicKey: { pem: string } } | { readonly certificate: { pem: string } },
  lists: RevocationLists | undefined,
): Promise<PolicySnapshot> {
  const [{ onePublisher }, { PolicyError }] = await Promise.all([
    import("../../policy/compile/one-publisher.ts"),
    import("../../policy/policy-error.ts"),
  ]);
  try {
    return onePublisher("command-line", { name: publisherName(file), ...publisher }, undefined, lists);
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause;
    const what = cause.message.replace(/^spec\.publishers\[0\]\.\w+\.pem: /, "");
    throw new UsageError(`${file}: ${what}`, "name a file whose keys or certificates can be trusted", {
      cause,
    });
  }
}

/** Bytes of a trusted_root.json: the public instance's has seven thousand. */
const maxRootBytes = 1024 * 1024;

async function readRootFile(file: string): Promise<string> {
  try {
    const text = await readFile(file, "utf8");
    if (text.length <= maxRootBytes) return text;
  } catch (cause) {
    throw new UsageError(`cannot read ${file}: ${ioMessage(cause)}`, "name a trusted_root.json", {
      cause,
    });
  }
  throw new UsageError(`${file} is too large`, "name a trusted_root.json");
}

/** Compiles a single keyless signer, verified by the trusted root in a file or by the program's own. */
async function trustIdentity(
  { identity, issuer }: { readonly identity: string; readonly issuer: string },
  file: string | undefined,
  lists: RevocationLists | undefined,
): Promise<PolicySnapshot> {
  const [{ onePublisher }, { PolicyError }] = await Promise.all([
    import("../../policy/compile/one-publisher.ts"),
    import("../../policy/policy-error.ts"),
  ]);
  const entry =
    file === undefined
      ? { name: "public-good", instance: "PublicGood" as const }
      : { name: "trusted-root", trustedRoot: await readRootFile(file) };
  const keyless = { trustRootRef: { name: "trust-root" }, issuer, identity };
  try {
    return onePublisher("command-line", { name: "identity", keyless }, { sigstore: [entry] }, lists);
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause;
    const what = cause.message.replace(/^spec\.sigstore\[0\]\.trustedRoot: /, "").replace(/;[^;]*$/, "");
    throw new UsageError(`${file ?? "the trusted root"}: ${what}`, "name a trusted_root.json", { cause });
  }
}

/**
 * Policies that the call names; undefined where it names none.
 * @throws UsageError for files that cannot be read or policies that are wrong
 */
export async function readTrust(
  options: TrustOptions,
  line: Pick<CommandLine, "readStdin" | "stderr">,
): Promise<PolicySnapshot | undefined> {
  const { policy = [], publicKey, certificateChain } = options;
  if (policy.length > 0) {
    const [{ readDistinctManifests }, { snapshotOf }] = await Promise.all([
      import("../files/distinct-objects.ts"),
      import("./policy-sources.ts"),
    ]);
    return snapshotOf(await readDistinctManifests(policy, line, "verify --policy -"), policy, line);
  }
  const lists = await readLists(options, line);
  if (publicKey !== undefined) {
    return trustFile(publicKey, { publicKey: { pem: await readPem(publicKey, "PUBLIC KEY") } }, lists);
  }
  if (certificateChain !== undefined) {
    const pem = await readPem(certificateChain, "CERTIFICATE");
    return trustFile(certificateChain, { certificate: { pem } }, lists);
  }
  const snapshot = await readIdentity(options, lists);
  if (snapshot !== undefined || options.revocations === undefined) return snapshot;
  throw new UsageError(
    "--revocations alone judges nothing: whatever is not revoked would still be signed by nobody known",
    "name whom to trust with --public-key, --certificate-chain or --identity",
  );
}

async function readLists(
  { revocations }: TrustOptions,
  line: Pick<CommandLine, "readStdin">,
): Promise<RevocationLists | undefined> {
  if (revocations === undefined) return undefined;
  const { readRevocations } = await import("./revocation-sources.ts");
  return readRevocations(revocations, line);
}

/** @throws UsageError where only one of identity and issuer is given: any issuer could vouch for an identity alone */
async function readIdentity(
  options: TrustOptions,
  lists: RevocationLists | undefined,
): Promise<PolicySnapshot | undefined> {
  const { identity, issuer, trustedRoot } = options;
  if (identity !== undefined && issuer !== undefined && identity !== "" && issuer !== "")
    return trustIdentity({ identity, issuer }, trustedRoot, lists);
  if (identity !== undefined || issuer !== undefined || trustedRoot !== undefined) {
    throw new UsageError(
      "a keyless signer is named by --identity and --issuer together",
      "give both; --trusted-root goes with them",
    );
  }
  return undefined;
}
