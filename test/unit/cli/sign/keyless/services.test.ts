import { describe, expect, it } from "vitest";
import { readServices } from "../../../../../src/cli/sign/keyless/services.ts";
import { serviceUrl } from "../../../../../src/cli/sign/keyless/service-url.ts";
import type { SignOptions } from "../../../../../src/cli/sign/sign.ts";
import { publicGoodRoot } from "../../../../../src/signature/sigstore/root/public-good-root.ts";
import { readTrustedRoot } from "../../../../../src/signature/sigstore/root/trusted-root.ts";

describe("readServices", () => {
  it("signs at the public instance, and checks by its root, where nothing is named", async () => {
    // As the command line hands its options over: with others beside them.
    const options: SignOptions = { keyless: true, format: "oms" };
    const { config, root, rootOption } = await readServices(options, 0);
    expect(config.caUrls.map(({ url }) => url)).toEqual(["https://fulcio.sigstore.dev"]);
    expect(config.rekorTlogUrls.map(({ url }) => url)).toEqual(["https://rekor.sigstore.dev"]);
    expect(config.tsaUrls).toEqual([]);
    expect(root?.fingerprint).toBe(readTrustedRoot(publicGoodRoot, []).fingerprint);
    expect(rootOption).toBe("");
  });

  it.each(["fulcioUrl", "rekorUrl", "tsaUrl"])("has no root for another instance's %s", async (option) => {
    const { root, rootOption } = await readServices({ [option]: "https://sigstore.example.com" }, 0);
    expect(root).toBeUndefined();
    expect(rootOption).toBe(" --trusted-root TRUSTED_ROOT_FILE");
  });
});

describe("serviceUrl", () => {
  it.each([
    ["https://fulcio.example.com", "https://fulcio.example.com"],
    ["https://example.com/fulcio/", "https://example.com/fulcio"],
    ["https://example.com:8443//", "https://example.com:8443"],
    ["http://localhost:5555", "http://localhost:5555"],
    ["http://127.0.0.1:5555/", "http://127.0.0.1:5555"],
    ["http://[::1]:5555", "http://[::1]:5555"],
  ])("takes %s", (text, url) => {
    expect(serviceUrl(text, "it")).toBe(url);
  });

  it.each([
    "",
    "fulcio.example.com",
    "http://fulcio.example.com",
    "http://localhost.example.com",
    "http://127.0.0.1.example.com",
    "file:///etc/passwd",
    "ftp://example.com",
    "https://user@example.com",
    "https://:secret@example.com",
    "https://example.com/?a=b",
    "https://example.com/#a",
    `https://example.com/${"a".repeat(2_000)}`,
  ])("refuses %s", (text) => {
    expect(() => serviceUrl(text, "it")).toThrow(/^it /);
  });
});
