import { describe, expect, it } from "vitest";
import { writerOf } from "../../../src/kubernetes/writer.ts";

const by = (...managedFields: readonly unknown[]) => writerOf({ metadata: { managedFields } });
const at = (manager: string, hour: number, more: object = {}) => ({
  ...{ manager, operation: "Update", time: `2026-11-30T${hour}:00:00Z` },
  ...more,
});

describe("writerOf", () => {
  it("is the client that wrote last, whatever the order", () => {
    const last = { manager: "kubectl-edit", time: "2026-11-30T12:00:00Z" };
    expect(by(at("helm", 10), at("kubectl-edit", 12))).toEqual(last);
    expect(by(at("kubectl-edit", 12), at("helm", 10))).toEqual(last);
  });

  it("is none that wrote a status", () => {
    expect(by(at("helm", 10), at("controller", 12, { subresource: "status" }))?.manager).toBe("helm");
    expect(by(at("controller", 12, { subresource: "status" }))).toBeUndefined();
  });

  it("takes whatever stands there", () => {
    expect(writerOf({})).toBeUndefined();
    expect(writerOf({ metadata: { managedFields: "x" } })).toBeUndefined();
    expect(by(null, 7, {}, { manager: "" }, { manager: 7 })).toBeUndefined();
    expect(by({ manager: "x".repeat(5_000) })).toEqual({ manager: "x".repeat(128) });
  });
});
