import { defined } from "../../text/fields.ts";
import { isGitPath } from "../../signature/oms/ignore.ts";
import { verifySignature } from "../../signature/verify.ts";
import { skillFilePath } from "../../skill/skill-file.ts";
import { skillSize, treeDigest, type Skill } from "../../skill/skill.ts";
import { exitCode, UsageError, type CommandLine, type ExitCode } from "../command-line.ts";
import { PackageError, packConfigMaps, type PackedConfigMap } from "./config-maps.ts";
import { deploymentPatch } from "./deployment-patch.ts";
import { componentFiles, writeComponent } from "./kustomize.ts";
import { examplePod, podVolume, type PodVolume } from "./pod-volume.ts";
import { assertOptions, type PackageCommandOptions } from "./package-options.ts";
import { packageJson, packageYaml, podSnippet } from "./write-package.ts";
import { readFolder } from "../files/read-folder.ts";
import { yamlDocument } from "../files/yaml-document.ts";

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
  assertOptions(options, mountPath);
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
          container: options.container,
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
  if (options.as === "kustomize" && options.to !== undefined) {
    const files = componentFiles(packed, volume, options);
    await writeComponent(options.to, files, directory);
    line.stdout.write(
      `wrote ${options.to}: ${[...files.keys()].join(", ")}\nname it under components: in your kustomization.yaml\n`,
    );
  } else line.stdout.write(written(packed, volume, pod, options));
  return exitCode.pass;
}

function written(
  packed: readonly PackedConfigMap[],
  volume: PodVolume,
  pod: object | undefined,
  { output, podSnippet: only, as, container }: PackageCommandOptions,
): string {
  if (only === true || as === "deployment-patch") {
    const part = as === undefined ? podSnippet(volume, container) : deploymentPatch(volume, container);
    return output === "json" ? `${JSON.stringify(part, undefined, 2)}\n` : yamlDocument(part);
  }
  return output === "json" ? packageJson(packed, pod) : packageYaml(packed, volume, { pod, container });
}
