import { describe, expect, it } from "vitest";
import { ApiError } from "../../../../../src/cluster/live/api/client.ts";
import { readVersion } from "../../../../../src/cluster/live/api/version-source.ts";
import { scriptedClient } from "../live-fakes.ts";

const ref = { kind: "ConfigMap", namespace: "payments", name: "skills" } as const;
const signal = new AbortController().signal;

describe("readVersion", () => {
  it("asks for one name as it was at that version", async () => {
    const metadata = { name: "skills", uid: "u", resourceVersion: "41" };
    const client = scriptedClient(() => ({ items: [{ metadata, data: { "SKILL.md": "x" } }] }));
    const object = await readVersion(client, ref, "41", signal);
    expect(object?.identity).toBe("u/41");
    expect([...object!.files.keys()]).toEqual(["SKILL.md"]);
    expect(client.asked.map(({ path }) => path)).toEqual([
      "/api/v1/namespaces/payments/configmaps?fieldSelector=metadata.name%3Dskills&resourceVersion=41&resourceVersionMatch=Exact",
    ]);
  });

  it("finds none where there was none", async () => {
    expect(
      await readVersion(
        scriptedClient(() => ({ items: [] })),
        ref,
        "41",
        signal,
      ),
    ).toBeUndefined();
  });

  it("fails where the API server does not have it any more, or it is too large", async () => {
    const gone = scriptedClient(() => new ApiError(410, "too old", { reason: "Expired" }));
    await expect(readVersion(gone, ref, "41", signal)).rejects.toMatchObject({
      code: "SOURCE_UNAVAILABLE",
      message: expect.stringContaining("ConfigMap payments/skills at version 41 could not be read") as string,
    });
    const large = scriptedClient(() => new ApiError(0, "many", { reason: "TooManyValues" }));
    await expect(readVersion(large, ref, "41", signal)).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  });
});
