import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { onePublisher } from "../../src/policy/compile/one-publisher.ts";
import { PolicyError } from "../../src/policy/policy-error.ts";
import type { PolicySnapshot } from "../../src/policy/policy.ts";
import { isByPublisher } from "../../src/policy/rules/publishers.ts";
import { sha256 } from "../../src/skill/digest.ts";
import type { Signer } from "../../src/signature/signature-evidence.ts";
import { always } from "../../src/signature/validity.ts";
import { SignatureError } from "../../src/signature/signature-error.ts";
import { parseArtifactBundle } from "../../src/signature/sigstore/artifact/bundle.ts";
import type { Artifact } from "../../src/signature/sigstore/artifact.ts";
import { publicGoodRoot } from "../../src/signature/sigstore/root/public-good-root.ts";
import {
  verifyArtifact,
  type ArtifactSigner,
} from "../../src/signature/sigstore/artifact/verify-artifact.ts";

/** The call is none that the protocol knows, or a file is missing. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The signature was not proved, or is by somebody else. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

interface Call {
  readonly bundle: string;
  readonly trustedRoot: string | undefined;
  readonly artifact: string;
  readonly signer: { readonly key: string } | { readonly identity: string; readonly issuer: string };
}

const options = {
  staging: { type: "boolean" },
  bundle: { type: "string" },
  key: { type: "string" },
  "certificate-identity": { type: "string" },
  "certificate-oidc-issuer": { type: "string" },
  "trusted-root": { type: "string" },
} as const;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}

function signerOf({ key, ...values }: ReturnType<typeof parse>["values"]): Call["signer"] {
  const { "certificate-identity": identity, "certificate-oidc-issuer": issuer } = values;
  if (key !== undefined && identity === undefined && issuer === undefined) return { key };
  if (key === undefined && identity !== undefined && issuer !== undefined) return { identity, issuer };
  throw new UsageError("give either --key, or --certificate-identity and --certificate-oidc-issuer");
}

/** @throws UsageError */
function readCall([command, ...args]: readonly string[]): Call {
  if (command !== "verify-bundle")
    throw new UsageError(`the one command here is verify-bundle, not ${command ?? "nothing"}`);
  const { values, positionals } = parse(args);
  const { bundle, "trusted-root": trustedRoot } = values;
  const [artifact, ...others] = positionals;
  if (bundle === undefined || artifact === undefined || others.length > 0)
    throw new UsageError("verify-bundle needs --bundle and one file or digest");
  if (values.staging === true && trustedRoot === undefined)
    throw new UsageError("the staging instance's root is not shipped: give it with --trusted-root");
  return { bundle, trustedRoot, artifact, signer: signerOf(values) };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new UsageError(`cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** A digest in its form that is no file's name; whatever else it is, it is a path. */
function artifactOf(name: string): Artifact {
  const [, digest] = /^sha256:([0-9A-Fa-f]{64})$/.exec(name) ?? [];
  return digest === undefined || existsSync(name) ? { bytes: read(name) } : { sha256: digest.toLowerCase() };
}

/** The policy of the one signer who is asked for, on the trusted root. */
function policyOf({ signer, trustedRoot }: Call): PolicySnapshot {
  const text = trustedRoot === undefined ? publicGoodRoot : read(trustedRoot).toString("utf8");
  const root = { sigstore: [{ name: "root", trustedRoot: text }] };
  const publisher =
    "key" in signer
      ? { publicKey: { pem: read(signer.key).toString("latin1") } }
      : { keyless: { trustRootRef: { name: "trust-root" }, ...signer } };
  return onePublisher("conformance", { name: "signer", ...publisher }, root);
}

const asSigner = (signer: ArtifactSigner): Signer =>
  signer.kind === "keyless"
    ? signer
    : { kind: "key", publicKey: signer.key.fingerprint, names: signer.key.names };

/** The product's own judgement of signers; it judges by the signer alone. */
function isWanted({ policies }: PolicySnapshot, signer: ArtifactSigner): boolean {
  const evidence = {
    outcome: "signed",
    format: "oms",
    digest: sha256(""),
    signer: asSigner(signer),
    unlisted: [],
    validity: always,
  } as const;
  return policies.some((policy) => isByPublisher(policy, evidence));
}

/**
 * `verify-bundle` of the conformance suite's client protocol, by the product's own code: bundle, trust, identity.
 * @returns who signed
 * @throws UsageError, or Refusal where the answer is no
 */
export function verifyBundle(args: readonly string[], now: number): string {
  const call = readCall(args);
  try {
    const snapshot = policyOf(call);
    const { keys, sigstore = [] } = snapshot.trust;
    const bundle = parseArtifactBundle(read(call.bundle));
    const verdict = verifyArtifact(bundle, artifactOf(call.artifact), { keys, sigstore }, now);
    if (verdict.outcome === "refused") throw verdict.refusal;
    const { signer } = verdict;
    if (isWanted(snapshot, signer))
      return signer.kind === "keyless" ? signer.identity : signer.key.fingerprint;
    const who = signer.kind === "keyless" ? `${signer.identity} (${signer.issuer})` : "another key";
    throw new Refusal(`signed by ${who}`);
  } catch (cause) {
    if (cause instanceof SignatureError || cause instanceof PolicyError)
      throw new Refusal(`${cause.code}: ${cause.message}`, { cause });
    throw cause;
  }
}

/** What the client ends with: exit code 0 for proved, 1 for refused, 2 for a wrong call. */
export interface Answer {
  readonly code: 0 | 1 | 2;
  readonly said: string;
}

/** Answers one call of the client. */
export function answerTo(args: readonly string[], now: number): Answer {
  try {
    return { code: 0, said: `signed by ${verifyBundle(args, now)}` };
  } catch (error) {
    if (error instanceof Refusal) return { code: 1, said: error.message };
    if (error instanceof UsageError) return { code: 2, said: error.message };
    throw error;
  }
}
