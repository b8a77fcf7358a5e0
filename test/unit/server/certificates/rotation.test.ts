import { X509Certificate } from "node:crypto";

import { describe, expect, it } from "vitest";

import { issuer } from "../../../../src/server/certificates/issuer.ts";
import { carryOut, lifetimes, plan, type PlanInput } from "../../../../src/server/certificates/rotation.ts";
import {
  bundleOf,
  fromFiles,
  leafFits,
  toFiles,
  type CertificateState,
} from "../../../../src/server/certificates/state.ts";

const day = 86_400_000;
const start = Date.UTC(2026, 0, 1);
const names = ["skill-admission.skills.svc", "skill-admission.skills.svc.cluster.local", "127.0.0.1"];
const at = (now: number, more: Partial<PlanInput> = {}): PlanInput => ({
  names,
  now,
  published: true,
  ...more,
});

/** Takes all steps that are due. */
async function settle(
  from: CertificateState | undefined,
  input: PlanInput,
): Promise<{ state: CertificateState; steps: string[]; until: number }> {
  let state = from;
  const steps: string[] = [];
  for (let round = 0; round < 8; round += 1) {
    const step = plan(state, input);
    if (step.kind === "keep") return { state: state!, steps, until: step.until };
    steps.push(step.kind);
    state = await carryOut(step.kind, state, issuer, input);
  }
  throw new Error(`does not settle: ${steps.join(" ")}`);
}

const certificates = (bundle: string): X509Certificate[] =>
  (bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (pem) => new X509Certificate(pem),
  );

/** True if a caller that trusts this bundle would accept this leaf at that time. */
const trusts = (bundle: string, leaf: string, now: number): boolean => {
  const certificate = new X509Certificate(leaf);
  return (
    certificate.validFromDate.getTime() <= now &&
    now <= certificate.validToDate.getTime() &&
    certificates(bundle).some(
      (authority) =>
        authority.ca &&
        certificate.checkIssued(authority) &&
        certificate.verify(authority.publicKey) &&
        now <= authority.validToDate.getTime(),
    )
  );
};

describe("plan", () => {
  it("creates an authority and a leaf for all names, where there is nothing", async () => {
    const { state, steps, until } = await settle(undefined, at(start));
    expect(steps).toEqual(["create"]);
    const leaf = new X509Certificate(state.leaf.cert);
    expect(leaf.subjectAltName).toBe(
      "DNS:skill-admission.skills.svc, DNS:skill-admission.skills.svc.cluster.local, IP Address:127.0.0.1",
    );
    expect(leaf.ca).toBe(false);
    expect(leaf.validToDate.getTime()).toBe(start + lifetimes.leaf);
    expect(new X509Certificate(state.issuing.cert).validToDate.getTime()).toBe(start + lifetimes.authority);
    expect(trusts(bundleOf(state), state.leaf.cert, start)).toBe(true);
    expect(until).toBeGreaterThan(start + 19 * day);
    expect(until).toBeLessThan(start + 20 * day);
  });

  it("keeps what it has, until two thirds of the leaf's life, and then reissues only the leaf", async () => {
    const first = await settle(undefined, at(start));
    expect(plan(first.state, at(first.until - 1000)).kind).toBe("keep");
    const second = await settle(first.state, at(first.until));
    expect(second.steps).toEqual(["reissue"]);
    expect(second.state.issuing).toEqual(first.state.issuing);
    expect(second.state.leaf.key).not.toBe(first.state.leaf.key);
  });

  it("reissues the leaf, when a name is missing from it or it comes from another authority", async () => {
    const { state } = await settle(undefined, at(start));
    expect(plan(state, at(start, { names: [...names, "other.example"] })).kind).toBe("reissue");
    expect(plan(state, at(start, { names: ["10.0.0.1"] })).kind).toBe("reissue");
    const other = await settle(undefined, at(start));
    expect(plan({ ...state, leaf: other.state.leaf }, at(start)).kind).toBe("reissue");
    expect(leafFits(other.state.leaf.cert, state.issuing.cert, names)).toBe(false);
  });

  it("announces the next authority a day before its first leaf", async () => {
    const { state } = await settle(undefined, at(start));
    const due = start + 244 * day;
    const announced = await settle(state, at(due));
    expect(announced.steps).toEqual(["announce", "reissue"]);
    expect(certificates(bundleOf(announced.state))).toHaveLength(2);
    expect(leafFits(announced.state.leaf.cert, state.issuing.cert, names)).toBe(true);
    expect(announced.until).toBe(due + lifetimes.announcement);
    const promoted = await settle(announced.state, at(announced.until));
    expect(promoted.steps).toEqual(["promote"]);
    expect(promoted.state.issuing).toEqual(announced.state.next);
    expect(promoted.state.retired).toBe(state.issuing.cert);
    expect(JSON.stringify(promoted.state)).not.toContain(JSON.stringify(state.issuing.key));
  });

  it("waits with the promotion for the bundle to be published, though not to the very end", async () => {
    const { state } = await settle(undefined, at(start));
    const announced = await settle(state, at(start + 250 * day, { published: false }));
    const late = start + 300 * day;
    expect((await settle(announced.state, at(late, { published: false }))).steps).toEqual(["reissue"]);
    const last = start + lifetimes.authority - 3_600_000;
    expect(plan(announced.state, at(last - 1, { published: false })).kind).not.toBe("promote");
    expect(plan(announced.state, at(last, { published: false })).kind).toBe("promote");
  });

  it("announces for a minute at least, when it was late to begin", async () => {
    const { state } = await settle(undefined, at(start));
    const late = start + lifetimes.authority - 20 * 3_600_000;
    const announced = await settle(state, at(late));
    expect(announced.state.next).toBeDefined();
    expect(announced.state.issuing).toEqual(state.issuing);
    const after = late + lifetimes.shortAnnouncement;
    expect((await settle(announced.state, at(after - 1))).steps).toEqual([]);
    expect((await settle(announced.state, at(after, { published: false }))).steps).toEqual([]);
    expect((await settle(announced.state, at(after))).steps).toEqual(["promote"]);
  });

  it("begins anew, when the authority expired while nobody was there, and promotes a valid successor", async () => {
    const { state } = await settle(undefined, at(start));
    const late = start + lifetimes.authority;
    expect(plan(state, at(late)).kind).toBe("create");
    const announced = await settle(state, at(start + 300 * day));
    const { state: after, steps } = await settle(announced.state, at(late + day));
    expect(steps).toEqual(["promote", "retire"]);
    expect(after.retired).toBeUndefined();
    expect(trusts(bundleOf(after), after.leaf.cert, late + day)).toBe(true);
  });

  it("begins anew, when the stored authority is from the future", async () => {
    const { state } = await settle(undefined, at(start));
    expect(plan(state, at(start - 2 * lifetimes.backdate)).kind).toBe("create");
  });

  it("never leaves a caller with a day-old bundle, or a replica with a day-old leaf, without trust in three years", async () => {
    let { state } = await settle(undefined, at(start));
    const seen = new Set<string>();
    for (let now = start; now < start + 3 * 365 * day; now += day / 2) {
      const before = state;
      ({ state } = await settle(before, at(now)));
      expect(trusts(bundleOf(before), state.leaf.cert, now), `old bundle, new leaf, ${now}`).toBe(true);
      expect(trusts(bundleOf(state), before.leaf.cert, now), `new bundle, old leaf, ${now}`).toBe(true);
      expect(certificates(bundleOf(state)).length).toBeLessThanOrEqual(3);
      seen.add(state.issuing.cert);
    }
    expect(seen.size).toBe(5);
  });
});

describe("fromFiles", () => {
  it("reads what toFiles wrote", async () => {
    const { state } = await settle(undefined, at(start));
    const announced = await settle(state, at(start + 250 * day));
    const promoted = await settle(announced.state, at(start + 252 * day));
    for (const some of [state, announced.state, promoted.state])
      expect(fromFiles(toFiles(some))).toEqual(some);
  });

  it("refuses a state that lacks a file, or with a garbled one, or with a key of another certificate", async () => {
    const { state } = await settle(undefined, at(start));
    const files = toFiles(state);
    for (const name of Object.keys(files)) {
      const rest = Object.entries(files).filter(([key]) => key !== name);
      expect(fromFiles(Object.fromEntries(rest)), name).toBeUndefined();
      expect(fromFiles({ ...files, [name]: "garbled" }), name).toBeUndefined();
      expect(fromFiles({ ...files, [name]: files[name]! + " ".repeat(20_000) }), name).toBeUndefined();
    }
    expect(fromFiles({ ...files, "tls.key": files["ca.key"]! })).toBeUndefined();
    expect(fromFiles({ ...files, "ca.crt": files["tls.crt"]!, "ca.key": files["tls.key"]! })).toBeUndefined();
    expect(fromFiles({})).toBeUndefined();
  });

  it("leaves out a successor that cannot be used", async () => {
    const { state } = await settle(undefined, at(start));
    const files = { ...toFiles(state), "ca-next.crt": state.issuing.cert, "ca-next.key": state.leaf.key };
    expect(fromFiles(files)).toEqual(state);
    expect(fromFiles({ ...toFiles(state), "ca-retired.crt": "garbled" })).toEqual(state);
  });
});
