import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPermissionManifest } from "../../../src/card/permission-manifest.ts";
import { readCard } from "../../../src/card/read-card.ts";
import { skillOf } from "./skill-of.ts";

const whole = "model: executable\nexecutes: true\nnetwork: none\nshell: false\nfilesystem_writes: false\n";
const read = (text: string | Uint8Array) => readPermissionManifest(skillOf({ "permissions.yaml": text }));
const faultsOf = (text: string | Uint8Array) =>
  read(text).faults.map(({ path, field, detail }) => `${path} ${field ?? ""}: ${detail}`);

describe("readPermissionManifest", () => {
  it("reads what a skill's files do when they are run", () => {
    expect(read(whole)).toEqual({
      manifest: { path: "permissions.yaml", model: "executable", permissions: ["executes"] },
      faults: [],
    });
    const all = whole.replace("none", "cosign, sometimes").replaceAll("false", "true");
    expect(read(all).manifest?.permissions).toEqual(["executes", "network", "shell", "filesystem:write"]);
    const knowledge = whole.replace("executable", "knowledge").replace("true", "false");
    expect(read(knowledge)).toEqual({
      manifest: { path: "permissions.yaml", model: "knowledge", permissions: [] },
      faults: [],
    });
  });

  it("is nothing where there is none", () => {
    expect(readPermissionManifest(skillOf({}))).toEqual({ faults: [] });
    expect(readPermissionManifest(skillOf({ "docs/permissions.yaml": whole }))).toEqual({ faults: [] });
  });

  it("claims what it does not know as SKILL.md's permissions are", () => {
    const more = "env: [HOME]\ntools: Read Bash(git:*)\nunsafe: false\n";
    expect(read(whole + more).manifest?.permissions).toEqual([
      "executes",
      "env:HOME",
      "tools:Read",
      "tools:Bash(git:*)",
    ]);
  });

  it("counts a permission that is misspelt", () => {
    const { manifest } = read("network: [a]\nshell: yes\nexecutes: 1\nfilesystem_writes: ~\n");
    expect(manifest?.permissions).toEqual(["executes", "network", "shell", "filesystem:write"]);
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ["a switch that is none", whole.replace("shell: false", "shell: no"), /shell: is neither true nor false/],
    ["a model of its own", whole.replace("executable", "pure"), /model: is neither executable nor knowledge/],
    ["a network that is no text", whole.replace("none", "[none]"), /network: is no text/],
    [
      "knowledge that runs",
      whole.replace("executable", "knowledge"),
      /model: says knowledge, and that the skill executes/,
    ],
    ["a list", "- shell\n", /not a YAML mapping/],
    ["nothing", "", /not a YAML mapping/],
    ["a key twice", `${whole}shell: true\n`, /line 6: the key "shell" stands twice/],
    ["an anchor", whole.replace("none", "&a none"), /anchor/],
    ["a tag", whole.replace("false", "!!bool false"), /tag/],
    ["a control character", `${whole}# \u0007\n`, /control character/],
    ["bytes that are not UTF-8", Uint8Array.of(0xff), /not UTF-8/],
    ["too much", `# ${"x".repeat(65_536)}\n${whole}`, /longer than 65536/],
  ])("finds fault with %s", (_what, text, fault) => {
    expect(faultsOf(text).join("\n")).toMatch(fault);
  });

  it("is no card, but its permissions are the card's too", () => {
    expect(readCard(skillOf({ "permissions.yaml": whole }))).toMatchObject({
      manifest: { permissions: ["executes"] },
      faults: [],
    });
    expect(readCard(skillOf({ "permissions.yaml": whole }))).not.toHaveProperty("card");
    const card = "## Owner\nAcme\n## Permissions\n- Read\n";
    expect(readCard(skillOf({ "permissions.yaml": whole, "skill-card.md": card })).card?.permissions).toEqual(
      ["Read", "executes"],
    );
  });

  it("never throws, whatever the bytes", () => {
    const unit = fc.constantFrom(
      "shell: ",
      "network: ",
      "true",
      "\n",
      "- ",
      "[",
      "]",
      "{",
      "}",
      "&a ",
      "*a ",
      ": ",
    );
    const content = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ unit, maxLength: 60 }));
    fc.assert(
      fc.property(content, (text) => {
        const reading = read(text);
        expect(JSON.parse(JSON.stringify(reading))).toEqual(reading);
      }),
    );
  });
});
