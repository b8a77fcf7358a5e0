import { beforeAll, describe, expect, it } from "vitest";
import { signedSkill } from "../../fixtures/signed-skill.ts";
import { kubectl, tryKubectlApply } from "../harness/cluster.ts";
import { sharedProduct } from "./product.ts";
import { enforce, pemOf, policy, trustRoot, type Part } from "./world.ts";

let pem: string;
let publishers: readonly Part[];

beforeAll(async () => {
  pem = pemOf(signedSkill());
  publishers = [{ name: "team", publicKey: { pem } }];
  await sharedProduct();
});

/** A cell of the first row, by the place of its column: a cell may be empty. */
const column = (table: string, name: string): string => {
  const [header = "", row = ""] = table.split("\n");
  const at = header.split(/(?<= {2})(?! )/);
  const place = at.findIndex((title) => title.trim() === name);
  const start = at.slice(0, place).join("").length;
  return place < 0 ? "" : row.slice(start, start + (at[place] ?? "").length).trim();
};

describe("the resources, as kubectl shows them", () => {
  it("have columns for their mode, counts and state", async () => {
    await enforce(
      trustRoot("shown", { keys: [{ name: "k", pem }] }),
      policy("shown", { mode: "Warn", tenant: "team-a", publishers }),
    );
    const policies = await kubectl(["get", "cskp", "shown", "-o", "wide"]);
    expect(column(policies, "MODE")).toBe("Warn");
    expect(column(policies, "PUBLISHERS")).toBe("1");
    expect(column(policies, "TENANT")).toBe("team-a");
    expect(column(policies, "READY")).toBe("True");
    const roots = await kubectl(["get", "sktr", "shown"]);
    expect(column(roots, "KEYS")).toBe("1");
    expect(column(roots, "CERTIFICATES")).toBe("0");
    expect(column(roots, "SIGSTORE")).toBe("0");
    expect(column(roots, "READY")).toBe("True");
  });

  it("are listed together by their category", async () => {
    const names = await kubectl(["get", "skill-admission", "-o", "name"]);
    expect(names).toContain("clusterskillpolicy.skill-admission.dev/shown");
    expect(names).toContain("skilltrustroot.skill-admission.dev/shown");
  });

  it("are explained", async () => {
    const text = await kubectl(["explain", "clusterskillpolicy.spec.publishers"]);
    expect(text).toContain("Parties whose signature is accepted; one of them must have signed.");
    expect(text).toContain("certificate");
    expect(text).toContain("A signer with a bare key.");
  });
});

describe("kubectl apply refuses a policy, saying what is wrong, with", () => {
  const cases: readonly (readonly [what: string, spec: () => Part, says: RegExp])[] = [
    ["an unknown field", () => ({ publishers, mod: "Enforce" }), /unknown field "spec\.mod"/],
    ["no publishers", () => ({}), /spec\.publishers: Required value/],
    [
      "an empty list of publishers",
      () => ({ publishers: [] }),
      /spec\.publishers.*should have at least 1 items/,
    ],
    [
      "an unknown mode",
      () => ({ publishers, mode: "Enforced" }),
      /spec\.mode: Unsupported value: "Enforced"/,
    ],
    [
      "a publisher of both kinds",
      () => ({
        publishers: [{ name: "x", publicKey: { pem }, certificate: { trustRootRef: { name: "y" } } }],
      }),
      /give exactly one of certificate, publicKey, keyless and vett/,
    ],
    [
      "noMatch without skills",
      () => ({ publishers, noMatch: "Allow" }),
      /noMatch has no effect without skills/,
    ],
    [
      "a date that has no effect",
      () => ({ publishers, unsigned: { until: "2030-01-01T00:00:00Z" } }),
      /until has no effect unless action is Warn/,
    ],
    [
      "a misspelt kind of source",
      () => ({ publishers, unverifiable: { PersistentVolume: "Allow" } }),
      /unknown field "spec\.unverifiable\.PersistentVolume"/,
    ],
    [
      "a relative skill root",
      () => ({ publishers, skillRoots: ["skills"] }),
      /give an absolute folder|skillRoots\[0\]/,
    ],
  ];

  it.each(cases)("%s", async (_what, spec, says) => {
    const { code, stderr } = await tryKubectlApply([policy("refused", spec())]);
    expect(code).toBe(1);
    expect(stderr).toMatch(says);
  });

  it("nothing wrong in it: it is taken", async () => {
    expect(await tryKubectlApply([policy("refused", { publishers })], "--dry-run=server")).toMatchObject({
      code: 0,
    });
  });

  it("is the same for a trust root without anything in it", async () => {
    const { stderr } = await tryKubectlApply([trustRoot("refused", {})]);
    expect(stderr).toContain("give at least one of certificates, keys and sigstore");
  });
});
