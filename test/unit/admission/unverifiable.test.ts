import { describe, expect, it } from "vitest";
import { podSourceKinds } from "../../../src/skill/reference.ts";
import { unreadableSources } from "../../fixtures/unreadable-sources.ts";
import { denial, namespace, policyObject, World } from "./world.ts";

type Part = Readonly<Record<string, unknown>>;

/** Writes the volume too, where only that makes it count. */
const writersOf = (type: Part): readonly Part[] =>
  "emptyDir" in type
    ? [{ name: "writer", image: "example.invalid/b", volumeMounts: [{ name: "v", mountPath: "/out" }] }]
    : [];

const podWith = (type: Part, mountPath: string): Part => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "etl", namespace },
  spec: {
    containers: [
      { name: "agent", image: "example.invalid/a", volumeMounts: [{ name: "v", mountPath }] },
      ...writersOf(type),
    ],
    volumes: [{ name: "v", ...type }],
  },
});

/** Reviews the pod under a policy with this `unverifiable` setting. */
const review = (pod: Part, unverifiable?: Part) =>
  new World().withPolicies(policyObject(unverifiable === undefined ? {} : { unverifiable })).review(pod);

const responseOf = ({ body }: Awaited<ReturnType<typeof review>>) =>
  (
    JSON.parse(body) as {
      readonly response: { readonly allowed: boolean; readonly warnings?: readonly string[] };
    }
  ).response;

it("is tried with each kind of source whose bytes cannot be read", () => {
  const kinds = new Set(Object.values(unreadableSources).map(({ kind }) => kind));
  // The bytes of ConfigMaps are read.
  expect([...kinds].sort()).toEqual(podSourceKinds.filter((kind) => kind !== "ConfigMap").sort());
});

describe.each(Object.entries(unreadableSources))(
  "skills from an unreadable source: %s",
  (_name, { kind, type }) => {
    it.each(["/skills", "/skills/x", "/opt/data/skills"])("are denied at %s", async (mountPath) => {
      const handled = await review(podWith(type, mountPath));
      const text = denial(handled);
      expect(text).toContain('policy "payments" denied Pod payments/etl: 1 place cannot be verified');
      expect(text).toContain("  SOURCE_UNVERIFIABLE ");
      expect(text).toContain("  fix: deliver the skill as immutable ConfigMaps (skill-admission package)");
      expect(handled.decision).toMatchObject({
        verdicts: [{ skills: [{ reference: { sources: [{ kind }] } }] }],
      });
    });

    it("pass with a warning, when the policy warns", async () => {
      const { allowed, warnings } = responseOf(await review(podWith(type, "/skills/x"), { default: "Warn" }));
      expect(allowed).toBe(true);
      expect(warnings?.join("\n")).toMatch(
        /^payments: \/skills\/x[^ ]*: SOURCE_UNVERIFIABLE .*; fix: deliver the skill as immutable ConfigMaps/,
      );
    });

    it("pass without a word, when the policy allows them", async () => {
      const handled = await review(podWith(type, "/skills/x"), { default: "Allow" });
      expect(responseOf(handled)).toMatchObject({ allowed: true });
      expect(responseOf(handled).warnings ?? []).toEqual([]);
      expect(handled.decision?.outcome).toBe("allow");
    });

    it("are no matter away from every skill root", async () => {
      const text = denial(await review(podWith(type, "/var/lib/data")));
      // A file named SKILL.md is a skill anywhere.
      if (kind === "DownwardAPI" || kind === "Projected") expect(text).toContain("SOURCE_UNVERIFIABLE");
      else expect(text).toBeUndefined();
    });
  },
);

/** Volumes whose files the pod does not name: mounted above a skill root, they could hold it. */
describe("a volume above a skill root", () => {
  const above = Object.entries(unreadableSources).filter(
    ([, { kind }]) => !["DownwardAPI", "Projected", "Secret"].includes(kind),
  );

  it.each(above)("is denied: %s at /home/agent and /root", async (_name, { type }) => {
    for (const path of ["/home/agent", "/root"])
      expect(denial(await review(podWith(type, path)))).toContain("  SOURCE_UNVERIFIABLE ");
  });

  it.each(above)(
    "passes with a warning above one agent's absolute root only: %s at /opt/data",
    async (_name, { type }) => {
      const { allowed, warnings } = responseOf(await review(podWith(type, "/opt/data")));
      expect(allowed).toBe(true);
      expect(warnings?.join("\n")).toContain("payments: /opt/data: SOURCE_UNVERIFIABLE ");
    },
  );
});

describe("a policy that answers by kind", () => {
  it.each([
    ["image volume", "warn"],
    ["host path", "deny"],
    ["emptyDir", "allow"],
  ])("%s: %s", async (name, outcome) => {
    const answers = { default: "Allow", Image: "Warn", HostPath: "Deny" };
    const { decision } = await review(podWith(unreadableSources[name]!.type, "/skills/x"), answers);
    expect(decision?.outcome).toBe(outcome);
  });
});
