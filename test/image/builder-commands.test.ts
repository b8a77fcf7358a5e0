import { describe, expect, it } from "vitest";

import { buildArguments } from "../../scripts/image/build-arguments.ts";
import { builderCommands, type ImageRequest } from "../../scripts/image/builder-commands.ts";

const source = { version: "1.2.3", revision: "0123abcd", epoch: 1_790_000_000 };
const request = (more: Partial<ImageRequest>): ImageRequest => ({
  builder: "buildah",
  source,
  reference: "registry.example/skill-admission:1",
  context: ".",
  ...more,
});

describe("buildArguments", () => {
  it("says version, commit and time, the time in both notations", () => {
    expect(buildArguments(source)).toEqual({
      VERSION: "1.2.3",
      SOURCE_REVISION: "0123abcd",
      SOURCE_DATE_EPOCH: "1790000000",
      CREATED: "2026-09-21T14:13:20Z",
    });
  });

  it("says the repository, where there is one", () => {
    const { SOURCE } = buildArguments({ ...source, repository: "https://git.example/skill-admission" });
    expect(SOURCE).toBe("https://git.example/skill-admission");
  });
});

describe("builderCommands", () => {
  it.each(["buildah", "podman"] as const)("fixes the time of every layer with %s", (builder) => {
    const [build = [], ...rest] = builderCommands(request({ builder }));
    expect(build.slice(0, 5)).toEqual(["build", "--layers", "--no-cache", "--timestamp", "1790000000"]);
    expect(build.slice(-3)).toEqual(["--tag", "registry.example/skill-admission:1", "."]);
    expect(rest).toEqual([]);
  });

  it("takes layers of an earlier build only when it is told that they are of the same time", () => {
    expect(builderCommands(request({}))[0]).toContain("--no-cache");
    expect(builderCommands(request({ cached: true }))[0]).not.toContain("--no-cache");
  });

  it("has BuildKit rewrite times, and leave out the attestation that would say when", () => {
    const [build = [], ...rest] = builderCommands(request({ builder: "docker", archive: "image.tar" }));
    expect(build).toContain("--provenance=false");
    expect(build).toContain("SOURCE_DATE_EPOCH=1790000000");
    expect(build).toContain(
      "type=oci,dest=image.tar,name=registry.example/skill-admission:1,rewrite-timestamp=true",
    );
    expect(rest).toEqual([]);
  });

  it("keeps the image in the builder's store, when no archive is asked for", () => {
    expect(builderCommands(request({ builder: "docker" }))[0]).toContain("--load");
  });

  it.each([
    ["buildah", ["push", "--quiet", "registry.example/skill-admission:1"]],
    ["podman", ["save", "--quiet", "--format", "oci-archive"]],
  ] as const)("writes an archive with %s", (builder, start) => {
    const [, save = []] = builderCommands(request({ builder, archive: "image.tar" }));
    expect(save.slice(0, start.length)).toEqual(start);
    expect(save.join(" ")).toContain("image.tar");
  });

  it("hands on more arguments and options", () => {
    const [build = []] = builderCommands(
      request({ more: { BUILD_IMAGE: "node:24@sha256:00" }, options: ["--platform", "linux/arm64"] }),
    );
    expect(build).toContain("BUILD_IMAGE=node:24@sha256:00");
    expect(build.join(" ")).toContain(" --platform linux/arm64 ");
  });
});
