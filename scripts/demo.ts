/**
 * Demonstrates the product on one machine, without a cluster: signs a few skills, starts the real webhook over
 * HTTPS on a folder of manifests, and sends it the reviews that an API server would send. `--serve` keeps it
 * running instead.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startProduct, type Server } from "../test/bench/servers/server.ts";
import { podReview } from "../test/fixtures/review.ts";
import { prepareCases, type DemoPod } from "./demo/cases.ts";
import { tellReviews, type Served } from "./demo/reviews.ts";

const scratch = await mkdtemp(join(tmpdir(), "skill-admission-demo-"));
const caFile = join(scratch, "ca.crt");
let server: Server | undefined;

async function stop(): Promise<void> {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => void stop().then(() => process.exit(0)));
}
// A reader such as `head` may end before this process.
process.stdout.once("error", () => void stop().then(() => process.exit(0)));

async function explain(pods: readonly DemoPod[], { port, metrics }: Served): Promise<void> {
  const changed = pods.find(({ name }) => name === "one-byte");
  const reviewFile = join(scratch, "review.json");
  await writeFile(reviewFile, JSON.stringify(podReview(changed?.pod ?? {}), undefined, 2));
  const url = `https://127.0.0.1:${port}`;
  console.log(`serving ${url} on the manifests in ${join(scratch, "state")}

Send it a review (of a pod whose skill has one byte changed):
  curl -s --cacert ${caFile} -H 'content-type: application/json' \\
    --data @${reviewFile} ${url}/validate
Edit the manifests, policies.json first: soon after, reviews are decided by what they then say.
Metrics: curl -s ${metrics}
Stop with Ctrl-C.`);
}

/** The webhook writes its CA certificate while it starts. */
async function authority(): Promise<string> {
  for (;;) {
    const pem = await readFile(caFile, "utf8").catch(() => "");
    if (pem.trimEnd().endsWith("-----END CERTIFICATE-----")) return pem;
    await sleep(10);
  }
}

try {
  console.error("signing and packaging the example skills …");
  const pods = await prepareCases(scratch);
  server = await startProduct(["--state", join(scratch, "state"), "--ca-file", caFile]);
  const metrics = `http://127.0.0.1:${server.metricsPort}/metrics`;
  const served = { port: server.port, metrics, ca: await authority() };
  if (process.argv.includes("--serve")) {
    await explain(pods, served);
    await server.ended;
  } else {
    const wrong = await tellReviews(served, pods);
    for (const title of wrong) console.error(`\nnot as expected: ${title}`);
    if (wrong.length > 0) process.exitCode = 1;
    console.log(`
Where to look next:
  npm start                                  keep it running, and send it reviews with curl
  npm run -s skill-admission -- --help       verify, apply, sign and package on your own skills
  docs/cluster.md                            beside a real cluster
  docs/reasons.md                            every reason code, and what to do`);
  }
} finally {
  await stop();
}
