import { describe, expect, it } from "vitest";
import type { NamedReference } from "../../../src/policy/trust/reference.ts";
import { refusals } from "../../../src/tuf/no-mirrors.ts";

const from = (name: string, mirror: string): NamedReference => ({
  name,
  reference: { kind: "TUF", mirror, root: "{}", target: "trusted_root.json" },
});
const object: NamedReference = { name: "r/o", reference: { kind: "ConfigMap", name: "roots", key: "k" } };

describe("refusals", () => {
  it("names the entry, the mirror and the setting, once for as long as it is referred to", () => {
    const told: string[] = [];
    const tell = refusals(["https://known.example/"], (message) => told.push(message));
    const all = [from("r/a", "https://known.example"), from("r/b", "https://other.example"), object];
    tell(all);
    tell(all);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^the SkillTrustRoot entry r\/b: https:\/\/other\.example .*trust\.tuf\.mirrors/);
    tell([]);
    tell(all);
    expect(told).toHaveLength(2);
  });

  it("tells nothing of mirrors that may be contacted, however their address is written", () => {
    const told: string[] = [];
    refusals(["https://KNOWN.example//"], (message) => told.push(message))([
      from("r/a", "https://known.example"),
    ]);
    expect(told).toEqual([]);
  });
});
