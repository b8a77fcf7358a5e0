/** Linter's rules for the pure rooms: they compute from their arguments, without I/O, clock, chance or environment. */
import floors from "./house-floors.cjs";

/** Globals that only compute. Every other one that Node has is closed to pure rooms, also those of Node's versions to come. */
const computing = new Set(
  [
    "undefined Infinity NaN isFinite isNaN parseInt parseFloat Boolean Number BigInt String Symbol RegExp JSON Math Date",
    "Object Array Map Set WeakMap WeakSet Iterator Promise Proxy Reflect",
    "Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError",
    "ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array",
    "BigInt64Array BigUint64Array Float32Array Float64Array Buffer TextEncoder TextDecoder",
    "encodeURI encodeURIComponent decodeURI decodeURIComponent URL URLSearchParams structuredClone",
  ].flatMap((names) => names.split(" ")),
);
const ofModules = ["require", "module", "exports", "__dirname", "__filename"];
const closed = [...new Set([...Object.getOwnPropertyNames(globalThis), ...ofModules])].filter(
  (name) => !computing.has(name),
);

const globalsExcept = (...open) => [
  "error",
  ...closed
    .filter((name) => !open.includes(name))
    .map((name) => ({ name, message: "Pure rooms only compute: take it as an argument." })),
];

/** Names of node:crypto that hand out no random values. */
const cryptography = [
  "KeyObject",
  "X509Certificate",
  "createHash",
  "createPublicKey",
  "hash",
  "sign",
  "verify",
  "webcrypto",
];

const everyRoom = [
  {
    selector:
      'Identifier[name="Date"]:not(TSTypeReference > *)' +
      ':not(NewExpression[arguments.length=1][arguments.0.type!="SpreadElement"] > .callee)' +
      ":not(MemberExpression[computed=false][property.name=/^(?:UTC|parse)$/] > .object)",
    message: "Pure rooms read no clock: take the time as an argument.",
  },
  {
    selector:
      'Identifier[name="Math"]:not(MemberExpression[computed=false][property.name!="random"] > .object)',
    message: "Pure rooms use no random numbers: take them as an argument.",
  },
  {
    selector:
      'Identifier[name="webcrypto"]:not(ImportSpecifier[local.name="webcrypto"] > *)' +
      ':not(MemberExpression[property.name="digest"] > MemberExpression[property.name="subtle"] > .object)',
    message: "Pure rooms take digests only of webcrypto.",
  },
  {
    selector:
      "MemberExpression[property.name=/^(?:toLocale|localeCompare$|getTimezoneOffset$|[gs]et(?:Date|Day|FullYear|Hours|Minutes)$)/]",
    message: "The answer depends on the machine's language or time zone.",
  },
  {
    selector:
      ':matches(VariableDeclaration, TSDeclareFunction, ClassDeclaration, TSModuleDeclaration[id.type="Identifier"])[declare=true]',
    message: "A declared name is a global that the linter does not see.",
  },
  {
    selector: "ImportExpression",
    message: "Pure rooms import in a statement, which the law of the house can read.",
  },
];

const modulePath = {
  selector: 'MetaProperty[meta.name="import"]',
  message: "Pure rooms do not know where their files lie.",
};

/** The late loader makes one `require`, and calls it with names that the law of the house can read. */
const oneLoader = [
  {
    selector:
      'Identifier[name="createRequire"]:not(ImportSpecifier[local.name="createRequire"] > *)' +
      ':not(VariableDeclarator[id.name="require"] > CallExpression > .callee)',
    message: "One require, by that name.",
  },
  {
    selector:
      'Identifier[name="require"]:not(VariableDeclarator > .id):not(CallExpression[arguments.0.type="Literal"] > .callee)',
    message: "Call require with the name of a package.",
  },
];

/** The rules, beside the syntax that is closed to all code. */
export const pureCode = (closedSyntax) => [
  {
    files: floors.roomsOf(floors.pureFloors).map((room) => `src/${room}/**`),
    linterOptions: { noInlineConfig: true },
    rules: {
      "no-restricted-globals": globalsExcept(),
      "no-restricted-imports": [
        "error",
        {
          paths: ["crypto", "node:crypto"].map((name) => ({
            name,
            allowImportNames: cryptography,
            message: "Pure rooms import of node:crypto only what is listed in scripts/pure-code.js.",
          })),
        },
      ],
      "no-restricted-syntax": ["error", ...closedSyntax, ...everyRoom, modulePath],
    },
  },
  {
    files: ["src/evaluation/yield-to-event-loop.ts"],
    rules: { "no-restricted-globals": globalsExcept("setImmediate") },
  },
  {
    files: ["src/signature/sigstore/lazy-libraries.ts"],
    rules: { "no-restricted-syntax": ["error", ...closedSyntax, ...everyRoom, ...oneLoader] },
  },
];
