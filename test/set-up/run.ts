/**
 * What the tests need beside `npm ci`, got before they start: said where it takes time, silent where it is there. With
 * `--cluster` what the tests on a control plane need, with `--reference` the reference implementation that others run beside.
 */
import { parseArgs } from "node:util";
import { builtBinaries, toolPath } from "../cluster/harness/binaries.ts";
import { buildControlPlane } from "../cluster/harness/build-control-plane.ts";
import { findSource } from "../cluster/harness/start.ts";
import { hasReference, referencePython } from "../integration/oms-interop/reference.ts";

async function setUpReference(): Promise<void> {
  if (await hasReference()) return;
  console.log(
    "installing the reference implementation of OpenSSF Model Signing from PyPI, once: about 25 MB, a minute; kept in .cache/venv",
  );
  await referencePython();
}

async function setUpCluster(): Promise<void> {
  await toolPath("kubectl");
  await toolPath("helm");
  if ((await findSource()).kind === "none") await buildControlPlane(builtBinaries);
}

const { values } = parseArgs({ options: { cluster: { type: "boolean" }, reference: { type: "boolean" } } });
try {
  if (values.reference === true) await setUpReference();
  if (values.cluster === true) await setUpCluster();
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
}
