import { afterAll, beforeAll } from "vitest";
import { openCluster, type Cluster } from "./harness/cluster.ts";
import { writeFigures } from "./harness/figures.ts";
import { makeMaterial } from "./harness/material.ts";
import { installing } from "./scenarios/installing.ts";

/**
 * The product as it is shipped, inside of a real cluster: one cluster for all, since each part begins where the one
 * before has left it, as the life of an installation does.
 */
let opened: Cluster;
const cluster = (): Cluster => opened;
const material = makeMaterial();

beforeAll(async () => {
  opened = await openCluster();
}, 600_000);

afterAll(async () => {
  await opened.stop();
  await writeFigures();
}, 120_000);

installing(cluster, material);
