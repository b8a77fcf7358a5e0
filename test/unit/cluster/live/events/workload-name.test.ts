import { describe, expect, it } from "vitest";
import { workloadName } from "../../../../../src/cluster/live/events/workload-name.ts";

describe("workloadName", () => {
  it.each([
    ["web-5d4f9c7b8", "web"],
    ["web-5d4f9c7b8-x7k2p", "web"],
    ["etl-29384756", "etl"],
    ["build-x7k2p", "build"],
    ["run-0f3a9b1c", "run"],
    ["hello-world-x7k2p-1234567890", "hello-world"],
  ])("of %s is %s", (name, expected) => {
    expect(workloadName(name)).toBe(expected);
  });

  it.each(["web", "web-1", "etl-2026", "web-green", "web-api", "a-b", "x7k2p", ""])(
    "of %j is all of it",
    (name) => {
      expect(workloadName(name)).toBe(name);
    },
  );
});
