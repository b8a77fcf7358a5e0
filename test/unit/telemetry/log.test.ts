import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createLog, type Log, type LogLevel } from "../../../src/telemetry/log.ts";
import type { Decision } from "../../../src/admission/decision.ts";
import type { Verdict } from "../../../src/policy/finding.ts";
import type { SignatureEvidence, Signer } from "../../../src/signature/signature-evidence.ts";
import { bypassed, decided, failed, finding, skillResult, trust, verdict } from "./decisions.ts";

type Line = Readonly<Record<string, unknown>>;

function capture(level: LogLevel = "debug"): { log: Log; lines: () => Line[]; text: () => string } {
  let text = "";
  const log = createLog(level, { write: (chunk: string) => (text += chunk) });
  const lines = (): Line[] =>
    text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  return { log, lines, text: () => text };
}

describe("log.decision", () => {
  it("writes one line with subject, policies, skills, digests, findings and duration", () => {
    const { log, lines } = capture();
    log.decision(decided([verdict()]), 12.34567, "10.0.0.7");
    expect(lines()).toEqual([
      {
        level: "info",
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
        msg: "review",
        decision: "deny",
        id: "7f3c1a9e",
        uid: "7f3c1a9e-0000-4000-8000-000000000000",
        kind: "Pod",
        resource: "pods",
        operation: "CREATE",
        namespace: "payments",
        name: "etl",
        user: "system:serviceaccount:payments:ci",
        client: "10.0.0.7",
        dryRun: false,
        durationMs: 12.346,
        trust,
        verdicts: [
          {
            policy: "payments",
            tenant: "payments",
            mode: "Enforce",
            outcome: "deny",
            skills: [
              {
                name: "data-designer",
                path: "/skills/data-designer",
                sources: ["ConfigMap skills-etl"],
                digest: `sha256:${"0".repeat(64)}`,
                signature: "tampered",
                format: "oms",
                signer: { kind: "key", publicKey: "0".repeat(64), names: ["team"] },
                findings: [
                  {
                    code: "DIGEST_MISMATCH",
                    message: "signed 3f8e44cb…, found 91ac02d7…",
                    path: "scripts/run.sh",
                  },
                ],
              },
            ],
          },
        ],
      },
    ]);
  });

  it("marks what a policy would have denied, and nothing that it denied, tolerates or takes", () => {
    const marked = (...verdicts: readonly Verdict[]): unknown => {
      const { log, lines } = capture();
      log.decision(decided(verdicts), 1, "10.0.0.7");
      return (lines()[0]?.["verdicts"] as readonly Line[]).map(({ wouldDeny }) => wouldDeny);
    };
    const tolerated = skillResult([finding({ tolerated: true })]);
    expect(
      marked(
        verdict({ mode: "Audit", outcome: "allow" }),
        verdict({ mode: "Warn", outcome: "warn" }),
        verdict({ mode: "Enforce", outcome: "warn" }),
        verdict(),
        verdict({ mode: "Audit", outcome: "allow", skills: [tolerated] }),
        verdict({ mode: "Audit", outcome: "allow", skills: [skillResult([])] }),
      ),
    ).toEqual([true, true, true, undefined, undefined, undefined]);
  });

  it("says why nothing was checked at level debug, and nothing of it at info", () => {
    const all = capture();
    all.log.decision(bypassed, 1, "10.0.0.7");
    expect(all.lines()).toMatchObject([{ level: "debug", decision: "allow", bypass: "no-skills" }]);
    const some = capture("info");
    some.log.decision(bypassed, 1, "10.0.0.7");
    expect(some.lines()).toEqual([]);
  });

  it("names at level info who sent a slow review, with nothing to check too", () => {
    const { log, lines } = capture("info");
    log.decision(bypassed, 999, "10.0.0.7");
    log.decision(bypassed, 1000, "10.0.0.7");
    log.decision(decided([verdict()]), 28_310.5, "10.0.0.8");
    log.decision(decided([verdict()]), 2, "10.0.0.9");
    expect(lines().map(({ client, slow }) => [client, slow])).toEqual([
      ["10.0.0.7", true],
      ["10.0.0.8", true],
      ["10.0.0.9", undefined],
    ]);
    expect(lines()[0]).toMatchObject({
      level: "info",
      bypass: "no-skills",
      user: "system:serviceaccount:payments:ci",
      kind: "Pod",
      namespace: "payments",
      name: "etl",
      durationMs: 1000,
    });
  });

  it("says what went wrong, with the causes", () => {
    const { log, lines } = capture();
    log.decision(failed(new Error("outer", { cause: new TypeError("inner") })), 1, "10.0.0.7");
    expect(lines()).toMatchObject([
      {
        level: "error",
        code: "INTERNAL",
        message: "an unexpected fault",
        error: { name: "Error", message: "outer", cause: { name: "TypeError", message: "inner" } },
      },
    ]);
  });

  it("counts what it leaves out of a long decision", () => {
    const findings = Array.from({ length: 1000 }, () => finding());
    const skills = Array.from({ length: 100 }, () => skillResult(findings));
    const { log, lines, text } = capture();
    log.decision(decided(Array.from({ length: 100 }, () => verdict({ skills }))), 1, "10.0.0.7");
    const [line] = lines() as {
      verdicts: { skills: { findings: unknown[]; findingsTotal: number }[]; skillsTotal: number }[];
      verdictsTotal: number;
      findingsLeftOut: number;
    }[];
    expect(line?.verdictsTotal).toBe(100);
    expect(line?.verdicts[0]?.skillsTotal).toBe(100);
    expect(line?.verdicts[0]?.skills[0]?.findingsTotal).toBe(1000);
    expect(line?.verdicts[0]?.skills[0]?.findings).toHaveLength(50);
    expect(line?.findingsLeftOut).toBe(100 * 100 * 1000 - 50);
    expect(text().length).toBeLessThan(30_000);
  });

  const recorded = (decision: Decision): Line => {
    const { log, lines } = capture();
    log.decision(decision, 1, "10.0.0.7");
    return lines()[0] ?? {};
  };

  it("counts every finding that it leaves out, and nothing where it has all", () => {
    const skills = (each: number) =>
      Array.from({ length: 12 }, () => skillResult(Array.from({ length: each }, () => finding())));
    expect(recorded(decided([verdict({ skills: skills(8) })]))["findingsLeftOut"]).toBe(46);
    expect(recorded(decided([verdict({ skills: skills(4) })]))).not.toHaveProperty("findingsLeftOut");
    const policies = Array.from({ length: 301 }, (_, index) => verdict({ policy: `p${index}` }));
    expect(recorded(decided(policies))).toMatchObject({ verdictsTotal: 301, findingsLeftOut: 281 });
  });

  it("has what denies before what is fine, where not all has room", () => {
    const fine = Array.from({ length: 30 }, (_, index) =>
      verdict({ policy: `fine-${index}`, outcome: "allow", skills: [skillResult([])] }),
    );
    const skills = [...Array.from({ length: 50 }, () => skillResult([])), skillResult([finding()], "bad")];
    const line = recorded(decided([...fine, verdict({ policy: "denies", skills })]));
    const [first] = line["verdicts"] as { policy: string; skills: Line[] }[];
    expect([first?.policy, first?.skills[0]?.["name"]]).toEqual(["denies", "bad"]);
    expect(line).not.toHaveProperty("findingsLeftOut");
  });

  it("names the version of each policy, and the owners of the object", () => {
    const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "etl-5d4f", uid: "u-1" };
    const owners = [owner, { ...owner, name: "second" }];
    const versioned = verdict({ generation: 7 });
    expect(recorded(decided([versioned], "deny", { owners }))).toMatchObject({
      owners,
      verdicts: [{ policy: "payments", generation: 7 }],
    });
    const many = Array.from({ length: 20 }, () => owner);
    const line = recorded(decided([versioned], "deny", { owners: many }));
    expect(line["owners"]).toHaveLength(8);
    expect(line["ownersTotal"]).toBe(20);
  });

  it.each<Signer>([
    { kind: "key", publicKey: "0123", names: ["ours/release"] },
    { kind: "certificate", subject: "CN=R", fingerprint: "ab", publicKey: "cd", attributes: {}, anchors: [] },
    {
      kind: "keyless",
      identity: "a@b",
      issuer: "i",
      fingerprint: "ab",
      publicKey: "cd",
      claims: {},
      roots: [],
    },
    {
      kind: "registry",
      hint: "h",
      publicKey: "45",
      names: [],
      registries: [],
      skill: { name: "s", hashes: [] },
    },
  ])("names a signer of kind $kind by its fingerprint", (signer) => {
    const signed = skillResult([]);
    const evidence = signed.evidence!;
    const signature = { ...evidence.signature, signer } as SignatureEvidence;
    const skills = [{ ...signed, evidence: { ...evidence, signature } }];
    const line = recorded(decided([verdict({ skills })])) as { verdicts: { skills: { signer: Line }[] }[] };
    const told = line.verdicts[0]?.skills[0]?.signer ?? {};
    expect(signer).toMatchObject(told);
    expect(Object.keys(told)).toEqual(expect.arrayContaining(["kind", "publicKey"]));
    expect("fingerprint" in told).toBe("fingerprint" in signer);
  });

  it("says when a signature was made, where that is proved", () => {
    const signed = skillResult([]);
    const evidence = signed.evidence!;
    const at = (signedAt: number) => {
      const signer = { kind: "registry", hint: "h", publicKey: "45", signedAt } as Signer;
      const signature = { ...evidence.signature, signer } as SignatureEvidence;
      return recorded(decided([verdict({ skills: [{ ...signed, evidence: { ...evidence, signature } }] })]));
    };
    expect(JSON.stringify(at(0))).toContain('"signedAt":"1970-01-01T00:00:00.000Z"');
    expect(JSON.stringify(at(1e300))).not.toContain("signedAt");
  });

  it("stays one bounded, printable line, whatever users choose", () => {
    const hostile = fc
      .string({ unit: "binary", maxLength: 200 })
      .map((text) => `${text}\n\u001b[31m\u202e${"x".repeat(5000)}`);
    fc.assert(
      fc.property(hostile, (text) => {
        const { log, lines, text: written } = capture();
        const about = { uid: text, kind: text, namespace: text, name: text, user: text };
        const skills = [skillResult([finding({ message: text, path: text })], text)];
        log.decision(
          decided([verdict({ policy: text, tenant: text, skills })], "deny", about),
          1,
          "10.0.0.7",
        );
        expect(lines()).toHaveLength(1);
        expect(written().slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f\u202e]/);
        expect(written().length).toBeLessThan(20_000);
      }),
    );
  });
});

describe("log.info", () => {
  it("writes message and fields, bounded in depth, length and number", () => {
    const { log, lines, text } = capture();
    const deep: Record<string, unknown> = {};
    deep["self"] = deep;
    log.info("started", {
      port: 8443,
      list: Array.from({ length: 1000 }, () => "y".repeat(1000)),
      deep,
      bytes: new Uint8Array(1000),
      absent: undefined,
      call: () => undefined,
    });
    expect(lines()).toMatchObject([{ level: "info", msg: "started", port: 8443, bytes: "1000 bytes" }]);
    expect(text().length).toBeLessThan(20_000);
  });

  it("keeps credentials out, even where an error carries them", () => {
    const { log, text } = capture();
    const secrets = [
      "Authorization: Bearer abcdefghijklmnop",
      "basic dXNlcjpwYXNzd29yZA==",
      "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
      "https://user:hunter22@registry.example/v2",
      "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----",
      "-----BEGIN EC PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49",
    ];
    for (const secret of secrets) {
      log.error(secret, {
        field: secret,
        nested: [{ secret }],
        error: new Error(secret, { cause: new Error(secret) }),
      });
    }
    for (const part of ["abcdefgh", "dXNlcjpw", "eyJzdWIi", "hunter22", "MIGHAgEA"]) {
      expect(text()).not.toContain(part);
    }
    expect(text()).toContain("https://user:[password]@registry.example/v2");
  });

  it("writes nothing below its level", () => {
    const { log, lines } = capture("warn");
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
    expect(lines().map(({ msg }) => msg)).toEqual(["c", "d"]);
  });
});
