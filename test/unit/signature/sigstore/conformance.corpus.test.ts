import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Refusal, verifyBundle } from "../../../conformance/verify-bundle.ts";
import { corpus, readJson } from "../../../fixtures/corpus.ts";

const folder = `${corpus}/sigstore-bundles`;

/** A case of the suite, as the corpus records it. */
interface Case {
  readonly valid: boolean;
  readonly artifact: string;
  readonly key: string | null;
  readonly trustedRoot: string;
  readonly identity: string | null;
  readonly issuer: string | null;
}

const cases = Object.entries(readJson(`${folder}/expected.json`) as Readonly<Record<string, Case>>);

/** Later than the newest bundle, of May 2026. */
const now = Date.UTC(2026, 8, 1);

const digestOf = (path: string): string =>
  `sha256:${createHash("sha256").update(readFileSync(path)).digest("hex")}`;

/** The suite's call for a case. */
function callOf(name: string, { artifact, key, trustedRoot, identity, issuer }: Case, by: string): string[] {
  const at = (file: string): string => `${folder}/${name}/${file}`;
  return [
    "verify-bundle",
    ...["--bundle", at("bundle.sigstore.json")],
    ...(key === null
      ? ["--certificate-identity", identity ?? "", "--certificate-oidc-issuer", issuer ?? ""]
      : ["--key", at(key)]),
    ...(trustedRoot === "public-good" ? [] : ["--trusted-root", at(trustedRoot)]),
    by === "file" ? at(artifact) : digestOf(at(artifact)),
  ];
}

describe.each(["file", "digest"])("verify-bundle by %s, on the conformance suite's bundles", (by) => {
  it.each(cases.filter(([, { valid }]) => valid))("proves %s", (name, expected) => {
    const who = verifyBundle(callOf(name, expected, by), now);
    if (expected.key === null) expect(who).toBe(expected.identity);
    else expect(who).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each(cases.filter(([, { valid }]) => !valid))("refuses %s", (name, expected) => {
    expect(() => verifyBundle(callOf(name, expected, by), now)).toThrow(Refusal);
  });
});

describe("the conformance suite's bundles", () => {
  it("are there, each with its files, and as many as docs/formats/sigstore.md says", () => {
    expect(cases).toHaveLength(47);
    const asked = cases.length * 2;
    expect(readFileSync("docs/formats/sigstore.md", "utf8")).toContain(`${asked} of ${asked}`);
    for (const [name, { key, trustedRoot }] of cases) {
      const files = [key, trustedRoot === "public-good" ? null : trustedRoot].filter((file) => file !== null);
      for (const file of files) expect(existsSync(`${folder}/${name}/${file}`), name).toBe(true);
    }
  });
});
