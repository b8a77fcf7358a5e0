import { describe, expect, it } from "vitest";
import { bindingsBy } from "../../../../src/compose/live/registration.ts";
import { compileObjects } from "../../../fixtures/compile.ts";
import { clusterSkillPolicy } from "../../../fixtures/resources.ts";
import { publishers } from "../../policy/resource-cases.ts";

const by = (...specs: readonly object[]) =>
  bindingsBy(
    compileObjects(
      specs.map((spec, index) => clusterSkillPolicy(`p${index}`, { publishers, ...spec })),
      [],
    ),
  );

describe("bindingsBy", () => {
  it("asks about bindings only where a policy says so, and fails closed only where one of these enforces", () => {
    expect(by()).toBeUndefined();
    expect(by({}, { recheck: "Watch" })).toBeUndefined();
    expect(by({ recheck: "Binding" })).toBe("Fail");
    expect(by({ recheck: "Binding", mode: "Warn" }, { mode: "Enforce" })).toBe("Ignore");
    expect(by({ recheck: "Binding", mode: "Audit" })).toBe("Ignore");
    expect(by({ recheck: "Binding", mode: "Audit" }, { recheck: "Binding" })).toBe("Fail");
  });

  it("takes a policy that cannot be used at its word about bindings, and an unreadable word for yes", () => {
    expect(by({ publishers: [], recheck: "Watch" })).toBeUndefined();
    expect(by({ publishers: [] })).toBeUndefined();
    expect(by({ publishers: [], recheck: "Binding" })).toBe("Fail");
    expect(by({ recheck: "Sometimes" })).toBe("Fail");
  });
});
