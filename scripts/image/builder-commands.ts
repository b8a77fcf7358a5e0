import { buildArguments, type Source } from "./build-arguments.ts";

export const builders = ["docker", "podman", "buildah"] as const;
export type Builder = (typeof builders)[number];

export interface ImageRequest {
  readonly builder: Builder;
  readonly source: Source;
  readonly reference: string;
  /** Folder with the Dockerfile. */
  readonly context: string;
  /** OCI archive to write. Absent: the image goes to the builder's own store. */
  readonly archive?: string;
  /** Allows layers of an earlier build; buildah and podman only reuse layers of the same time. */
  readonly cached?: boolean;
  /** More arguments of the Dockerfile, such as `BUILD_IMAGE`. */
  readonly more?: Readonly<Record<string, string>>;
  /** Options handed on to the builder: `--secret`, `--platform`, `--no-cache`. */
  readonly options?: readonly string[];
}

/**
 * Commands that build an image, each a list of arguments. All write the source's time into every layer, because a
 * layer's digest covers its times: buildah and podman by `--timestamp`, BuildKit by SOURCE_DATE_EPOCH and
 * `rewrite-timestamp`. A layer from the cache keeps its earlier time with buildah and podman; BuildKit rewrites it.
 */
export function builderCommands(request: ImageRequest): readonly (readonly string[])[] {
  const { builder, source, reference, context, archive, more = {}, options = [] } = request;
  const named = Object.entries({ ...buildArguments(source), ...more });
  const common = [...named.flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]), ...options];
  if (builder === "docker") {
    const output = `type=oci,dest=${archive ?? ""},name=${reference},rewrite-timestamp=true`;
    const target = archive === undefined ? ["--load"] : ["--output", output];
    // No attestation: it would record when the build ran, and no two images would be the same.
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
