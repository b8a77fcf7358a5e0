import { describe, expect, it } from "vitest";
import { ApiError, tooManyBytes } from "../../../../../src/cluster/live/api/client.ts";
import { pagesOf, type PagedList } from "../../../../../src/cluster/live/api/pages.ts";
import { scriptedClient } from "../live-fakes.ts";

const list: PagedList = { path: "/api/v1/pods", limit: 2 };
const tokenIn = (path: string): string => new URLSearchParams(path.split("?")[1]).get("continue") ?? "";
const page = (items: readonly string[], next?: string) => ({
  metadata: next === undefined ? {} : { continue: next },
  items: items.map((name) => ({ metadata: { name } })),
});
const expired = (continuation?: string) =>
  new ApiError(410, "too old", {
    reason: "Expired",
    ...(continuation === undefined ? {} : { continuation }),
  });

/** Names of all items, until the list ends or fails. */
async function names(client: ReturnType<typeof scriptedClient>, over: Partial<PagedList> = {}) {
  const found: unknown[] = [];
  for await (const { items } of pagesOf(client, { ...list, ...over }))
    found.push(...items.map(({ metadata }) => (metadata as { name: string }).name));
  return found;
}

describe("pagesOf", () => {
  it("requests a page when those before are dealt with, by the token of the last", async () => {
    const client = scriptedClient(({ path }) =>
      tokenIn(path) === "" ? page(["a", "b"], "t+1") : page(["c"]),
    );
    const pages = pagesOf(client, { ...list, fieldSelector: "metadata.name=x" });
    expect((await pages.next()).done).toBe(false);
    expect(client.asked.map(({ path }) => path)).toEqual([
      "/api/v1/pods?fieldSelector=metadata.name%3Dx&limit=2",
    ]);
    await pages.next();
    expect(tokenIn(client.asked[1]!.path)).toBe("t+1");
    expect((await pages.next()).done).toBe(true);
    expect(client.asked).toHaveLength(2);
  });

  it("asks for fewer objects where a page has too many bytes, and for one whatever it has", async () => {
    const limits: string[] = [];
    const client = scriptedClient(({ path, maxBytes }) => {
      const query = new URLSearchParams(path.split("?")[1]);
      limits.push(query.get("limit")!);
      if (maxBytes !== undefined) return new ApiError(0, "larger", { reason: tooManyBytes });
      return tokenIn(path) === "" ? page(["a"], "t") : page(["b"]);
    });
    expect(await names(client, { limit: 500 })).toEqual(["a", "b"]);
    expect(limits).toEqual(["500", "125", "31", "7", "1", "1"]);
    const never = scriptedClient(() => new ApiError(0, "larger", { reason: tooManyBytes }));
    await expect(names(never)).rejects.toThrow("larger");
  });

  it("takes an empty list, and one whose items are null, as Go writes it", async () => {
    expect(await names(scriptedClient(() => page([])))).toEqual([]);
    expect(await names(scriptedClient(() => ({ metadata: {}, items: null })))).toEqual([]);
  });

  it("refuses an answer that is no list", async () => {
    await expect(names(scriptedClient(() => ({ items: "none" })))).rejects.toThrow("the list has no items");
  });

  const expiring = (continuation?: string) =>
    scriptedClient(({ path }) => {
      if (tokenIn(path) === "") return page(["a"], "old");
      return tokenIn(path) === "old" ? expired(continuation) : page(["b"]);
    });

  it("ends where the version expires: a list of two moments would hide deletions", async () => {
    await expect(names(expiring("new"))).rejects.toMatchObject({ status: 410 });
  });

  it("goes on from there where the caller can do with two moments", async () => {
    expect(await names(expiring("new"), { acrossVersions: true })).toEqual(["a", "b"]);
  });

  it.each([undefined, "old"])(
    "does not go round in circles with the continuation %s",
    async (continuation) => {
      const reading = names(expiring(continuation), { acrossVersions: true });
      await expect(reading).rejects.toMatchObject({ status: 410 });
    },
  );

  it("stops by its caller's signal", async () => {
    const stop = new AbortController();
    stop.abort(new Error("enough"));
    const pages = pagesOf(
      scriptedClient(() => page([])),
      list,
      stop.signal,
    );
    await expect(pages.next()).rejects.toThrow("enough");
  });
});
