import { afterAll, beforeAll, beforeEach } from "vitest";
import { openCluster, type Cluster } from "./harness/cluster.ts";
import { watchConnections, type ConnectionWatch } from "./harness/connections.ts";
import { writeFigures } from "./harness/figures.ts";
import { makeMaterial } from "./harness/material.ts";
import { disturbing } from "./scenarios/disturbing.ts";
import { failing } from "./scenarios/failing.ts";
import { installing } from "./scenarios/installing.ts";
import { lasting } from "./scenarios/lasting.ts";
import { phoningNobody } from "./scenarios/phoning-nobody.ts";
import { typing } from "./scenarios/typing.ts";
import { upgrading } from "./scenarios/upgrading.ts";

/**
 * The product as it is shipped, inside of a real cluster: one cluster for all, since each part begins where the one
 * before has left it, as the life of an installation does.
 */
let opened: Cluster | undefined;
let watching: ConnectionWatch | undefined;
const cluster = (): Cluster => opened!;
const material = makeMaterial();

beforeAll(async () => {
  opened = await openCluster();
  watching = watchConnections(opened);
}, 600_000);

let failures = 0;

beforeEach(({ onTestFailed }) => {
  onTestFailed(() => {
    failures += 1;
  });
});

afterAll(async () => {
  await watching?.stop();
  await opened?.stop();
  // Figures of a run in which something failed would look like any others.
  if (failures === 0) await writeFigures();
}, 120_000);

installing(cluster, material);
disturbing(cluster, material);
failing(cluster, material);
upgrading(cluster, material);
lasting(cluster, material);
phoningNobody(cluster, () => watching);
typing(cluster);
