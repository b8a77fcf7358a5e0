import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCatalogue, publishedCatalogues } from "../../fixtures/catalogue.ts";
import { readTree } from "../../fixtures/corpus.ts";
import { withFiles } from "../../fixtures/signed-skill.ts";
import { projectRoot } from "../harness/binaries.ts";
import { tryKubectl } from "../harness/cluster.ts";
import { sharedProduct, type SharedProduct } from "./product.ts";
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
const signature = "skill.oms.sig";

const home = mkdtempSync(join(tmpdir(), "catalogue-"));
const catalogues = [await makeCatalogue(home), ...publishedCatalogues()];

let product: SharedProduct;

beforeAll(async () => {
  product = await sharedProduct();
});

afterAll(() => {
  rmSync(home, { recursive: true });
});

describe.each(catalogues)("$name", ({ folder, root, organization, signer, examples, name: title }) => {
  const space = title.replaceAll(" ", "-");

  beforeAll(async () => {
    await createNamespace(space, space);
    await enforce(
      trustRoot(space, { certificates: [{ name: "root", pem: await readFile(root, "utf8") }] }),
      policy(space, {
        publishers: [
          { name: "team", certificate: { trustRootRef: { name: space }, subject: { organization } } },
        ],
        evidence: { integrity: "STRONG", authorship: "STRONG" },
      }),
    );
  });

  const packed = async (name: string): Promise<string> => {
    const args = ["package", join(folder, name), "--namespace", space, "--with-pod", "example.invalid/a"];
    const limits = { maxBuffer: 64 * 1024 * 1024 };
    return (await run(process.execPath, [join(projectRoot, "dist/main.js"), ...args], limits)).stdout;
  };

  it.each(examples.small)("%s passes, packed by the command line", async (name) => {
    expect(await tryKubectl(["apply", "-f", "-"], await packed(name))).toMatchObject({
      code: 0,
      stderr: "",
    });
    await product.decision("Pod", name, { decision: "allow" });
  });

  it("the largest passes, spread over several ConfigMaps", async () => {
    const manifests = await packed(examples.large);
    expect(manifests.match(/^kind: ConfigMap$/gm)!.length).toBeGreaterThan(1);
    expect(await tryKubectl(["apply", "-f", "-"], manifests)).toMatchObject({ code: 0, stderr: "" });
  });

  it("one of them is denied with any of its files changed", async () => {
    const skill = readTree(join(folder, examples.small[0]!));
    const paths = [...skill.files.keys()].filter((path) => path !== signature);
    expect(paths.length).toBeGreaterThan(3);
    for (const [at, path] of paths.entries()) {
      const changed = withFiles(skill, { [path]: oneByteChanged(skill.files.get(path)!.bytes) });
      const ran = await tryApply(ship(changed, space, `changed-${at}`).all);
      expect(denial(ran)).toContain(`signed by ${signer}, changed since`);
      expect(denial(ran)).toContain(`${path}: signed ${short(skill, path)}, found ${short(changed, path)}`);
    }
  });

  it("one that another authority signed is denied", async () => {
    const ran = await tryKubectl(["apply", "-f", "-"], await packed(examples.unpublished));
    expect(denial(ran)).toContain("UNTRUSTED_SIGNER");
  });
});
