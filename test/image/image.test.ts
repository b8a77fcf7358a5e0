import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { packagesBelow } from "../../scripts/image/installed-packages.ts";
import { purlOf } from "../../scripts/image/sbom.ts";
import { issueCertificate, servedAt } from "../fixtures/certificates.ts";
import { httpsClient } from "../fixtures/https-client.ts";
import { podReview } from "../fixtures/review.ts";
import { changed, configMapOf, policyObject, podFor, published } from "../unit/admission/world.ts";
import { buildAgain, buildImage, type BuiltImage } from "./build-image.ts";
import { layersOf, runToEnd, start, unpack, type Container, type UnpackedImage } from "./container.ts";

const project = join(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
  readonly version: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

let built: BuiltImage;
let image: UnpackedImage;
let scratch: string;

beforeAll(async () => {
  built = await buildImage();
  image = await unpack(built.archive);
  scratch = await mkdtemp(join(tmpdir(), "skill-admission-image-"));
  await chmod(scratch, 0o755);
});

afterAll(async () => {
  await image.remove();
  await rm(scratch, { recursive: true, force: true });
});

/** Paths of files from a folder of the image. */
const filesOf = (folder: string): readonly string[] =>
  readdirSync(join(image.rootfs, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(image.rootfs.length));

const legal = /^(?:licen[cs]e|copying|copyright|notice|authors|patents)/i;

describe("what the image says of itself", () => {
  it("runs as a user that is a number and is not root", () => {
    expect(image.config.config.User).toBe("65532:65532");
  });

  it("starts Node itself, without a shell, and serves unless told otherwise", () => {
    const { Entrypoint, Cmd } = image.config.config;
    expect(Entrypoint[0]).toBe("node");
    expect(Entrypoint.at(-1)).toBe("/app/dist/main.js");
    expect(Cmd).toEqual(["serve"]);
  });

  it("carries the labels of the OCI's image specification", () => {
    expect(image.config.config.Labels).toMatchObject({
      "org.opencontainers.image.title": "skill-admission",
      "org.opencontainers.image.description": expect.stringContaining("admission") as string,
      "org.opencontainers.image.licenses": manifest.license,
      "org.opencontainers.image.source": "unknown",
      "org.opencontainers.image.version": manifest.version,
      "org.opencontainers.image.revision": built.source.revision,
      "org.opencontainers.image.created": "2026-09-21T14:13:20Z",
    });
  });

  it("was made when its source was, whenever it was built", () => {
    expect(Date.parse(image.config.created)).toBe(built.source.epoch * 1000);
    const times = filesOf("/app").map((path) => lstatSync(join(image.rootfs, path)).mtimeMs);
    expect(new Set(times)).toEqual(new Set([built.source.epoch * 1000]));
  });

  it("names the ports that serve opens", () => {
    expect(Object.keys(image.config.config.ExposedPorts)).toEqual(["8443/tcp", "9090/tcp"]);
  });

  it("keeps nothing of the secrets that its build may have had", () => {
    const everything =
      JSON.stringify(image.config) + readFileSync(join(image.folder, "oci/index.json"), "utf8");
    expect(everything).not.toMatch(/npmrc|ca\.crt/);
    expect(filesOf("/").filter((path) => /npmrc|\/run\/|^\/root\//.test(path))).toEqual([]);
  });
});

describe("what is in the image", () => {
  it("is no shell, and no package manager", () => {
    const programs = filesOf("/").filter((path) => /\/s?bin\//.test(path) && !path.startsWith("/app/"));
    expect(programs).toEqual(["/usr/local/bin/node"]);
  });

  it("is every package of production and none of development", () => {
    const names = packagesBelow(join(image.rootfs, "app")).map((each) => each.manifest.name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
    const development = Object.keys(manifest.devDependencies);
    expect(development).toEqual(expect.arrayContaining(["eslint", "typescript", "vitest"]));
    expect(names.filter((name) => development.includes(name))).toEqual([]);
  });

  it("is what its bill of materials lists, neither more nor less", () => {
    const sbom = JSON.parse(
      readFileSync(join(image.rootfs, "usr/share/skill-admission/sbom.cdx.json"), "utf8"),
    ) as { readonly components: readonly { readonly purl: string }[]; readonly metadata: object };
    const found = packagesBelow(join(image.rootfs, "app")).map((each) => purlOf(each.manifest));
    expect(sbom.components.map(({ purl }) => purl).sort()).toEqual([...new Set(found)].sort());
  });

  it("comes with the bill of materials that npm run sbom prints for the same lock file", () => {
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(built.source.epoch) };
    const options = { encoding: "utf8", env, maxBuffer: 64 * 1024 * 1024 } as const;
    const printed = execFileSync(process.execPath, [join(project, "scripts/sbom.ts")], options);
    expect(readFileSync(join(image.rootfs, "usr/share/skill-admission/sbom.cdx.json"), "utf8")).toBe(printed);
  });

  it("has the licence of every package that came with one", () => {
    const licences = (folder: string): readonly string[] =>
      readdirSync(folder).filter((name) => legal.test(name));
    let seen = 0;
    for (const { path } of packagesBelow(join(image.rootfs, "app"))) {
      const expected = licences(join(project, path));
      expect(licences(join(image.rootfs, "app", path)), path).toEqual(expected);
      seen += expected.length;
    }
    expect(seen).toBeGreaterThan(100);
    expect(filesOf("/app")).toContain("/app/LICENSE");
  });

  it("belongs to root and is writable to nobody else", () => {
    const loose = filesOf("/app").filter((path) => {
      const { uid, gid, mode } = lstatSync(join(image.rootfs, path));
      return uid !== 0 || gid !== 0 || (mode & 0o6022) !== 0;
    });
    expect(loose).toEqual([]);
  });

  it("is smaller than 60 MB beside Node", () => {
    const bytes = [...filesOf("/app"), ...filesOf("/usr/share/skill-admission")]
      .map((path) => lstatSync(join(image.rootfs, path)).size)
      .reduce((sum, size) => sum + size, 0);
    console.log(`image: ${(bytes / 1e6).toFixed(1)} MB beside Node, ${image.layers.length - 1} layers`);
    expect(bytes).toBeGreaterThan(5e6);
    expect(bytes).toBeLessThan(60e6);
  });
});

describe("the image, run with a read-only root, without capabilities, as its own user", () => {
  it("prints its version", async () => {
    expect(await runToEnd(image, { args: ["--version"] })).toEqual({
      code: 0,
      output: `${manifest.version}\n`,
    });
  });

  it("finds every module of the program, those that it loads late as well", async () => {
    const script = `
      const { readdirSync, readFileSync } = await import("node:fs");
      const files = readdirSync("/app/dist", { recursive: true }).filter((name) => name.endsWith(".js"));
      const late = new Set();
      for (const name of files) {
        if (name !== "main.js") await import("/app/dist/" + name);
        const text = readFileSync("/app/dist/" + name, "utf8");
        for (const [, each] of text.matchAll(/import\\("(?!node:)([^."][^"]*)"\\)/g)) late.add(each);
      }
      const { createRequire } = await import("node:module");
      const { resolve } = createRequire("/app/dist/main.js");
      for (const name of late) await import(resolve(name));
      console.log(files.length > 100, late.has("@kubernetes/client-node"));
    `;
    const command = ["node", "--input-type=module", "--eval", script];
    expect(await runToEnd(image, { command })).toEqual({ code: 0, output: "true true\n" });
  });

  it("can write nowhere", async () => {
    const script = `
      const { writeFileSync } = require("node:fs");
      for (const folder of ["/", "/app", "/tmp", "/usr/share/skill-admission", "/proc/sys/kernel"]) {
        try { writeFileSync(folder + "/x", ""); console.log("wrote to", folder); } catch {}
      }`;
    expect(await runToEnd(image, { command: ["node", "--eval", script] })).toEqual({ code: 0, output: "" });
  });
});

/** A folder of manifests: one tenant, its policy, and its skill. */
async function stateOf(name: string, skill: typeof published.skill): Promise<string> {
  const folder = join(scratch, name);
  const namespace = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "payments", labels: { tenant: "payments" } },
  };
  const items = [namespace, policyObject(), configMapOf(skill).object];
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "state.json"), JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  return folder;
}

const review = (skill: typeof published.skill): string =>
  JSON.stringify(podReview(podFor(configMapOf(skill).items)));

/** What the kernel says of the program: of the process that the container's process number 1 is. */
function processStatus(): string {
  const read = (path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  const found = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => read(`/proc/${name}/cmdline`).includes("/app/dist/main.js\0serve\0--state\0/state\0"))
    .map((name) => read(`/proc/${name}/status`))
    .filter((status) => /^NSpid:\t.*\t1$/m.test(status));
  expect(found).toHaveLength(1);
  return found[0] ?? "";
}

describe("serve in the image, with nothing writable", () => {
  const port = async (container: Container): Promise<number> => {
    await expect
      .poll(() => container.output().includes('"msg":"ready"') || container.child.exitCode)
      .toBe(true);
    const line = container
      .output()
      .split("\n")
      .find((each) => each.includes('"msg":"serving"'));
    expect(line).toContain(`"revision":"${built.source.revision}"`);
    return (JSON.parse(line ?? "{}") as { readonly port: number }).port;
  };

  it.each([
    ["admits a pod with a signed skill", published.skill, true],
    ["denies one whose skill was changed", changed, false],
  ])("%s, and ends with 0 when told to", async (title, skill, allowed) => {
    const served = await issueCertificate({ extensions: [servedAt("127.0.0.1")] });
    const folder = await stateOf(title.split(" ")[0] ?? "", skill);
    await writeFile(join(scratch, "tls.crt"), served.pem);
    await writeFile(join(scratch, "tls.key"), served.keyPem);
    const loopback = [
      "--address",
      "127.0.0.1",
      "--port",
      "0",
      "--metrics-address",
      "127.0.0.1",
      "--metrics-port",
      "0",
    ];
    const files = ["--tls-cert-file", "/tmp/tls.crt", "--tls-key-file", "/tmp/tls.key"];
    const container = await start(image, {
      args: ["serve", "--state", "/state", ...loopback, ...files, "--grace-seconds", "0"],
      // No other folder is there to mount upon: the root is read-only from the start.
      readOnly: { "/state": folder, "/tmp": scratch },
    });
    try {
      const { agent, call } = httpsClient(await port(container), served.pem);
      const answer = await call({ path: "/validate?timeout=5s", body: review(skill) });
      agent.destroy();
      const { response } = JSON.parse(answer.body) as { readonly response: { readonly allowed: boolean } };
      expect(response.allowed).toBe(allowed);
      const status = processStatus();
      expect(status).toMatch(/^Uid:\t65532\t65532\t65532\t65532$/m);
      expect(status).toMatch(/^CapBnd:\t0{16}$/m);
      await container.signal("TERM");
      expect(await container.ended()).toBe(0);
      expect(container.output()).toContain('"msg":"stopping"');
    } finally {
      if (container.child.exitCode === null) await container.signal("KILL").catch(() => undefined);
    }
  });
});

describe("building again, from nothing but the bases", () => {
  it("gives the same layers", async () => {
    const archive = join(scratch, "again.tar");
    await buildAgain(built, archive);
    expect(await layersOf(archive)).toEqual(image.layers);
    expect(image.layers.length).toBeGreaterThan(3);
  });
});
