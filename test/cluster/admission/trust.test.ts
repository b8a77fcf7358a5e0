import { beforeAll, describe, expect, it, vi } from "vitest";
import { issueAuthority, issueChain, type IssuedCertificate } from "../../fixtures/certificates.ts";
import { issueCrl } from "../../fixtures/crl.ts";
import { signedSkill, skillOf, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { api, ownPath } from "../harness/api.ts";
import { kubectl } from "../harness/cluster.ts";
import { sharedProduct, type SharedProduct } from "./product.ts";
import { applySkill, createNamespace, denial, enforce, pemOf, policy, trustRoot, tryApply } from "./world.ts";
import { patience } from "../../fixtures/patience.ts";

const namespace = "trust-periods";
const day = 24 * 3600 * 1000;
const inDays = (days: number): string =>
  new Date(Date.now() + days * day).toISOString().replace(/\.\d+Z$/, "Z");

let product: SharedProduct;
let old: SignedSkill;
let successor: SignedSkill;

beforeAll(async () => {
  [old, successor] = [signedSkill(), signedSkill()];
  product = await sharedProduct();
  await createNamespace(namespace, namespace);
  await enforce(
    trustRoot("team", { keys: [{ name: "old", pem: pemOf(old) }] }),
    policy(namespace, { publishers: [{ name: "team", publicKey: { trustRootRef: { name: "team" } } }] }),
  );
});

const shown = async (): Promise<Readonly<Record<string, string | undefined>>> => {
  const lines = (await kubectl(["get", "sktr", "team", "-o", "wide"])).split("\n");
  const [headings, cells] = lines.map((line) => line.split(/\s{2,}/));
  return Object.fromEntries(headings!.map((heading, at) => [heading, cells?.[at]]));
};

interface Status {
  readonly conditions?: readonly { readonly type: string; readonly message: string }[];
}

const status = async (name: string): Promise<Status> =>
  (await api<{ readonly status?: Status }>(ownPath("skilltrustroots", name))).status ?? {};
const expiring = async () => (await status("team")).conditions?.find(({ type }) => type === "Expiring");

describe("a trust root that is rotated by overlap", () => {
  it("trusts both keys while they overlap, and shows what ends next", async () => {
    const ends = inDays(20);
    await enforce(
      trustRoot("team", {
        keys: [
          { name: "old", pem: pemOf(old), notAfter: ends },
          { name: "new", pem: pemOf(successor), notBefore: inDays(-1), notAfter: inDays(400) },
        ],
      }),
    );
    expect((await applySkill(successor.skill, namespace)).ran).toMatchObject({ code: 0, stderr: "" });
    const { code, stderr } = (await applySkill(old.skill, namespace)).ran;
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining(
        `Warning: ${namespace}: skill ${old.skill.name}: its signature counts until ${ends}, in 19 days: the trust root trusts its signer no longer; fix: have it signed anew before, or use a newer release`,
      ),
    ]);
    expect(await shown()).toMatchObject({ KEYS: "2", EXPIRES: ends, EXPIRING: "old", READY: "True" });
    expect(await expiring()).toMatchObject({
      status: "True",
      reason: "EndsSoon",
      message: `old ends at ${ends}; add the successor beside it, and remove what has ended`,
    });
    await expect
      .poll(() => product.metrics())
      .toContain(
        `skill_admission_trust_not_after_timestamp_seconds{root="team/old",kind="key"} ${Date.parse(ends) / 1000}`,
      );
  });

  it("trusts the new one alone when the old one has ended", async () => {
    await enforce(
      trustRoot("team", {
        keys: [
          { name: "old", pem: pemOf(old), notAfter: inDays(-1) },
          { name: "new", pem: pemOf(successor), notAfter: inDays(400) },
        ],
      }),
    );
    expect((await applySkill(successor.skill, namespace)).ran).toMatchObject({ code: 0, stderr: "" });
    const { ran } = await applySkill(old.skill, namespace);
    expect(denial(ran)).toMatch(
      /SIGNER_EXPIRED signed by the key [0-9a-f]{16}…, but the trust root trusts this signer to \S+ only, and not now/,
    );
    expect(denial(ran)).toContain("fix: have the skill signed anew, with a certificate or key that is valid");
  });

  it("shows no end, and no condition that stays, where nothing ends any more", async () => {
    await enforce(trustRoot("team", { keys: [{ name: "new", pem: pemOf(successor) }] }));
    await vi.waitFor(async () => {
      const columns = await shown();
      expect(columns["EXPIRES"]).toBe("never");
      expect(await status("team")).not.toHaveProperty("expiring");
      expect(await expiring()).toMatchObject({ status: "False", reason: "NothingSoon" });
    }, patience);
  });

  it("is refused by the API server, when an entry ends before it begins", async () => {
    const entry = { name: "old", pem: pemOf(old), notBefore: inDays(2), notAfter: inDays(1) };
    const { code, stderr } = await tryApply([trustRoot("refused", { keys: [entry] })]);
    expect(code).toBe(1);
    expect(stderr).toContain("notAfter must be later than notBefore");
  });
});

describe("a revocation list of an authority", () => {
  it("denies what it revokes, by the leaf's serial number, and shows until when it holds", async () => {
    const chain = await issueChain();
    const { skill } = signedSkill({ key: chain.leaf.key, certificates: chain.certificates });
    const certificates = [{ name: "ca", pem: chain.root.pem + chain.intermediate.pem }];
    const nextUpdate = new Date(Math.floor((Date.now() + 7 * day) / 1000) * 1000);
    const crlOf = async (revoked: readonly IssuedCertificate[]) => {
      const { pem } = await issueCrl({ issuer: chain.intermediate, revoked, nextUpdate });
      return [{ name: "issuing", pem }];
    };
    const publishers = [{ name: "team", certificate: { trustRootRef: { name: "team" } } }];
    await enforce(
      trustRoot("team", { certificates, crls: await crlOf([]) }),
      policy(namespace, { publishers }),
    );
    expect((await applySkill(skill, namespace)).ran).toMatchObject({ code: 0, stderr: "" });
    expect((await shown())["EXPIRES"]).toBe(nextUpdate.toISOString().replace(".000Z", "Z"));
    await enforce(trustRoot("team", { certificates, crls: await crlOf([chain.leaf]) }));
    expect(denial((await applySkill(skill, namespace)).ran)).toMatch(
      /REVOKED signed by .*CN=Test Signer, who is not trusted: .* was revoked by its issuer on \S+ \(revocation list team\/issuing\)/,
    );
    await enforce(trustRoot("team", { keys: [{ name: "new", pem: pemOf(successor) }] }));
  });

  it("makes the trust root unusable, when it is another authority's", async () => {
    const [own, other] = await Promise.all([issueAuthority(), issueAuthority()]);
    const { pem } = await issueCrl({ issuer: other });
    const spec = { certificates: [{ name: "ca", pem: own.pem }], crls: [{ name: "crl", pem }] };
    await tryApply([trustRoot("foreign", spec)]);
    await vi.waitFor(async () => {
      const { conditions = [] } = await status("foreign");
      expect(conditions[0]?.message).toMatch(
        /^spec\.crls\[0\]\.pem: no certificate of this trust root issued the list/,
      );
    }, patience);
  });
});

describe("a limit to the age of signatures", () => {
  it("refuses a signature whose time nobody proves", async () => {
    await enforce(
      policy(namespace, {
        publishers: [{ name: "team", publicKey: { trustRootRef: { name: "team" } } }],
        freshness: { maxSignatureAge: "4320h" },
      }),
    );
    const { ran } = await applySkill(successor.skill, namespace);
    expect(denial(ran)).toContain(
      "  SIGNING_TIME_UNKNOWN no log or timestamp authority says when it was signed, and the policy demands a signature of at most 4320h",
    );
  });
});

describe("unsigned.until of a policy", () => {
  const columns = async (): Promise<string> => kubectl(["get", "cskp", namespace, "-o", "wide"]);
  const tolerating = (until: string): Promise<void> =>
    enforce(
      policy(namespace, {
        publishers: [{ name: "team", publicKey: { trustRootRef: { name: "team" } } }],
        unsigned: { action: "Warn", until },
      }),
    );

  it("is told before the day: in the warning, the columns, the condition and the metric", async () => {
    const until = inDays(12);
    await tolerating(until);
    const { code, stderr } = (await applySkill(skillOf("etl"), namespace)).ran;
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining(
        `${namespace}: skill etl: UNSIGNED there is no signature, which the policy tolerates until ${until}, in 11 days; fix: `,
      ),
    ]);
    expect(await columns()).toMatch(new RegExp(`EXPIRES +EXPIRING[^]*${until} +unsigned\\.until`));
    const { conditions } = (
      await api<{ readonly status: { readonly conditions: readonly object[] } }>(
        ownPath("clusterskillpolicies", namespace),
      )
    ).status;
    expect(conditions).toContainEqual(
      expect.objectContaining({ type: "Expiring", status: "True", reason: "EndsSoon" }),
    );
    await expect
      .poll(() => product.metrics())
      .toContain(
        `skill_admission_trust_not_after_timestamp_seconds{root="ClusterSkillPolicy/${namespace}/unsigned.until",kind="unsigned"} ${Date.parse(until) / 1000}`,
      );
  });

  it("refuses from then on, and says until when it did not", async () => {
    const until = inDays(-1);
    await tolerating(until);
    expect(denial((await applySkill(skillOf("etl"), namespace)).ran)).toContain(
      `UNSIGNED there is no signature, which the policy tolerated until ${until}`,
    );
    expect(await columns()).toMatch(/EXPIRES +EXPIRING[^]* never /);
  });
});
