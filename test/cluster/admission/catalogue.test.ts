import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { corpus, readTree } from "../../fixtures/corpus.ts";
import { withFiles } from "../../fixtures/signed-skill.ts";
import { projectRoot } from "../harness/binaries.ts";
import { tryKubectl } from "../harness/cluster.ts";
import { startProduct, type Product } from "./product.ts";
import {
  createNamespace,
  denial,
  enforce,
  oneByteChanged,
  policy,
  ship,
  short,
  trustRoot,
  tryApply,
} from "./world.ts";

const run = promisify(execFile);
const nvidia = `${corpus}/nvidia`;
const signature = "skill.oms.sig";

let product: Product;

describe.runIf(existsSync(nvidia))("skills of the public catalogue", () => {
  const space = "catalogue";

  beforeAll(async () => {
    product = await startProduct();
    await createNamespace(space, space);
    await enforce(
      trustRoot("nvidia-agent", {
        certificates: [{ name: "root", pem: await readFile(`${nvidia}/nv-agent-root-cert.pem`, "utf8") }],
      }),
      policy(space, {
        publishers: [
          {
            name: "nvidia",
            certificate: {
              trustRootRef: { name: "nvidia-agent" },
              subject: { organization: "NVIDIA Corporation" },
            },
          },
        ],
        evidence: { integrity: "STRONG", authorship: "STRONG" },
      }),
    );
  }, 60_000);

  afterAll(() => product.remove());

  const packed = async (name: string): Promise<string> => {
    const args = [
      "package",
      `${nvidia}/skills/${name}`,
      "--namespace",
      space,
      "--with-pod",
      "example.invalid/a",
    ];
    const limits = { maxBuffer: 64 * 1024 * 1024 };
    return (await run(process.execPath, [join(projectRoot, "dist/main.js"), ...args], limits)).stdout;
  };

  it.each(["cuopt-install", "jetson-link-docs", "rag-blueprint"])(
    "%s passes, packed by the command line",
    async (name) => {
      expect(await tryKubectl(["apply", "-f", "-"], await packed(name))).toMatchObject({
        code: 0,
        stderr: "",
      });
      expect(await product.decision("Pod", name)).toMatchObject({ decision: "allow" });
    },
  );

  it("the largest passes, spread over several ConfigMaps", async () => {
    const manifests = await packed("omniverse-realtime-viewer");
    expect(manifests.match(/^kind: ConfigMap$/gm)!.length).toBeGreaterThan(1);
    expect(await tryKubectl(["apply", "-f", "-"], manifests)).toMatchObject({ code: 0, stderr: "" });
  });

  it("one of them is denied with any of its files changed", async () => {
    const skill = readTree(`${nvidia}/skills/cuopt-install`);
    const paths = [...skill.files.keys()].filter((path) => path !== signature);
    expect(paths.length).toBeGreaterThan(3);
    for (const [at, path] of paths.entries()) {
      const changed = withFiles(skill, { [path]: oneByteChanged(skill.files.get(path)!.bytes) });
      const ran = await tryApply(ship(changed, space, `changed-${at}`).all);
      expect(denial(ran)).toContain("signed by CN=NVIDIA Agent Skills Signing 001, changed since");
      expect(denial(ran)).toContain(`${path}: signed ${short(skill, path)}, found ${short(changed, path)}`);
    }
  });

  it("one that an unpublished authority signed is denied", async () => {
    const ran = await tryKubectl(["apply", "-f", "-"], await packed("deepstream-run-mv3dt"));
    expect(denial(ran)).toContain("UNTRUSTED_SIGNER");
  });
});
