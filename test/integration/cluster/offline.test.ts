import { generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { publicGoodRoot } from "../../../src/signature/sigstore/root/public-good-root.ts";
import { openOfflineCluster, type OfflineCluster } from "../../../src/cluster/offline/offline-cluster.ts";
import { clusterSkillPolicy, skillRevocationList, skillTrustRoot } from "../../fixtures/resources.ts";
import { patience } from "../../fixtures/patience.ts";

const configMap = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: n}\ndata: {k: "${value}"}\n`;
const policy = (name: string) =>
  `apiVersion: skill-admission.dev/v1alpha1\nkind: ClusterSkillPolicy\nmetadata: {name: ${name}}\nspec: {publishers: []}\n`;

let folder: string;
let cluster: OfflineCluster | undefined;
let problems: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "skill-admission-offline-"));
  problems = [];
});
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
  await rm(folder, { recursive: true, force: true });
});

const write = (name: string, text: string | Uint8Array) => writeFile(join(folder, name), text);
const open = async (debounce = 20, resync = 60_000) => {
  cluster = await openOfflineCluster(
    folder,
    { hooks: { onProblem: (message) => problems.push(message) }, namespace: "n" },
    { debounce, resync },
  );
  return cluster;
};
const valueOf = async (from: OfflineCluster, name: string) => {
  const object = await from.read({ kind: "ConfigMap", namespace: "n", name }, AbortSignal.timeout(5_000));
  const file = object?.files.get("k");
  return file === undefined ? undefined : Buffer.from(file.bytes).toString();
};
const policiesOf = (from: OfflineCluster) => from.current().policies.map(({ name }) => name);

describe("openOfflineCluster", () => {
  it("follows revocation lists: one that is missing or wrong makes the policy that names it deny", async () => {
    const pem = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({
      type: "spki",
      format: "pem",
    });
    const publishers = [{ name: "team", publicKey: { pem } }];
    const spec = { publishers, revocation: { listRefs: [{ name: "l" }] } };
    await write("p.json", JSON.stringify(clusterSkillPolicy("p", spec)));
    const list = (reason: string): string =>
      JSON.stringify(skillRevocationList("l", { files: [{ digest: `sha256:${"ab".repeat(32)}`, reason }] }));
    const opened = await open();
    const broken = (): string | undefined => opened.current().policies[0]?.invalidReason;
    expect(broken()).toMatch(/there is no SkillRevocationList l/);
    await write("l.json", list("a reason"));
    await opened.refresh();
    expect(broken()).toBeUndefined();
    await write("l.json", list(""));
    await opened.refresh();
    expect(broken()).toMatch(/the SkillRevocationList l cannot be read.*spec\.files\[0\]\.reason/);
  });

  it("follows a ConfigMap that a trust root refers to, and deny is what comes of it where it is missing or broken", async () => {
    const from = { configMap: { name: "roots", key: "trusted_root.json" } };
    await write(
      "root.json",
      JSON.stringify(skillTrustRoot("r", { sigstore: [{ name: "s", trustedRootFrom: from }] })),
    );
    const object = (data: object): string =>
      JSON.stringify({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "roots", namespace: "n" },
        data,
      });
    const keyless = { trustRootRef: { name: "r" }, issuer: "https://issuer.test", identity: "a@example.com" };
    const spec = { publishers: [{ name: "ci", keyless }] };
    await write("p.json", JSON.stringify(clusterSkillPolicy("p", spec)));
    const opened = await open();
    const broken = (): string | undefined => opened.current().policies[0]?.invalidReason;
    const where = "SkillTrustRoot r: spec.sigstore[0].trustedRootFrom:";
    expect(problems[0]).toBe(`${where} there is no ConfigMap n/roots; create it`);
    expect(broken()).toBeDefined();
    await write("roots.json", object({ "trusted_root.json": publicGoodRoot }));
    await opened.refresh();
    expect(broken()).toBeUndefined();
    const { trust } = opened.current();
    await write("other.yaml", configMap("other", "1"));
    await opened.refresh();
    expect(opened.current().trust).toBe(trust);
    await write("roots.json", object({ "trusted_root.json": "{}" }));
    await opened.refresh();
    expect(broken()).toBeDefined();
    const [told] = problems.filter((problem) => problem.includes("mediaType"));
    expect(told).toContain(`${where} ConfigMap roots, key trusted_root.json: `);
  });

  it("reads a folder with its subfolders, YAML and JSON, and leaves hidden and other files alone", async () => {
    await mkdir(join(folder, "sub"));
    await write("sub/a.yaml", configMap("a", "1"));
    await write(
      "b.json",
      JSON.stringify({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "b", namespace: "n" },
        data: { k: "2" },
      }),
    );
    await write(".hidden.yaml", "not: [yaml");
    await write("notes.txt", "not: [yaml");
    const opened = await open();
    expect([await valueOf(opened, "a"), await valueOf(opened, "b")]).toEqual(["1", "2"]);
    expect(opened.readiness()).toEqual([]);
  });

  it("follows edits, new files and deletions", async () => {
    await write("a.yaml", configMap("a", "1"));
    const opened = await open();
    await write("a.yaml", configMap("a", "2"));
    await vi.waitFor(async () => expect(await valueOf(opened, "a")).toBe("2"), patience);
    await write("b.yaml", configMap("b", "3"));
    await vi.waitFor(async () => expect(await valueOf(opened, "b")).toBe("3"), patience);
    await unlink(join(folder, "a.yaml"));
    await vi.waitFor(async () => expect(await valueOf(opened, "a")).toBeUndefined(), patience);
  });

  it("follows a file that is replaced by another again and again, as editors save", async () => {
    await write("a.yaml", configMap("a", "0"));
    const opened = await open();
    for (const value of ["1", "2", "3", "4"]) {
      await write("a.tmp", configMap("a", value));
      await rename(join(folder, "a.tmp"), join(folder, "a.yaml"));
      await vi.waitFor(async () => expect(await valueOf(opened, "a")).toBe(value), patience);
    }
    await write("a.yaml", configMap("a", "5"));
    await vi.waitFor(async () => expect(await valueOf(opened, "a")).toBe("5"), patience);
  });

  it("finds changes that no event tells of, at the next look", async () => {
    await write("a.yaml", configMap("a", "1"));
    const opened = await open(60_000, 50);
    await write("a.yaml", configMap("a", "2"));
    await vi.waitFor(async () => expect(await valueOf(opened, "a")).toBe("2"), patience);
  });

  it("keeps the snapshot while nothing changes", async () => {
    await write("p.yaml", policy("p"));
    const opened = await open();
    const before = opened.current();
    await write("a.yaml", configMap("a", "1"));
    await opened.refresh();
    expect(await valueOf(opened, "a")).toBe("1");
    expect(opened.current()).toBe(before);
  });

  it.each([
    ["a file that does not parse", "a: [", /a\.yaml: line 1/],
    ["bytes that are not UTF-8", Uint8Array.of(0xff, 0xfe, 0x41), /not UTF-8/],
    ["an object without a name", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", /no metadata.name/],
  ])("refuses to start on %s: it could have held a policy", async (_, text, message) => {
    await write("a.yaml", text);
    await expect(open()).rejects.toThrow(message);
  });

  it("refuses to start on a folder that is not there", async () => {
    await rm(folder, { recursive: true });
    await expect(open()).rejects.toThrow(`the folder ${folder} does not exist`);
  });

  it("refuses to start on a file in the place of the folder", async () => {
    await rm(folder, { recursive: true });
    await writeFile(folder, "");
    await expect(open()).rejects.toThrow(`${folder} is not a folder`);
  });

  it("keeps a policy whose file stops parsing, says so once, and recovers", async () => {
    await write("p.yaml", policy("p"));
    const opened = await open();
    problems.length = 0;
    await write("p.yaml", "kind: [");
    await opened.refresh();
    await opened.refresh();
    expect(policiesOf(opened)).toEqual(["p"]);
    expect(opened.readiness()).toEqual([expect.stringContaining("p.yaml")]);
    expect(problems).toEqual([expect.stringContaining("what it held before stays in force")]);
    await write("p.yaml", policy("q"));
    await opened.refresh();
    expect(policiesOf(opened)).toEqual(["q"]);
    expect(opened.readiness()).toEqual([]);
  });

  it("stays as it was when two files come to hold the same object, and recovers", async () => {
    await write("a.yaml", configMap("a", "1"));
    const opened = await open();
    await write("b.yaml", configMap("a", "2"));
    await opened.refresh();
    expect(await valueOf(opened, "a")).toBe("1");
    await opened.refresh();
    expect(opened.readiness()).toEqual([expect.stringContaining("ConfigMap a is in a.yaml already")]);
    await unlink(join(folder, "a.yaml"));
    await opened.refresh();
    expect(await valueOf(opened, "a")).toBe("2");
    expect(opened.readiness()).toEqual([]);
  });

  it("keeps everything when the folder goes away, and recovers", async () => {
    await write("p.yaml", policy("p"));
    const opened = await open();
    await rm(folder, { recursive: true });
    await opened.refresh();
    expect(policiesOf(opened)).toEqual(["p"]);
    expect(opened.readiness()).toEqual([expect.stringContaining("ENOENT")]);
    await mkdir(folder);
    await write("p.yaml", policy("q"));
    await opened.refresh();
    expect(policiesOf(opened)).toEqual(["q"]);
    expect(opened.readiness()).toEqual([]);
  });

  it("reads a folder as the kubelet lays it out, with links inside", async () => {
    await mkdir(join(folder, "..1"));
    await write("..1/a.yaml", configMap("a", "1"));
    await symlink("..1", join(folder, "..data"));
    await symlink("..data/a.yaml", join(folder, "a.yaml"));
    expect(await valueOf(await open(), "a")).toBe("1");
  });

  it("refuses a link that leads out of the folder", async () => {
    await symlink("/etc/hostname", join(folder, "a.yaml"));
    await expect(open()).rejects.toThrow(/leads out of the folder/);
  });
});
