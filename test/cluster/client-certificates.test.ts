import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { commandsOf, type, typed, type Shell } from "../fixtures/documented.ts";
import { clusterSkillPolicy } from "../fixtures/resources.ts";
import { signedSkill } from "../fixtures/signed-skill.ts";
import { freePort } from "../fixtures/free-port.ts";
import { httpsClient } from "../fixtures/https-client.ts";
import { pemOf } from "./admission/world.ts";
import { projectRoot, toolPath } from "./harness/binaries.ts";
import { startControlPlane } from "./harness/control-plane.ts";
import { logLines, type LogLine } from "./harness/log.ts";
import type { ControlPlane } from "./harness/plane.ts";
import { startProgram, until, type Program } from "./harness/process.ts";
import { findSource } from "./harness/start.ts";
import { patience } from "../fixtures/patience.ts";

const page = "docs/client-certificates.md";

// K3s in a container has its flags before a test can say which; this API server is of its own.
describe.skipIf((await findSource()).kind !== "binaries")("docs/client-certificates.md", () => {
  let folder: string;
  let shell: Shell;
  let plane: ControlPlane;
  let port: number;
  let metricsPort: number;
  let product: Program | undefined;
  let logFile: string;

  const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
  const log = () => logLines(logFile);

  /** Serves for the clients of an authority, with a log of its own, as the host that the page names or as another. */
  const serve = async (clientCa: string, host = "127.0.0.1"): Promise<void> => {
    await product?.kill();
    logFile = join(folder, `${clientCa}-${host}.log`);
    product = startProgram(
      process.execPath,
      [
        join(projectRoot, "dist/main.js"),
        "serve",
        `--kubeconfig=${plane.kubeconfig}`,
        `--webhook-url=https://${host}:${port}`,
        "--address=127.0.0.1",
        `--port=${port}`,
        "--metrics-address=127.0.0.1",
        `--metrics-port=${metricsPort}`,
        "--log-level=debug",
        `--ca-file=${join(folder, "ca.crt")}`,
        `--client-ca-file=${join(folder, clientCa)}`,
        "--client-name=kube-apiserver-webhooks",
      ],
      logFile,
    );
    const registered = async () => (await log()).some(({ msg }) => msg === "ready and registered");
    await until("the product is registered", registered, product);
  };

  /** Waits for the one line: it comes to the file a moment after the answer. */
  const hasLogged = (which: (line: LogLine) => boolean, expected: object): Promise<void> =>
    vi.waitFor(async () => expect((await log()).filter(which)).toMatchObject([expected]), patience);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "skill-admission-clients-"));
    [port, metricsPort] = await Promise.all([freePort(), freePort()]);
    const path = `${dirname(await toolPath("kubectl"))}:${process.env["PATH"]}`;
    shell = { cwd: folder, env: { ...process.env, PATH: path, KUBECONFIG: join(folder, "kubeconfig") } };
    await typed((await commandsOf(page))("openssl"), shell);
    const yaml = await commandsOf(page, "yaml");
    const here = (text: string): string =>
      text
        .replaceAll("/etc/kubernetes/admission", folder)
        .replaceAll("skill-admission.skill-admission.svc", `127.0.0.1:${port}`);
    await write("admission.yaml", here(yaml("AdmissionConfiguration")));
    await write("webhooks.yaml", here(yaml("client-certificate:")));
    const flag = /`(--admission-control-config-file=[^`]+)`/.exec(
      await readFile(join(projectRoot, page), "utf8"),
    );
    plane = await startControlPlane(undefined, [here(flag?.[1] ?? "")]);
    await write("kubeconfig", await readFile(plane.kubeconfig, "utf8"));
    await typed(`kubectl apply --server-side -f ${join(projectRoot, "manifests/crds")}`, shell);
    const namespaceSelector = { matchLabels: { tenant: "payments" } };
    const publisher = { name: "team", publicKey: { pem: pemOf(signedSkill()) } };
    const policy = clusterSkillPolicy("payments", { namespaceSelector, publishers: [publisher] });
    await write("policy.json", JSON.stringify(policy));
    const commands = [
      "kubectl create namespace payments",
      "kubectl label namespace payments tenant=payments",
      "kubectl wait --for=condition=Established crd --all",
      `kubectl apply -f ${join(folder, "policy.json")}`,
    ];
    for (const command of commands) await typed(command, shell);
  });
  afterAll(async () => {
    await product?.kill();
    await plane.stop();
    await rm(folder, { recursive: true });
  });

  it("lets the API server ask, which shows its certificate, and tells nothing to whoever shows none", async () => {
    await serve("client-ca.crt");
    const command = (await commandsOf(page))("configmap asked");
    await vi.waitFor(async () => {
      await typed(command, shell);
      expect((await log()).map(({ name }) => name)).toContain("asked");
    }, patience);
    expect((await log()).filter(({ status }) => status !== undefined)).toEqual([]);
    const forger = httpsClient(port, await readFile(join(folder, "ca.crt"), "utf8"));
    const { status, body } = await forger.call({ body: JSON.stringify({ kind: "AdmissionReview" }) });
    forger.agent.destroy();
    expect([status, body]).toEqual([401, expect.stringMatching(/^no client certificate came/)]);
    await hasLogged((line) => line.status === 401, { level: "warn", client: "127.0.0.1" });
  });

  it.each([
    ["with none", "client-ca.crt", "localhost", 401, /^no client certificate came, .* give the API server/],
    [
      "with one of another authority",
      "other-ca.crt",
      "127.0.0.1",
      403,
      /^the client certificate is not valid/,
    ],
  ] as const)(
    "refuses what an API server asks %s, and says so in log and metric",
    async (...[, ca, host, status, said]) => {
      const openssl = (await commandsOf(page))("openssl");
      const other = openssl.replaceAll("client-ca", "other-ca").replaceAll("webhook-client", "other-client");
      await typed(other.replaceAll("webhook clients", "other clients"), shell);
      await serve(ca, host);
      const { code, out } = await type((await commandsOf(page))("configmap asked"), shell);
      expect(code).toBe(1);
      expect(out).toMatch(/failed calling webhook/);
      const message = expect.stringMatching(said) as string;
      await hasLogged(({ msg }) => msg === "requests were answered without a review", {
        level: "warn",
        status,
        message,
        client: "127.0.0.1",
      });
      const metrics = async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      await expect
        .poll(metrics)
        .toMatch(new RegExp(`^skill_admission_http_refusals_total\\{status="${status}"\\} [1-9]`, "m"));
    },
  );
});
