/**
 * The house from the ground up: a floor imports only floors below it, and chambers on one floor do not import each
 * other. `a/{b,c}` are single files of room a, `{b,c}` of src itself. A room with chambers below it means the files at
 * its door; every other room, all its files. A file of src that is on no floor is a fault.
 */
const pureFloors = [
  ["text"],
  ["skill"],
  ["kubernetes"],
  ["workload/pod"],
  ["workload/roots", "workload/carriers", "workload/changes"],
  ["workload"],
  ["signature/{signature-error,validity,key,ed25519,json-fields,compare,trusted-key}"],
  ["signature/x509"],
  ["signature/sigstore/{lazy-libraries,dsse,artifact}"],
  ["signature/sigstore/identity", "signature/sigstore/root"],
  ["signature/sigstore/log"],
  ["signature/sigstore"],
  ["signature/sigstore/artifact"],
  ["signature/{signature-evidence,format}"],
  ["signature/oms", "signature/guide", "signature/vett", "signature/trust-card", "signature/cosign"],
  ["signature"],
  ["card/license"],
  ["card/{fault-list,skill-card,text,permission,scan-report}"],
  ["card/markdown"],
  ["card"],
  ["evidence"],
  ["policy/{finding,policy,policy-error,reason,remedy}"],
  ["policy/resource/schema"],
  ["policy/resource"],
  ["policy/trust"],
  ["policy/rules"],
  ["policy"],
  ["policy/compile", "policy/changes"],
  ["evaluation"],
  ["admission/{decision,too-many-values}"],
  ["admission/{admission-request}"],
  ["admission/{decide,governing,self-check}"],
  ["admission/response"],
  ["admission/versions"],
  ["admission/reviews"],
  ["admission"],
  ["recheck"],
];

/** Adapters: each may import the pure rooms and its own chambers, but no other adapter. */
const adapterFloors = [
  ["sources"],
  ["tuf"],
  ["cluster"],
  ["cluster/offline", "cluster/live/api"],
  ["cluster/live/leader", "cluster/live/events"],
  ["cluster/live/status"],
  ["cluster/live/watch"],
  ["cluster/live/registration"],
  ["cluster/live"],
  ["server/certificates"],
  ["server"],
  ["telemetry"],
  ["cli/{command-line}"],
  ["cli/files"],
  ["cli/report"],
  ["cli/trust", "cli/sign", "cli/package", "cli/completion"],
  ["cli/apply"],
  ["cli/{verify,unregister,canary}"],
  ["cli/commands"],
  ["cli"],
];

/** Composition: the settings, the room that introduces adapters to each other, the process. No room imports from it. */
const compositionFloors = [
  ["{environment}", "{option-values}"],
  ["{serve-options}"],
  ["{config}"],
  ["compose"],
  ["{main}"],
];

const everyFloor = [...pureFloors, ...adapterFloors, ...compositionFloors];
const chambers = everyFloor.flat();
const roomOf = (chamber) => chamber.split("/")[0];
const roomsOf = (floors) => [...new Set(floors.flat().map(roomOf))];

/** Regular expression for the files of a chamber, over paths from the project's root. */
function filesOf(chamber) {
  const [, folder, names] = /^(.*?)\{(.*)\}$/.exec(chamber) ?? [undefined, `${chamber}/`];
  if (names !== undefined) return `^src/${folder}(?:${names.replaceAll(",", "|")})\\.ts$`;
  const inner = chambers.filter((other) => other.startsWith(folder));
  if (inner.length === 0) return `^src/${folder}`;
  const single = inner.flatMap((other) => /^.*\/\{(.*)\}$/.exec(other)?.[1]?.split(",") ?? []);
  const folders = inner.filter((other) => !other.includes("{")).map((other) => other.slice(folder.length));
  const others = [...single.map((name) => `${name}\\.ts$`), ...folders.map((name) => `${name}/`)];
  return `^src/${folder}(?!${others.join("|")})[^/]+$`;
}

module.exports = { pureFloors, adapterFloors, compositionFloors, filesOf, roomsOf };
