import { defined } from "../../text/fields.ts";
import { isGitPath } from "../../signature/oms/ignore.ts";
import { verifySignature } from "../../signature/verify.ts";
import { skillFilePath } from "../../skill/skill-file.ts";
import { skillSize, treeDigest, type Skill } from "../../skill/skill.ts";
import { exitCode, UsageError, type CommandLine, type ExitCode } from "../command-line.ts";
import { PackageError, packConfigMaps, type PackedConfigMap } from "./config-maps.ts";
import { examplePod, podVolume } from "./pod-volume.ts";
import { packageJson, packageYaml, podSnippet } from "./write-package.ts";
import { readFolder } from "../files/read-folder.ts";
import { yamlDocument } from "../files/yaml-document.ts";

export interface PackageCommandOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly mountPath?: string;
  readonly output: "yaml" | "json";
  /** Image of an example pod, written with the ConfigMaps. */
  readonly withPod?: string;
  /** Writes only the pod's part: volume and mount. */
  readonly podSnippet?: boolean;
}

const noTrust = { version: "none", anchors: [], keys: [] };

/**
 * The skill without a repository's own files (`.git/` …), so that the mounted tree is the signed one. They stay where
 * the signature covers them.
 */
function signedTree(skill: Skill, now: number): { readonly skill: Skill; readonly left: readonly string[] } {
  const left = [...skill.files.keys()].filter((path) => isGitPath(path)).sort();
  if (left.length === 0) return { skill, left };
  const files = new Map([...skill.files].filter(([path]) => !isGitPath(path)));
  const signature = verifySignature({ ...skill, files }, noTrust, now);
  const differences = "differences" in signature ? (signature.differences ?? []) : [];
  const missed = new Set(differences.filter(({ change }) => change === "missing").map(({ path }) => path));
  if (left.some((path) => missed.has(path))) return { skill, left: [] };
  return { skill: { ...skill, files }, left };
}

/** A mount path must name exactly one place. */
function assertMountPath(path: string): void {
  const clean =
    path.startsWith("/") && !/\/\/|\/\.{1,2}(?:\/|$)|:|[\u0000-\u001f]/.test(path) && path !== "/";
  if (clean) return;
  throw new UsageError(
    `--mount-path ${JSON.stringify(path)} is not a clean absolute path`,
    `write it as /skills/NAME`,
  );
}

/** The API server would refuse the name, and YAML would carry it there. */
function assertNamespace(name: string | undefined): void {
  if (name === undefined || /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return;
  throw new UsageError(
    `--namespace ${JSON.stringify(name.slice(0, 100))} cannot be the name of a namespace`,
    `use at most 63 lower-case letters, digits and inner "-"`,
  );
}

/** The first three paths, with a mark where there are more. */
const firstOf = (paths: readonly string[]): string =>
  [...paths.slice(0, 3), ...(paths.length > 3 ? ["…"] : [])].join(", ");

/** Warnings for the author before the skill is mounted. */
function warnings(skill: Skill, now: number, packed: readonly PackedConfigMap[]): readonly string[] {
  const signature = verifySignature(skill, noTrust, now);
  const differences = "differences" in signature ? (signature.differences ?? []) : [];
  const large = packed.filter(({ serverSide }) => serverSide).map(({ manifest }) => manifest.metadata.name);
  const isSkill = skillFilePath(skill) !== undefined;
  return [
    ...(isSkill ? [] : ["there is no SKILL.md; name the folder of one skill"]),
    ...(signature.outcome === "unsigned"
      ? [
          "the skill is not signed; policies refuse it unless they say otherwise: skill-admission sign DIR --key FILE",
        ]
      : []),
    ...(differences.length > 0
      ? [
          `the files differ from what was signed (${firstOf(differences.map(({ path }) => path))}): sign again`,
        ]
      : []),
    ...(large.length > 0
      ? [`too large for kubectl's own copy, use kubectl apply --server-side -f -: ${large.join(", ")}`]
      : []),
  ];
}

function pack(skill: Skill, options: PackageCommandOptions): readonly PackedConfigMap[] {
  const { namespace } = options;
  try {
    return packConfigMaps(skill, {
      name: options.name ?? skill.name,
      ...defined({ namespace }),
    });
  } catch (cause) {
    if (cause instanceof PackageError) throw new UsageError(cause.message, undefined, { cause });
    throw cause;
  }
}

/**
 * `skill-admission package`: writes the ConfigMaps that carry the skill in a folder, and the volume that mounts them
 * as that tree.
 * @throws UsageError for a folder, name or file that cannot be packed
 */
export async function packageSkill(
  directory: string,
  options: PackageCommandOptions,
  line: CommandLine,
): Promise<ExitCode> {
  const whole = await readFolder(directory, line);
  const { skill, left } = signedTree(whole, line.now());
  const mountPath = options.mountPath ?? `/skills/${skill.name}`;
  assertMountPath(mountPath);
  assertNamespace(options.namespace);
  const packed = pack(skill, options);
  const volume = podVolume(packed, options.name ?? skill.name, mountPath);
  const { namespace, withPod } = options;
  const pod =
    withPod === undefined
      ? undefined
      : examplePod(volume, {
          name: options.name ?? skill.name,
          ...defined({ namespace }),
          image: withPod,
        });
  const note = (text: string): void => line.stderr.write(`${text}\n`);
  const size = Math.ceil(skillSize(skill) / 1024);
  note(
    `packed ${directory}: ${skill.files.size} files, ${size} KiB, ${packed.length} ConfigMap${packed.length === 1 ? "" : "s"}, ${treeDigest(skill)}`,
  );
  if (left.length > 0)
    note(
      `left out, because signatures do too: ${left.slice(0, 5).join(", ")}${left.length > 5 ? ", …" : ""}`,
    );
  for (const warning of warnings(skill, line.now(), packed)) note(`warning: ${warning}`);
  line.stdout.write(written(packed, volume, pod, options));
  return exitCode.pass;
}

function written(
  packed: readonly PackedConfigMap[],
  volume: ReturnType<typeof podVolume>,
  pod: object | undefined,
  { output, podSnippet: only }: PackageCommandOptions,
): string {
  if (only === true) {
    const snippet = podSnippet(volume);
    return output === "json" ? `${JSON.stringify(snippet, undefined, 2)}\n` : yamlDocument(snippet);
  }
  return output === "json" ? packageJson(packed, pod) : packageYaml(packed, volume, pod);
}
