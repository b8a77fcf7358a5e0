import { resolveNothing } from "../../../policy/trust/reference.ts";
import type { MirrorSource } from "../../cluster.ts";
import type { References } from "./policy-state.ts";
import type { ReferencedObjects } from "./referenced-objects.ts";

/** References of trust roots: objects of the cluster, and mirrors if there are any. */
export const referencesOf = (objects: ReferencedObjects, mirrors: MirrorSource | undefined): References => ({
  follow: (references) => {
    objects.follow(references);
    mirrors?.follow(references);
  },
  read: (reference) =>
    reference.kind === "TUF"
      ? (mirrors?.read(reference) ?? resolveNothing(reference))
      : objects.read(reference),
  pending: () => objects.pending() || mirrors?.pending() === true,
});
