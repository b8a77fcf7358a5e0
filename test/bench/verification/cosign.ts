import { createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import type { FetchedManifest } from "../../../src/signature/cosign/manifest.ts";
import { verifyCosign } from "../../../src/signature/cosign/verify.ts";
import { readTrustedRoot } from "../../../src/signature/sigstore/root/trusted-root.ts";
import type { TrustMaterial } from "../../../src/signature/trust-material.ts";
import { trustOf } from "../../fixtures/certificates.ts";
import {
  imageOf,
  keyAnnotations,
  keyBundle,
  keylessAnnotations,
  manifestOf,
  referrer,
  signStatement,
  simpleLayer,
  simplePayload,
} from "../../fixtures/cosign.ts";
import { testSigstore } from "../../fixtures/sigstore.ts";
import { median, spread } from "../statistics.ts";
import { figure, time, type Table } from "../table.ts";
import { ratio, rounds, timed } from "./timing.ts";

const image = imageOf("a made image");

/** What is timed, by its row; the first is the floor. */
type Work = Readonly<Record<string, () => void>>;

const must = (ok: boolean): void => {
  if (!ok) throw new Error("the image was to be signed");
};

const verified = (manifest: FetchedManifest, trust: TrustMaterial) => () =>
  must(verifyCosign(image, [manifest], trust, Date.now())[0].outcome === "signed");

async function workOf(): Promise<Work> {
  const sigstore = await testSigstore();
  const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const publicKey = createPublicKey(key);
  const payload = simplePayload(image);
  const signature = sign("sha256", payload, key);
  const byKey = trustOf({ keys: [publicKey] });
  const root = readTrustedRoot(JSON.stringify(sigstore.trustedRoot), ["bench/sigstore"]);
  const byIdentity = { ...trustOf({}), sigstore: [root] };
  const simple = (annotations: object) => manifestOf([simpleLayer(payload, annotations)]);
  const statement = signStatement(image);
  return {
    "floor: one ECDSA check on P-256": () => must(verify("sha256", payload, publicKey, signature)),
    "bundle, by key": verified(referrer(image, await keyBundle(statement, key)), byKey),
    "payload with annotations, by key": verified(simple(await keyAnnotations(payload, key)), byKey),
    "bundle, keyless (five checks)": verified(referrer(image, await sigstore.sign(statement)), byIdentity),
    "payload with annotations, keyless (four checks)": verified(
      simple(await keylessAnnotations(sigstore, payload)),
      byIdentity,
    ),
  };
}

/** One signature of an image by cosign beside one check of a signature. */
export async function cosignTable(progress: (text: string) => void): Promise<Table> {
  progress("verification: cosign's signatures of images");
  const work = Object.entries(await workOf());
  const found = work.map(([what, run]) => ({ what, run, times: [] as number[] }));
  for (const { run } of found) for (let warm = 0; warm < 3; warm += 1) await timed(run);
  for (let round = 0; round < rounds; round += 1)
    for (const { run, times } of found) times.push(median(await timed(run)));
  const floor = found[0]?.times ?? [];
  return {
    columns: ["cosign", "Time", "Spread", "Ratio"],
    rows: found.map(({ what, times }) => [
      what,
      time(median(times)),
      `±${Math.round(spread(times) * 100)} %`,
      `${figure(ratio(times, floor))}×`,
    ]),
  };
}
