import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { patience } from "./test/fixtures/patience.ts";

/** Tests of published skills run where these are; test/unit/corpus.test.ts says so where they are not. */
const corpusTests = existsSync("../shared/corpus") ? [] : ["test/**/*.corpus.test.ts"];

interface Options {
  /** Milliseconds for one test; hooks have twice that. */
  readonly timeout: number;
  readonly globalSetup?: string[];
  readonly setupFiles?: string[];
  readonly exclude?: string[];
  readonly folder?: string;
  /** Projects of a lower number are done first: on a small machine they would only slow one another down. */
  readonly order: number;
  /** Files that run beside each other; 1 where they share one cluster, default as many as there are processors. */
  readonly workers?: number;
  /** Files share their worker and so their modules: none of them may change what another one imports. */
  readonly shared?: boolean;
}

/** Files that share one product one after the other, since every other file of their project ends it. */
class SharersLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ project, moduleId }: TestSpecification): number =>
      2 * project.config.sequence.groupOrder + (moduleId.includes("/cluster/admission/") ? 1 : 0);
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

const project = (name: string, options: Options) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${options.folder ?? name}/**/*.test.ts`],
    exclude: [...(options.exclude ?? []), ...corpusTests],
    testTimeout: options.timeout,
    hookTimeout: options.timeout * 2,
    globalSetup: options.globalSetup ?? [],
    setupFiles: options.setupFiles ?? [],
    expect: { poll: patience },
    // Vitest leaves one processor free, which on a machine with two halves the pace.
    maxWorkers: Math.min(options.workers ?? Infinity, availableParallelism()),
    // A worker of its own for each file would read the same modules dozens of times.
    isolate: options.workers === undefined && options.shared !== true,
    sequence: { groupOrder: options.order },
  },
});

export default defineConfig({
  test: {
    sequence: { sequencer: SharersLast },
    projects: [
      project("unit", {
        timeout: 60_000,
        order: 0,
        globalSetup: ["test/fixtures/property-seed.ts"],
        setupFiles: ["test/fixtures/property-runs.ts"],
        shared: true,
      }),
      project("integration", {
        timeout: 120_000,
        order: 1,
        globalSetup: ["test/fixtures/property-seed.ts"],
        shared: true,
      }),
      project("cluster", {
        timeout: 120_000,
        order: 2,
        globalSetup: ["test/cluster/harness/global-setup.ts"],
        setupFiles: ["test/cluster/harness/alone.ts"],
        exclude: ["test/cluster/kubelet/**"],
        // Each has a control plane to itself: some files stop its API server, and all have one registration.
        workers: 2,
      }),
      project("kubelet", {
        timeout: 300_000,
        order: 3,
        globalSetup: ["test/fixtures/property-seed.ts"],
        folder: "cluster/kubelet",
        // Its files share one node.
        workers: 1,
      }),
      project("image", { timeout: 900_000, order: 6, workers: 1 }),
      project("chart", {
        timeout: 120_000,
        order: 4,
        globalSetup: ["test/cluster/harness/global-setup.ts"],
        workers: 2,
      }),
      project("observability", {
        timeout: 180_000,
        order: 5,
        globalSetup: ["test/cluster/harness/global-setup.ts"],
        workers: 1,
      }),
      project("e2e", { timeout: 300_000, order: 9, workers: 1 }),
    ],
    coverage: {
      provider: "v8",
      include: [
        "src/{text,skill,kubernetes,workload,signature,card,evidence,policy,evaluation,admission,recheck}/**/*.ts",
      ],
      thresholds: { lines: 95, statements: 95, functions: 95, branches: 90 },
      reporter: ["text-summary", "json-summary"],
    },
  },
});
