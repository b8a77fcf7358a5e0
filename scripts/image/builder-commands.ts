import { buildArguments, type Source } from "./build-arguments.ts";

export const builders = ["docker", "podman", "buildah"] as const;
export type Builder = (typeof builders)[number];

export interface ImageRequest {
  readonly builder: Builder;
  readonly source: Source;
  readonly reference: string;
  /** Folder with the Dockerfile. */
  readonly context: string;
  /** Where to write the image as an OCI archive; it stays in the builder's own store where absent. */
  readonly archive?: string;
  /** May layers of an earlier build be used? With buildah and podman only where that one had the same time. */
  readonly cached?: boolean;
  /** More arguments of the Dockerfile, such as `BUILD_IMAGE`. */
  readonly more?: Readonly<Record<string, string>>;
  /** Handed on as they are: `--secret`, `--platform`, `--no-cache`. */
  readonly options?: readonly string[];
}

/**
 * Arguments of the builder, one list a call. All write the same times into every layer, the source's, since a layer's
 * digest covers them: buildah and podman by `--timestamp`, BuildKit by SOURCE_DATE_EPOCH and `rewrite-timestamp`. The
 * first two would keep the earlier time in a layer that they take from their cache, BuildKit rewrites those as well.
 */
export function builderCommands(request: ImageRequest): readonly (readonly string[])[] {
  const { builder, source, reference, context, archive, more = {}, options = [] } = request;
  const named = Object.entries({ ...buildArguments(source), ...more });
  const common = [...named.flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]), ...options];
  if (builder === "docker") {
    const output = `type=oci,dest=${archive ?? ""},name=${reference},rewrite-timestamp=true`;
    const target = archive === undefined ? ["--load"] : ["--output", output];
    // An attestation of the build says when it ran.
    return [["buildx", "build", "--provenance=false", ...common, "--tag", reference, ...target, context]];
  }
  const fresh = request.cached === true ? [] : ["--no-cache"];
  const times = ["--timestamp", String(source.epoch)];
  const build = ["build", "--layers", ...fresh, ...times, ...common, "--tag", reference, context];
  if (archive === undefined) return [build];
  return builder === "podman"
    ? [build, ["save", "--quiet", "--format", "oci-archive", "--output", archive, reference]]
    : [build, ["push", "--quiet", reference, `oci-archive:${archive}:${reference}`]];
}
