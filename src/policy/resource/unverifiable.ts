import { z } from "zod";
import { podSourceKinds, type SourceKind } from "../../skill/reference.ts";
import { someMember } from "./schema/constraints.ts";
import { response } from "./schema/response.ts";

type PodSourceKind = Exclude<SourceKind, "Directory">;

/** One optional answer for each kind of source. */
const byKind = Object.fromEntries(
  podSourceKinds.map((kind) => [kind, response.exactOptional().describe(`The answer for ${kind} sources.`)]),
) as { readonly [kind in PodSourceKind]: z.ZodExactOptional<typeof response> };

const above = someMember(
  z.strictObject({
    default: response
      .exactOptional()
      .describe(
        "The answer for all other kinds of source. Left out: what `unverifiable` says of them; Warn at most above one agent's absolute root only.",
      ),
    ...byKind,
  }),
);

/** The section `unverifiable` of a policy. */
export const unverifiable = z.strictObject({
  default: response.default("Deny").describe("Response to all other kinds of source."),
  ...byKind,
  above: above
    .exactOptional()
    .describe(
      "Response to sources above a skill root: at a home, the working directory or above them, on the way to an agent's folder, and beside a skill. Left out: what `unverifiable` says of the kind; Warn at most above one agent's absolute root only, such as at `/opt`.",
    ),
  unknownHome: response
    .exactOptional()
    .describe(
      "Response to sources at places of no note in a container whose home is not known, for a Secret of `envFrom` may set it, or a mount covers `/etc/passwd`. Left out: Warn, unless `unverifiable` allows the kind.",
    ),
  hostRuntime: response
    .exactOptional()
    .describe(
      "Response to host paths that hold other pods' volumes or the runtime's state (`/`, the kubelet's folder, containerd, CRI-O, Docker), wherever they are mounted. Left out: what `unverifiable` says of HostPath where they are writable; Warn at most where they are read-only.",
    ),
});
