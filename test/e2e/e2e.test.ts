import { afterAll, beforeAll, beforeEach, type RunnerTask } from "vitest";
import { openCluster, type Cluster } from "./harness/cluster.ts";
import { watchConnections, type ConnectionWatch } from "./harness/connections.ts";
import { writeFigures } from "./harness/figures.ts";
import { makeMaterial } from "./harness/material.ts";
import { disturbing } from "./scenarios/disturbing.ts";
import { failing } from "./scenarios/failing.ts";
import { installing } from "./scenarios/installing.ts";
import { lasting } from "./scenarios/lasting.ts";
import { neighbouring } from "./scenarios/neighbouring.ts";
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

/** Every test below, in whatever group, has come to a good end. */
const allPassed = (task: Readonly<RunnerTask>): boolean =>
  task.type === "test" ? task.result?.state === "pass" : task.tasks.every(allPassed);

/** What of this file was run; nothing where nothing could be. */
let run: readonly Readonly<RunnerTask>[] | undefined;

beforeEach(({ task }) => {
  run = task.file.tasks;
});

afterAll(async () => {
  await watching?.stop();
  await opened?.stop();
  // Figures of a run in which something failed or was left out would look like any others.
  if (run?.every(allPassed) === true) await writeFigures();
}, 120_000);

installing(cluster, material);
disturbing(cluster, material);
failing(cluster, material);
neighbouring(cluster, material);
upgrading(cluster, material);
lasting(cluster, material);
phoningNobody(cluster, () => watching);
typing(cluster);
