import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CommandLine } from "../../../../../src/cli/command-line.ts";
import { UsageError } from "../../../../../src/cli/command-line.ts";
import { readIdentityToken } from "../../../../../src/cli/sign/keyless/identity-token.ts";
import { tokenOf } from "../../../../fixtures/sigstore-server.ts";

const line = (over: Partial<CommandLine>): CommandLine =>
  ({ now: () => 1_000_000, ...over }) as unknown as CommandLine;
const read = (identityToken: string) => readIdentityToken(undefined, line({ identityToken }));

describe("readIdentityToken", () => {
  it("takes a token as it is, without the line break at its end", async () => {
    const token = tokenOf({ sub: "me", exp: 2_000 });
    expect(await read(`${token}\n`)).toBe(token);
  });

  it("takes one that ends later than now, and none that ends now", async () => {
    await expect(read(tokenOf({ exp: 1_001 }))).resolves.toMatch(/^ey/);
    await expect(read(tokenOf({ exp: 1_000 }))).rejects.toThrow("has expired");
  });

  it.each([
    ["two parts", "e30.e30"],
    ["four parts", "e30.e30.e30.e30"],
    ["another alphabet", "e30.e30+/.e30"],
    ["a payload that is no JSON", "e30.AAAA.e30"],
    ["a payload that is a list", `e30.${Buffer.from("[]").toString("base64url")}.e30`],
    ["a payload that says one thing twice", `e30.${Buffer.from('{"a":1,"a":2}').toString("base64url")}.e30`],
    ["too much of it", tokenOf({ sub: "a".repeat(32_768) })],
  ])("refuses a token with %s", async (_what, token) => {
    await expect(read(token)).rejects.toThrow("SIGSTORE_ID_TOKEN holds no OpenID Connect identity token");
  });

  it("never says what a text holds that is no token", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ minLength: 1 }), fc.json()), async (text) => {
        const error: unknown = await read(text).catch((cause: unknown) => cause);
        expect(error).toBeInstanceOf(UsageError);
        if (text.trim().length > 12) expect((error as UsageError).message).not.toContain(text.trim());
      }),
    );
  });
});
