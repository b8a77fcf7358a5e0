/** The law of the house: floors import floors below them, pure rooms do no I/O, adapters do not know each other. */
const {
  adapterFloors,
  compositionFloors,
  filesOf,
  pureFloors,
  roomsOf,
} = require("./scripts/house-floors.cjs");

const adapters = roomsOf(adapterFloors);
const pure = `^src/(?:${roomsOf(pureFloors).join("|")})/`;
const composition = compositionFloors.flat().map(filesOf);
const computingPackages =
  "(?:^|/)node_modules/(?:yaml|zod|lru-cache|@noble/(?:hashes|curves)|@peculiar/[^/]+|@sigstore/[^/]+|spdx-[^/]+|re2js)/";
const lateLoader = "^src/signature/sigstore/lazy-libraries\\.ts$";

/** No chamber imports one on a higher floor, nor another one on its own. */
const upwards = [pureFloors, adapterFloors, compositionFloors].flatMap((floors) =>
  floors.flatMap((floor, index) =>
    floor.flatMap((chamber) => {
      const closed = [...floors.slice(index + 1).flat(), ...floor.filter((other) => other !== chamber)];
      return closed.length === 0
        ? []
        : {
            name: `${chamber}-imports-upwards`,
            comment: "Floors stand in scripts/house-floors.cjs; why, in docs/architecture.md.",
            severity: "error",
            from: { path: filesOf(chamber) },
            to: { path: closed.map(filesOf) },
          };
    }),
  ),
);

const strangers = adapters.map((name) => ({
  name: `${name}-knows-no-other-adapter`,
  severity: "error",
  from: { path: `^src/${name}/` },
  to: { path: `^src/(?:${adapters.filter((other) => other !== name).join("|")})/` },
}));

const only = (module, home) => ({
  name: `only-${home}-imports-${module.replace(/\W/g, "-")}`,
  severity: "error",
  from: { path: "^src/", pathNot: `^src/${home}/` },
  to: { path: `(?:^|/)node_modules/${module}/` },
});

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-orphans",
      severity: "error",
      from: { orphan: true, path: "^src/", pathNot: "^src/main\\.ts$|\\.d\\.ts$" },
      to: {},
    },
    {
      name: "src-imports-only-src-and-packages",
      severity: "error",
      from: { path: "^src/" },
      to: { pathNot: ["^src/", "(?:^|/)node_modules/"], dependencyTypesNot: ["core"] },
    },
    {
      name: "pure-rooms-import-only-what-computes",
      comment:
        "Pure rooms, parsers and cryptography, and of Node only node:crypto; which names of it, scripts/pure-code.js says.",
      severity: "error",
      from: { path: pure, pathNot: lateLoader },
      to: { pathNot: [pure, computingPackages, "^(?:node:)?crypto$"] },
    },
    {
      name: "the-late-loader-only-loads",
      comment: "It may require Sigstore's libraries when they are first needed, and nothing else.",
      severity: "error",
      from: { path: lateLoader },
      to: { pathNot: [computingPackages, "^(?:node:)?module$"] },
    },
    {
      name: "rooms-import-no-composition",
      severity: "error",
      from: { path: "^src/", pathNot: composition },
      to: { path: composition },
    },
    {
      name: "no-development-dependencies-in-the-product",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"] },
    },
    { name: "everything-resolves", severity: "error", from: {}, to: { couldNotResolve: true } },
    only("@kubernetes/client-node", "cluster"),
    only("express", "server"),
    only("prom-client", "telemetry"),
    only("pino", "telemetry"),
    only("commander", "cli"),
    only("@sigstore/sign", "cli"),
    only("tuf-js", "tuf"),
    ...upwards,
    ...strangers,
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
