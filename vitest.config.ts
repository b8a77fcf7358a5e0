import { defineConfig } from "vitest/config";

const project = (name: string, timeout: number, globalSetup: string[] = []) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeout,
    hookTimeout: timeout * 2,
    globalSetup,
  },
});

export default defineConfig({
  test: {
    projects: [project("unit", 20_000), project("integration", 60_000)],
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
