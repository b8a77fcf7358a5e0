import { describe, expect, it } from "vitest";
import { assess } from "../../../src/evaluation/assess.ts";
import { compileObjects } from "../../fixtures/compile.ts";
import type { Finding } from "../../../src/policy/finding.ts";
import { judge } from "../../../src/policy/judge.ts";
import { remedyFor } from "../../../src/policy/remedy.ts";
import { omsStatement } from "../../../src/signature/oms/sign.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { edited } from "../../fixtures/edited.ts";
import { skillOf, withFiles } from "../../fixtures/signed-skill.ts";
import { identity, issuer, testSigstore } from "../../fixtures/sigstore.ts";
import { vettSkill } from "../../fixtures/vett-skill.ts";
import { policyObject, reference, rootObject } from "./builders.ts";
import type { Spec } from "./resource-cases.ts";

const instance = await testSigstore();
const unsigned = skillOf("data-designer");
const bundle = await instance.sign(omsStatement(unsigned), { timestamp: true });
const later = Date.now() + 3_600_000;

/** With a timestamp, and in no log. */
const unlogged = edited(bundle, { "verificationMaterial.tlogEntries": [] });
const skillWith = (signature: object): Skill =>
  withFiles(unsigned, { "skill.oms.sig": JSON.stringify(signature) });

const trustedRoot = JSON.stringify(instance.trustedRoot);
const strict = rootObject({ sigstore: [{ name: "s", trustedRoot }] }, "strict");
const lax = rootObject({ sigstore: [{ name: "s", trustedRoot, tlogThreshold: 0 }] }, "lax");
const foreign = rootObject(
  { sigstore: [{ name: "s", trustedRoot: JSON.stringify((await testSigstore()).trustedRoot) }] },
  "foreign",
);

const publisher = (name: string, over: Spec = {}): Spec => ({
  publishers: [{ name: "ci", keyless: { trustRootRef: { name }, issuer, identity, ...over } }],
});

/** What the policy that trusts by the first of these roots finds; those of other policies are trusted beside it. */
function findings(skill: Skill, names: readonly string[], over: Spec = {}): readonly Finding[] {
  const { policies, trust, problems } = compileObjects(
    names.map((name, at) => policyObject(publisher(name, at === 0 ? over : {}), `p${at}`)),
    [strict, lax, foreign],
  );
  expect(problems).toEqual([]);
  return judge(policies[0]!, reference({ name: "data-designer" }), assess({ skill }, trust, later), later)
    .findings;
}

describe("judge, where Sigstore roots of different rigour are trusted", () => {
  it("is content with what the policy's own root proves", () => {
    expect(findings(skillWith(bundle), ["strict", "lax"])).toEqual([]);
    expect(findings(skillWith(unlogged), ["lax", "strict"])).toEqual([]);
  });

  it("says what the policy's own root lacks, whatever is enough for another's", () => {
    const [finding, ...others] = findings(skillWith(unlogged), ["strict", "lax"]);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      code: "UNTRUSTED_SIGNER",
      message: `signed by ${identity} (${issuer}), which the Sigstore root of the publisher ci does not prove: it is in 0 of the 1 transparency logs that are asked for`,
    });
    expect(remedyFor([finding!])).toBe(
      "have it signed anew with the proof that the Sigstore root of the publisher ci asks for, or bring that trust root up to date",
    );
  });

  it("says it of its own root, too, where no root proves it", () => {
    const own = findings(skillWith(unlogged), ["strict", "foreign"]);
    expect(own).toMatchObject([
      {
        code: "UNTRUSTED_SIGNER",
        message: expect.stringContaining("0 of the 1 transparency logs") as string,
      },
    ]);
  });

  it("says where the policy's own root does not know the log", () => {
    expect(findings(skillWith(bundle), ["foreign", "strict"])).toMatchObject([
      {
        code: "UNTRUSTED_SIGNER",
        message: expect.stringContaining(
          "of the publisher ci does not prove: it does not know the transparency log",
        ) as string,
      },
    ]);
  });

  it("says that the signer is no publisher, where it is none, whatever was proved", () => {
    for (const over of [{ identity: "someone@example.com" }, { issuer: "https://elsewhere.example" }])
      expect(findings(skillWith(unlogged), ["strict", "lax"], over)).toMatchObject([
        {
          code: "UNTRUSTED_SIGNER",
          message: expect.stringContaining("who is no publisher of this policy") as string,
        },
      ]);
  });
});

describe("judge, where registries of different rigour are trusted", () => {
  it("says what the policy's own registry lacks", async () => {
    const { skill, registry } = await vettSkill();
    const pem = registry.publicKey.export({ type: "spki", format: "pem" }) as string;
    const rootOf = (name: string, root: object) =>
      rootObject(
        {
          sigstore: [{ name: "log", trustedRoot: JSON.stringify(root) }],
          vett: [
            {
              name: "vett",
              sigstore: "log",
              keys: [{ hint: "v1-ecdsa-2025-02-04", pem, notBefore: "2020-01-01T00:00:00Z" }],
            },
          ],
        },
        name,
      );
    const roots = [
      rootOf("own", (await testSigstore()).trustedRoot),
      rootOf("other", registry.sigstore.trustedRoot),
    ];
    const hash = skill.files.get("vett.manifest.json")!.sha256;
    const skills = [{ name: skill.name, version: "1.0.0", hash }];
    const said = (name: string) => {
      const spec = { publishers: [{ name: "registry", vett: { trustRootRef: { name }, skills } }] };
      const { policies, trust } = compileObjects([policyObject(spec)], roots);
      return judge(policies[0]!, reference({ name: skill.name }), assess({ skill }, trust, later), later)
        .findings;
    };
    expect(said("other")).toEqual([]);
    expect(said("own")).toMatchObject([
      {
        code: "UNTRUSTED_SIGNER",
        message:
          'signed by the key "v1-ecdsa-2025-02-04", which its log does not prove: its transparency log is in no trusted Sigstore root (by the registry of the publisher registry)',
      },
    ]);
  });
});
