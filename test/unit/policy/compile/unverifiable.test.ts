import { describe, expect, it } from "vitest";
import { unverifiableBy } from "../../../../src/policy/compile/unverifiable.ts";
import { unverifiable } from "../../../../src/policy/resource/unverifiable.ts";
import type { PlaceRule, SourceKind } from "../../../../src/skill/reference.ts";

const answer = (section: object, rule: PlaceRule, kind: SourceKind = "HostPath") =>
  unverifiableBy(unverifiable.parse(section))(kind, rule);

describe("the answers of a policy to unreadable content", () => {
  it.each<[PlaceRule, deny: string, warn: string, allow: string]>([
    ["root", "Deny", "Warn", "Allow"],
    ["above", "Deny", "Warn", "Allow"],
    ["agentPrefix", "Warn", "Warn", "Allow"],
    ["unknownHome", "Warn", "Warn", "Allow"],
    ["hostRuntime", "Deny", "Warn", "Allow"],
    ["hostRuntimeReadOnly", "Warn", "Warn", "Allow"],
  ])("follow the kind where nothing is said of the place: %s", (rule, ...expected) => {
    for (const section of [(word: string) => ({ default: word }), (word: string) => ({ HostPath: word })])
      expect(["Deny", "Warn", "Allow"].map((word) => answer(section(word), rule))).toEqual(expected);
  });

  it("follow `above` above a root, by kind, then by its default, then by the kind itself", () => {
    for (const rule of ["above", "agentPrefix"] as const) {
      expect(answer({ above: { HostPath: "Allow", default: "Deny" } }, rule)).toBe("Allow");
      expect(answer({ above: { EmptyDir: "Allow", default: "Deny" } }, rule)).toBe("Deny");
      expect(answer({ HostPath: "Allow", above: { default: "Deny" } }, rule)).toBe("Deny");
      expect(answer({ HostPath: "Allow", above: { EmptyDir: "Deny" } }, rule)).toBe("Allow");
    }
    expect(answer({ above: { EmptyDir: "Allow" } }, "above")).toBe("Deny");
    expect(answer({ above: { EmptyDir: "Allow" } }, "agentPrefix")).toBe("Warn");
  });

  it("follow `unknownHome` and `hostRuntime` for these places", () => {
    for (const word of ["Deny", "Warn", "Allow"]) {
      expect(answer({ unknownHome: word, default: "Allow" }, "unknownHome")).toBe(word);
      for (const rule of ["hostRuntime", "hostRuntimeReadOnly"] as const)
        expect(answer({ hostRuntime: word, HostPath: "Allow" }, rule)).toBe(word);
    }
  });

  it("never pass from one place to another", () => {
    const open = { above: { default: "Allow" }, unknownHome: "Allow", hostRuntime: "Allow" };
    expect(answer(open, "root")).toBe("Deny");
    for (const own of ["above", "unknownHome", "hostRuntime"] as const) {
      const others = { ...open, [own]: own === "above" ? { default: "Deny" } : "Deny" };
      expect(answer(others, own)).toBe("Deny");
    }
  });

  it("are the default's on the command line, where a folder has no kind", () => {
    expect(answer({ default: "Warn", HostPath: "Allow" }, "root", "Directory")).toBe("Warn");
    expect(answer({ above: { default: "Allow" } }, "above", "Directory")).toBe("Allow");
  });
});
