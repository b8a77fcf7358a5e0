import { beforeAll, describe, expect, it } from "vitest";
import { startedTrusted } from "../../../../src/compose/live/started-trusted.ts";
import { issuer } from "../../../../src/server/certificates/issuer.ts";
import type { KeyedCertificate } from "../../../../src/server/certificates/state.ts";

const span = { notBefore: Date.UTC(2026, 0, 1), notAfter: Date.UTC(2027, 0, 1) };

let [ours, other, leaf]: readonly (KeyedCertificate | undefined)[] = [];
beforeAll(async () => {
  ours = await issuer.authority(span);
  other = await issuer.authority(span);
  leaf = await issuer.leaf(ours, ["a.svc"], span);
});

const readinessWith = (bundle: () => string | undefined) =>
  startedTrusted(bundle, { current: () => ({ ...leaf!, notAfter: span.notAfter }) });

describe("startedTrusted", () => {
  it("is content where nothing is registered, or callers trust the certificate", () => {
    expect(readinessWith(() => "")()).toEqual([]);
    expect(readinessWith(() => other!.cert + ours!.cert)()).toEqual([]);
  });

  it("waits while nobody knows, and while callers trust another authority", () => {
    let bundle: string | undefined;
    const readiness = readinessWith(() => bundle);
    expect(readiness()).toEqual([expect.stringContaining("not known yet")]);
    bundle = other!.cert;
    expect(readiness()).toEqual([expect.stringContaining("another authority")]);
    bundle += ours!.cert;
    expect(readiness()).toEqual([]);
  });

  it("does not take a replica away that has been ready, whatever becomes of the registration", () => {
    let bundle = ours!.cert;
    const readiness = readinessWith(() => bundle);
    expect(readiness()).toEqual([]);
    for (bundle of [other!.cert, "garbled"]) expect(readiness()).toEqual([]);
  });
});
