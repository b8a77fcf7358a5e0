import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLicenseEntry, licenseAllowed, readLicense } from "../../../../src/card/license/license.ts";

describe("readLicense", () => {
  it.each([
    ["Apache-2.0", "Apache-2.0"],
    ["Apache 2.0", "Apache-2.0"],
    ["apache-2.0", "Apache-2.0"],
    ["The Apache License, Version 2.0", "Apache-2.0"],
    ["MIT License", "MIT"],
    ["BSD 3-Clause License", "BSD-3-Clause"],
    ["Apache 2.0 AND CC-BY-4.0", "Apache-2.0 AND CC-BY-4.0"],
    ["CC-BY-4.0 and Apache 2.0", "CC-BY-4.0 AND Apache-2.0"],
    ["Apache 2.0 OR MIT", "Apache-2.0 OR MIT"],
    ["(Apache 2.0 OR MIT) AND CC-BY-4.0", "(Apache-2.0 OR MIT) AND CC-BY-4.0"],
    ["GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"],
    ["LicenseRef-NVIDIA-Proprietary", "LicenseRef-NVIDIA-Proprietary"],
    ["  MIT ", "MIT"],
  ])("reads %s as %s", (raw, spdx) => {
    expect(readLicense(raw)).toEqual({ raw: raw.trim(), spdx });
  });

  it.each([
    "NVIDIA Proprietary",
    "not MIT at all",
    "MIT-like, but proprietary",
    "GPLv3 or something",
    "Apache 2.0 AND",
    "AND",
    "()",
    "",
    "!!!MIT",
    "MIT WITH Nonsense",
    "MIT, Apache-2.0",
    "MIT\nProprietary",
    "x".repeat(5_000),
    Array.from({ length: 60 }, (_, index) => `Unknown ${index}`).join(" OR "),
  ])("guesses nothing from %s", (raw) => {
    expect(readLicense(raw)).toEqual({ raw });
  });

  it("never throws, and what it reads can be read again", () => {
    const word = fc.constantFrom(
      "MIT",
      "Apache",
      "2.0",
      "AND",
      "OR",
      "WITH",
      "(",
      ")",
      "GPL-2.0+",
      "LicenseRef-a",
      "!",
      ":",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(word).map((words) => words.join(" ")),
        ),
        (raw) => {
          const { spdx } = readLicense(raw);
          if (spdx !== undefined) expect(readLicense(spdx).spdx).toBe(spdx);
        },
      ),
    );
  });
});

describe("licenseAllowed", () => {
  it.each([
    ["MIT", ["MIT"], true],
    ["MIT", ["Apache-2.0"], false],
    ["MIT", [], false],
    ["MIT OR GPL-3.0-only", ["MIT"], true],
    ["GPL-3.0-only OR MIT", ["MIT"], true],
    ["MIT AND GPL-3.0-only", ["MIT"], false],
    ["GPL-3.0-only AND MIT", ["MIT"], false],
    ["MIT AND GPL-3.0-only", ["MIT", "GPL-3.0-only"], true],
    ["MIT AND (Apache-2.0 OR GPL-3.0-only)", ["MIT", "Apache-2.0"], true],
    ["Apache-2.0 AND CC-BY-4.0", ["Apache 2.0", "CC-BY-4.0"], true],
    ["GPL-3.0-only", ["GPL-2.0-or-later"], true],
    ["GPL-1.0-only", ["GPL-2.0-or-later"], false],
    ["GPL-2.0-or-later", ["GPL-3.0-only"], true],
    ["GPL-3.0-or-later", ["GPL-2.0-only"], false],
    ["GPL-1.0-or-later", ["GPL-2.0-or-later"], true],
    ["GPL-2.0-only", ["GPL-2.0"], true],
    ["GPL-2.0+", ["GPL-2.0-or-later"], true],
    ["EUPL-1.1", ["EUPL-1.2"], false],
    ["AGPL-1.0", ["AGPL-3.0-or-later"], false],
    ["Apache-2.0", ["Apache-1.1+"], true],
    ["GPL-2.0-only WITH Classpath-exception-2.0", ["GPL-2.0-only"], false],
    ["GPL-2.0-only", ["GPL-2.0-only WITH Classpath-exception-2.0"], false],
    ["GPL-2.0-only WITH Classpath-exception-2.0", ["GPL-2.0-only WITH Classpath-exception-2.0"], true],
    ["LicenseRef-Acme-1.0", ["LicenseRef-Acme-1.0"], true],
    ["LicenseRef-Acme-2.0", ["LicenseRef-Acme-1.0"], false],
    ["LicenseRef-acme-1.0", ["LicenseRef-Acme-1.0"], false],
    ["LicenseRef-MIT", ["MIT"], false],
    ["MIT", ["MIT OR GPL-3.0-only"], false],
    ["MIT", ["nonsense"], false],
    ["nonsense", ["nonsense"], false],
  ])("decides %s against allow %j: %s", (spdx, allow, expected) => {
    expect(licenseAllowed(spdx, { allow })).toBe(expected);
  });

  it.each([
    ["MIT", ["GPL-3.0-only"], true],
    ["GPL-3.0-only", ["GPL-3.0-only"], false],
    ["MIT OR GPL-3.0-only", ["GPL-3.0-only"], true],
    ["MIT AND GPL-3.0-only", ["GPL-3.0-only"], false],
    ["GPL-3.0-only", ["GPL-2.0-or-later"], false],
    ["GPL-1.0-only", ["GPL-2.0-or-later"], true],
    ["GPL-2.0-only WITH Classpath-exception-2.0", ["GPL-2.0-only"], false],
    ["GPL-2.0-only", ["GPL-2.0-only WITH Classpath-exception-2.0"], true],
    ["MIT", ["nonsense"], false],
    ["nonsense", [], false],
  ])("decides %s against deny %j: %s", (spdx, deny, expected) => {
    expect(licenseAllowed(spdx, { deny })).toBe(expected);
  });

  it("lets a denial win over an allowance", () => {
    expect(licenseAllowed("MIT", { allow: ["MIT"], deny: ["MIT"] })).toBe(false);
    expect(licenseAllowed("MIT", {})).toBe(true);
  });

  it("is done at once with expressions that would explode when multiplied out", () => {
    const bomb = Array.from({ length: 40 }, () => "(MIT OR Apache-2.0)").join(" AND ");
    expect(licenseAllowed(bomb, { allow: ["Apache-2.0"] })).toBe(true);
    expect(licenseAllowed(bomb, { allow: ["ISC"] })).toBe(false);
    expect(licenseAllowed("(".repeat(2_000) + "MIT" + ")".repeat(2_000), { allow: ["MIT"] })).toBe(true);
    expect(licenseAllowed(`${"MIT AND ".repeat(600)}MIT`, { allow: ["MIT"] })).toBe(false);
  });
});

describe("isLicenseEntry", () => {
  it("knows what can be compared", () => {
    expect(isLicenseEntry("Apache 2.0")).toBe(true);
    expect(isLicenseEntry("GPL-2.0-only WITH Classpath-exception-2.0")).toBe(true);
    expect(isLicenseEntry("MIT OR ISC")).toBe(false);
    expect(isLicenseEntry("nonsense")).toBe(false);
  });
});
