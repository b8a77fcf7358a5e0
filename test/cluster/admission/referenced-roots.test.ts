import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Skill } from "../../../src/skill/skill.ts";
import { keylessSkill } from "../../fixtures/keyless-skill.ts";
import { identity, issuer, testSigstore, type TestSigstore } from "../../fixtures/sigstore.ts";
import { TufRepository } from "../../fixtures/tuf-repository.ts";
import { tufServer, type TufServer } from "../../fixtures/tuf-server.ts";
import { api, ownPath, remove } from "../harness/api.ts";
import { apply } from "../harness/apply.ts";
import { startProduct, type Product } from "./product.ts";
import { applySkill, createNamespace, denial, policy, trustRoot, type Part } from "./world.ts";

const home = "referenced-home";
const down: TufServer["instead"] = (_request, response) => void response.destroy();

let product: Product;
let cache: string;
let sigstore: TestSigstore;
let skill: Skill;
let repository: TufRepository;
let mirror: TufServer;

/** Texts of trusted roots: the one that proves the skill, and another. */
let [proving, other]: [string, string] = ["", ""];

beforeAll(async () => {
  sigstore = await testSigstore();
  proving = JSON.stringify(sigstore.trustedRoot);
  other = JSON.stringify((await testSigstore()).trustedRoot);
  skill = await keylessSkill(sigstore);
  repository = new TufRepository();
  repository.publish(proving);
  mirror = await tufServer(repository.files);
  mirror.instead = down;
  cache = await mkdtemp(join(tmpdir(), "skill-admission-tuf-cache-"));
  await createNamespace(home);
  product = await startProduct({
    args: [`--namespace=${home}`, `--tuf-mirror=${mirror.url}`, `--tuf-cache=${cache}`],
  });
});

afterAll(async () => {
  await product.remove();
  await mirror.close();
  await rm(cache, { recursive: true, force: true });
});

/** A namespace whose policy trusts one signer, by an instance that is given so; ready or not. */
async function govern(space: string, instance: Part): Promise<void> {
  await createNamespace(space, space);
  const keyless = { trustRootRef: { name: space }, issuer, identity };
  await apply(
    trustRoot(space, { sigstore: [{ name: "ours", ...instance }] }),
    policy(space, { publishers: [{ name: "ci", keyless }], evidence: { authorship: "STRONG" } }),
  );
}

interface Status {
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly message: string;
  }[];
}

/** What the status of a trust root says: is it ready, and why. */
const readyOf = async (name: string): Promise<string> => {
  const { status } = await api<{ readonly status?: Status }>(ownPath("skilltrustroots", name));
  const ready = status?.conditions.find(({ type }) => type === "Ready");
  return `${ready?.status} ${ready?.message}`;
};
const ready = (name: string) => expect.poll(() => readyOf(name));

const admitted = async (space: string) =>
  expect((await applySkill(skill, space)).ran).toMatchObject({ code: 0, stderr: "" });
const denied = async (space: string, why: string) =>
  expect(denial((await applySkill(skill, space)).ran)).toContain(why);

describe("a trusted root from a TUF mirror", () => {
  const space = "referenced-mirror";

  it("denies until the mirror has answered, and admits from then on", async () => {
    const { url } = mirror;
    await govern(space, { tuf: { mirror: url, root: repository.root } });
    await ready(space).toMatch(/^False spec\.sigstore\[0\]\.tuf: http:.* see that the mirror can be reached/);
    await denied(space, `the SkillTrustRoot ${space} is not ready`);
    mirror.instead = undefined;
    await ready(space).toBe("True in force");
    await admitted(space);
    await expect
      .poll(() => product.metrics())
      .toMatch(/^skill_admission_trusted_root_mirror_up\{root="referenced-mirror\/ours"\} 1$/m);
  });

  it("neither stops a start nor what was published last, while it is down", async () => {
    mirror.instead = down;
    await product.kill();
    await product.restart();
    await ready(space).toMatch(/^True in force; .*what it published last serves$/);
    await admitted(space);
  });

  it("denies what a newer root of it does not prove any more", async () => {
    repository.publish(other);
    mirror.instead = undefined;
    await product.kill();
    await product.restart();
    await ready(space).toBe("True in force");
    await denied(space, "in no trusted Sigstore root");
  });

  it("is not ready, and contacts nobody, where the mirror is not named at the start", async () => {
    const stranger = await tufServer(repository.files);
    await govern("referenced-stranger", { tuf: { mirror: stranger.url, root: repository.root } });
    await ready("referenced-stranger").toMatch(/^False .*no mirror that this controller may contact/);
    await stranger.close();
    expect(stranger.asked).toEqual([]);
  });
});

describe("a trusted root in an object of the controller's namespace", () => {
  const space = "referenced-object";
  const object = (kind: string, text: string): Part => ({
    apiVersion: "v1",
    kind,
    metadata: { name: "roots", namespace: home },
    ...(kind === "Secret" ? { stringData: { "root.json": text } } : { data: { "root.json": text } }),
  });
  it("is followed from its creation to its deletion", async () => {
    await govern(space, { trustedRootFrom: { configMap: { name: "roots", key: "root.json" } } });
    await ready(space).toBe(
      `False spec.sigstore[0].trustedRootFrom: there is no ConfigMap ${home}/roots; create it`,
    );
    await denied(space, `the SkillTrustRoot ${space} is not ready`);
    await apply(object("ConfigMap", proving));
    await ready(space).toBe("True in force");
    await admitted(space);
    await apply(object("ConfigMap", "{}"));
    await ready(space).toMatch(/^False .*ConfigMap roots, key root\.json: /);
    await apply(object("ConfigMap", other));
    await ready(space).toBe("True in force");
    await denied(space, "in no trusted Sigstore root");
    await apply(object("ConfigMap", proving));
    await expect.poll(async () => (await applySkill(skill, space)).ran.code).toBe(0);
    await remove(`/api/v1/namespaces/${home}/configmaps/roots`);
    await ready(space).toMatch(/^False .*there is no ConfigMap/);
  });

  it("may be a Secret", async () => {
    await apply(object("Secret", proving));
    await govern("referenced-secret", { trustedRootFrom: { secret: { name: "roots", key: "root.json" } } });
    await ready("referenced-secret").toBe("True in force");
    await admitted("referenced-secret");
  });
});
