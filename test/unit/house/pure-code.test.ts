import { ESLint } from "eslint";
import tseslint from "typescript-eslint";
import { describe, expect, it } from "vitest";

/** Without types, which the restrictions do not need: a text takes milliseconds then. */
const eslint = new ESLint({ overrideConfig: [tseslint.configs.disableTypeChecked] });
const restrictions = /^no-restricted-/;

/** Says which restrictions a text breaks as the content of a file. */
async function broken(text: string, filePath = "src/text/message-of.ts"): Promise<readonly string[]> {
  const [result] = await eslint.lintText(text, { filePath });
  expect(result!.fatalErrorCount).toBe(0);
  return result!.messages.map(({ ruleId }) => ruleId ?? "").filter((rule) => restrictions.test(rule));
}

const yielding = "src/evaluation/yield-to-event-loop.ts";
const loading = "src/signature/sigstore/lazy-libraries.ts";
const loader = (text: string) => `import { createRequire } from "node:module";\n${text}`;

describe("pure rooms", () => {
  it.each([
    'await fetch("https://example.com");',
    "const ask = fetch;",
    "setTimeout(() => undefined, 1);",
    "setInterval(() => undefined, 1);",
    "setImmediate(() => undefined);",
    "queueMicrotask(() => undefined);",
    'new WebSocket("wss://example.com");',
    "navigator.hardwareConcurrency;",
    "process.env;",
    "global.process;",
    "globalThis.fetch;",
    "const { fetch: ask } = globalThis;",
    "performance.now();",
    "crypto.randomUUID();",
    'console.log("");',
    "AbortSignal.timeout(1);",
    "new Intl.DateTimeFormat().format();",
    'require("node:fs");',
    'eval("");',
    "Atomics.wait(new Int32Array(1), 0, 0, 1);",
  ])("reach no global that does more than compute: %s", async (text) => {
    expect(await broken(text)).toContain("no-restricted-globals");
  });

  it.each([
    "Date.now();",
    'Date["now"]();',
    "const { now } = Date;",
    "const Clock = Date; new Clock();",
    "new Date();",
    "new Date(...[]);",
    "new Date(2026, 1, 1);",
    "Date();",
    "Reflect.construct(Date, []);",
    "Math.random();",
    'Math["random"]();',
    "const { random } = Math;",
    'import { webcrypto } from "node:crypto"; webcrypto.randomUUID();',
    'import { webcrypto } from "node:crypto"; const { subtle } = webcrypto;',
    'import { webcrypto as other } from "node:crypto"; other.randomUUID();',
    "new Date(0).getHours();",
    "new Date(0).toLocaleString();",
    '"a".localeCompare("b");',
    "declare const fetch: () => void; fetch();",
    "declare function fetch(): void; fetch();",
    "declare namespace process { const env: object } process.env;",
    "declare global { var a: number }",
    'await import("node:fs");',
    "import.meta.url;",
  ])("read no clock, chance or place: %s", async (text) => {
    expect(await broken(text)).toContain("no-restricted-syntax");
  });

  it.each([
    'import { randomUUID } from "node:crypto";',
    'import { randomBytes as bytes } from "crypto";',
    'import * as everything from "node:crypto";',
    'import everything from "node:crypto";',
    'export { randomUUID } from "node:crypto";',
  ])("import only the cryptography that gives no random values: %s", async (text) => {
    expect(await broken(text)).toEqual(["no-restricted-imports"]);
  });

  it.each([
    "// eslint-disable-next-line no-restricted-globals\nsetImmediate(() => undefined);",
    "/* eslint no-restricted-globals: off */\nsetImmediate(() => undefined);",
  ])("cannot lift the rules by a comment: %s", async (text) => {
    expect(await broken(text)).toContain("no-restricted-globals");
  });

  it.each([
    'import { createHash, hash, verify, type KeyObject } from "node:crypto";',
    'import { webcrypto } from "node:crypto"; webcrypto.subtle.digest("SHA-256", new Uint8Array());',
    "new Date(0).toISOString();",
    "const date = (text: string): Date => new Date(Date.parse(text) + Date.UTC(2026));",
    "Math.max(1, 2);",
    "const wait = (signal: AbortSignal): boolean => signal.aborted;",
    'Buffer.from(new TextDecoder().decode(new Uint8Array()) + new URL("a:b").href);',
    "const fetch = (): number => 1; fetch();",
  ])("compute: %s", async (text) => {
    expect(await broken(text)).toEqual([]);
  });
});

describe("exceptions of the pure rooms", () => {
  it.each([
    [yielding, "setImmediate(() => undefined);"],
    [loading, loader('const require = createRequire(import.meta.url); require("re2js");')],
    ["src/server/app.ts", "await fetch(`${Date.now()}`);"],
  ])("%s may: %s", async (file, text) => {
    expect(await broken(text, file)).toEqual([]);
  });

  it.each([
    [yielding, "setTimeout(() => undefined, 1);"],
    [yielding, "Date.now();"],
    [loading, loader("const require = createRequire(import.meta.url); require(name);")],
    [loading, loader("const require = createRequire(import.meta.url); const load = require;")],
    [loading, loader('createRequire(import.meta.url)("node:fs");')],
    [loading, loader("const load = createRequire(import.meta.url);")],
    [
      loading,
      'import { createRequire as other } from "node:module"; const require = other(import.meta.url);',
    ],
    [loading, "Date.now();"],
    [loading, 'fetch("https://example.com");'],
  ])("%s may not: %s", async (file, text) => {
    expect(await broken(text, file)).not.toEqual([]);
  });

  it("leave the process to three files", async () => {
    expect(await broken("process.env;", "src/environment.ts")).toEqual([]);
    expect(await broken("process.env;", "src/config.ts")).toEqual(["no-restricted-globals"]);
    expect(await broken("process.env;", "src/server/app.ts")).toEqual(["no-restricted-globals"]);
  });
});
