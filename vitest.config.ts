import { defineConfig } from "vitest/config";

interface Options {
  /** Milliseconds for one test; hooks have twice that. */
  readonly timeout: number;
  readonly globalSetup?: string[];
  readonly exclude?: string[];
  readonly folder?: string;
  /** One file at a time: they share one cluster, and some of them stop its API server. */
  readonly sequential?: boolean;
}

const project = (name: string, options: Options) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${options.folder ?? name}/**/*.test.ts`],
    exclude: options.exclude ?? [],
    testTimeout: options.timeout,
    hookTimeout: options.timeout * 2,
    globalSetup: options.globalSetup ?? [],
    fileParallelism: options.sequential !== true,
  },
});

export default defineConfig({
  test: {
    projects: [
      project("unit", { timeout: 20_000 }),
      project("integration", { timeout: 60_000 }),
      project("cluster", {
        timeout: 60_000,
        globalSetup: ["test/cluster/harness/global-setup.ts"],
        exclude: ["test/cluster/kubelet/**"],
        sequential: true,
      }),
      project("kubelet", { timeout: 120_000, folder: "cluster/kubelet", sequential: true }),
    ],
    coverage: {
      provider: "v8",
      include: [
        "src/{skill,workload,signature,card,evidence,policy,admission,audit}/**/*.ts",
        "src/assess.ts",
      ],
      thresholds: { lines: 95, statements: 95, functions: 95, branches: 90 },
      reporter: ["text-summary", "json-summary"],
    },
  },
});
