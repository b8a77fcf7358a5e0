import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { makeCatalogue, publishedCatalogues } from "../../fixtures/catalogue.ts";
import { documents, run } from "./line.ts";
import { clusterSkillPolicy } from "../../fixtures/resources.ts";

interface Verified {
  readonly skill: string;
  readonly digest: string;
  readonly signature: {
    readonly outcome: string;
    readonly signer: { readonly kind: string; readonly subject: string };
    readonly differences: readonly { readonly path: string; readonly change: string }[];
  };
  readonly outcome: string;
}

const home = mkdtempSync(join(tmpdir(), "catalogue-"));
const catalogues = [await makeCatalogue(home), ...publishedCatalogues()];

afterAll(() => rmSync(home, { recursive: true }));

describe.each(catalogues)("verify, on $name", ({ folder: skills, root, organization, expected }) => {
  const folders = readdirSync(skills).map((name) => join(skills, name));

  it("says of each what is known of it, in one object a line", async () => {
    const { code, out, err } = await run(["verify", ...folders, "--certificate-chain", root, "-o", "json"]);
    expect([code, err]).toEqual([1, ""]);
    const found = documents(out) as unknown as readonly Verified[];
    const seen = Object.fromEntries(
      found.map(({ skill, digest, signature }) => [
        skill,
        {
          outcome: signature.outcome,
          digest,
          signer: signature.signer.subject,
          modified: signature.differences
            .filter(({ change }) => change === "modified")
            .map(({ path }) => path)
            .sort(),
        },
      ]),
    );
    const wanted = Object.fromEntries(
      Object.entries(expected).map(([name, { outcome, digest, signer, modified = [] }]) => [
        name,
        { outcome, digest, signer, modified: [...modified].sort() },
      ]),
    );
    expect(seen).toEqual(wanted);
    for (const { signature, outcome } of found)
      expect(outcome).toBe(signature.outcome === "signed" ? "allow" : "deny");
  });

  it("packs every one so that its ConfigMaps are the signed tree again", async () => {
    const spec = {
      publishers: [
        { name: "team", certificate: { pem: readFileSync(root, "utf8"), subject: { organization } } },
      ],
      immutability: { configMap: "Required", readOnlyMount: "Required" },
    };
    const policy = JSON.stringify(clusterSkillPolicy("catalogue", spec));
    const file = join(home, "policy.json");
    writeFileSync(file, policy);
    const verified = await run(["verify", ...folders, "--policy", file, "-o", "json"]);
    const outcomes = new Map(
      (documents(verified.out) as unknown as readonly Verified[]).map((one) => [one.skill, one]),
    );
    for (const [index, folder] of folders.entries()) {
      const output = index % 2 === 0 ? "json" : "yaml";
      const packed = await run(["package", folder, "-o", output, "--with-pod", "busybox"]);
      expect(packed.code).toBe(0);
      const applied = await run(["apply", "--policy", file, "--resource", "-", "-o", "json"], {
        stdin: packed.out,
      });
      const [pod] = documents(applied.out) as unknown as readonly [
        {
          readonly outcome: string;
          readonly skills: readonly {
            readonly skill: string;
            readonly digest: string;
            readonly files: readonly object[];
          }[];
        },
      ];
      const wanted = outcomes.get(basename(folder));
      expect(pod.outcome).toBe(wanted?.outcome);
      expect(pod.skills.map(({ skill, digest }) => [skill, digest])).toEqual([
        [basename(folder), wanted?.digest],
      ]);
      const onDisk = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
        entry.isFile(),
      );
      expect(pod.skills[0]?.files).toHaveLength(onDisk.length);
    }
  });
});
