import { supplyFrom } from "../policy/trust-object.ts";
import type { TrustSupply } from "../policy/trust-supply.ts";
import type { Manifest } from "./manifests.ts";

/** What references lead to among the files of a call; which namespace the controller has, nobody knows here. */
export const supplyOf =
  (manifests: readonly Manifest[]): TrustSupply =>
  (reference) => {
    if (reference.kind === "TUF") {
      return {
        fault: `${reference.mirror} is not asked by this command, which goes by what stands beside tuf`,
      };
    }
    const found = manifests.filter(
      ({ object }) =>
        object.apiVersion === "v1" &&
        object.kind === reference.kind &&
        (object.metadata as { readonly name?: unknown } | undefined)?.name === reference.name,
    );
    return supplyFrom(
      reference,
      found.map(({ object }) => object),
      undefined,
    );
  };
