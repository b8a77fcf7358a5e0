import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../harness/binaries.ts";
import { kubectl, tryKubectl } from "../harness/cluster.ts";
import { takesPods } from "../harness/namespaces.ts";
import { sharedProduct } from "./product.ts";
import { denial, warnings } from "./world.ts";

const run = promisify(execFile);

/** The examples of the documentation, and what becomes of each under examples/policies. */
const pods = [
  { file: "signed", object: "Pod payments/incident-summary", outcome: "allow", says: undefined },
  {
    file: "tampered",
    object: "Pod payments/incident-summary-tampered",
    outcome: "deny",
    says: /DIGEST_MISMATCH scripts\/timeline\.sh: signed 398de7a8…, found [0-9a-f]{8}…/,
  },
  {
    file: "unsigned-deployment",
    object: "Deployment payments/unsigned",
    outcome: "warn",
    says: /payments: skill incident-summary: UNSIGNED/,
  },
  {
    file: "image-volume",
    object: "Pod payments/image-volume",
    outcome: "deny",
    says: /SOURCE_UNVERIFIABLE the volume "skill" takes files from Image/,
  },
] as const;

interface Answer {
  readonly outcome: string;
  readonly object: object;
  readonly podsDenied?: boolean;
}

const applyOffline = async (file: string): Promise<Answer> => {
  const args = ["apply", "-o", "json", "--policy", "examples/policies"];
  const resources = ["namespace", file].flatMap((name) => ["--resource", `examples/pods/${name}.yaml`]);
  const main = join(projectRoot, "dist/main.js");
  // Denials end with the code 1; the answer is on standard output all the same.
  const { stdout } = await run(process.execPath, [main, ...args, ...resources], { cwd: projectRoot }).catch(
    (error: unknown) => error as { readonly stdout: string },
  );
  return JSON.parse(stdout.split("\n")[0]!) as Answer;
};

beforeAll(async () => {
  await sharedProduct();
  for (const file of ["trust-roots", "payments", "starter"]) {
    await kubectl(["apply", "-f", `examples/policies/${file}.yaml`]);
  }
  await kubectl(["apply", "-f", "examples/pods/namespace.yaml"]);
  await takesPods("payments");
  await kubectl(["wait", "--for=condition=Ready", "--timeout=60s", "cskp,sktr", "--all"]);
});

afterAll(async () => {
  await kubectl(["delete", "namespace", "payments", "--wait=false"]);
});

describe.each(pods)("the example $file", ({ file, object, outcome, says }) => {
  it(`is answered with ${outcome} by the API server`, async () => {
    const ran = await tryKubectl(["apply", "-f", `examples/pods/${file}.yaml`]);
    if (outcome === "deny") expect(denial(ran)).toMatch(says);
    else expect(ran.code).toBe(0);
    if (outcome === "warn") expect(warnings(ran).join("\n")).toMatch(says);
    if (outcome === "allow") expect(ran.stderr).toBe("");
  });

  it(`is answered with ${outcome} by skill-admission apply`, async () => {
    const [kind, namespace, name] = object.split(/[ /]/);
    const answer = await applyOffline(file);
    expect(answer).toMatchObject({ outcome, object: { kind, namespace, name } });
    // The command line looks further: it says so when the pods that an object would make are denied.
    expect(answer.podsDenied === true).toBe(kind === "Deployment");
  });
});
