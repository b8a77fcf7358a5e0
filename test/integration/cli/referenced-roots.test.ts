import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keylessSkill } from "../../fixtures/keyless-skill.ts";
import { identity, issuer, testSigstore } from "../../fixtures/sigstore.ts";
import { run } from "./line.ts";
import { clusterSkillPolicy, skillTrustRoot } from "../../fixtures/resources.ts";

let home: string;
let skill: string;
let root: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "referenced-"));
  const sigstore = await testSigstore();
  root = JSON.stringify(sigstore.trustedRoot);
  const signed = await keylessSkill(sigstore);
  skill = join(home, signed.name);
  for (const [path, { bytes }] of signed.files) {
    mkdirSync(dirname(join(skill, path)), { recursive: true });
    writeFileSync(join(skill, path), bytes);
  }
});
afterAll(() => rmSync(home, { recursive: true }));

const configMap = (namespace: string, data: object): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "roots", namespace },
  data,
});
const fromConfigMap = { trustedRootFrom: { configMap: { name: "roots", key: "root.json" } } };
const tuf = { mirror: "https://tuf.invalid", root: JSON.stringify({ signed: { _type: "root" } }) };

/** Verifies the skill by a policy whose trust root has this entry, in a file with these objects. */
function verify(entry: object, ...objects: readonly object[]) {
  const keyless = { trustRootRef: { name: "r" }, issuer, identity };
  const all = [
    skillTrustRoot("r", { sigstore: [{ name: "s", ...entry }] }),
    clusterSkillPolicy("p", { publishers: [{ name: "ci", keyless }] }),
    ...objects,
  ];
  const file = join(home, "policies.yaml");
  writeFileSync(file, all.map((one) => JSON.stringify(one)).join("\n---\n"));
  return run(["verify", skill, "--policy", file]);
}

describe("verify with a trusted root that is kept elsewhere", () => {
  it("takes it from a ConfigMap among the policies, whatever its namespace", async () => {
    const { code, err } = await verify(fromConfigMap, configMap("any", { "root.json": root }));
    expect([code, err]).toEqual([0, ""]);
  });

  it.each<[string, readonly object[], RegExp]>([
    [
      "missing",
      [],
      /SkillTrustRoot r: spec\.sigstore\[0\]\.trustedRootFrom: there is no ConfigMap roots; create it/,
    ],
    ["without the key", [configMap("n", {})], /ConfigMap n\/roots has no key root\.json; add it/],
    [
      "there twice",
      [configMap("m", { "root.json": "{}" }), configMap("n", { "root.json": "{}" })],
      /ConfigMap roots is in the namespaces m and n/,
    ],
  ])("is a wrong call when it is %s", async (_what, objects, message) => {
    const { code, err } = await verify(fromConfigMap, ...objects);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  it("asks no mirror, and says what serves in its place, or that nothing does", async () => {
    const beside = await verify({ tuf, trustedRoot: root });
    expect(beside.code).toBe(0);
    expect(beside.err).toBe(
      "warning: SkillTrustRoot r: spec.sigstore[0].tuf: https://tuf.invalid is not asked by this command, which goes by what stands beside tuf (trustedRoot, clientTrustConfig, instance or trustedRootFrom); trustedRoot serves in its place\n",
    );
    const alone = await verify({ tuf });
    expect(alone.code).toBe(2);
    expect(alone.err).toMatch(/https:\/\/tuf\.invalid is not asked by this command/);
    expect(alone.err).toMatch(/correct what is named\n$/);
  });

  it.each(["root.json", "null", '{"signed":null}', '{"signed":{"_type":"targets"}}'])(
    "says that %s is no root.json",
    async (text) => {
      const { code, err } = await verify({ tuf: { ...tuf, root: text }, trustedRoot: root });
      expect(code).toBe(0);
      expect(err).toContain("spec.sigstore[0].tuf: root is not the text of a root.json; give one of");
    },
  );

  it("refuses a second publisher on the command line, whose first would be forgotten", async () => {
    const { code, err } = await run(["verify", skill, "--public-key", "a.pub", "--public-key", "b.pub"]);
    expect(code).toBe(2);
    expect(err).toContain("It is given already; several publishers go into a policy (--policy).");
  });
});
