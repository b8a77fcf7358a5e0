import { createHash } from "node:crypto";

import { Contrib, Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import parseExpression from "spdx-expression-parse";

import type { InstalledPackage, PackageManifest, Production } from "./installed-packages.ts";

const licences = new Contrib.License.Factories.LicenseFactory((text) => {
  parseExpression(text);
});

function licenceTexts({ license, licenses }: PackageManifest): readonly string[] {
  const one = typeof license === "string" ? license : license?.type;
  return one === undefined ? (licenses ?? []).map(({ type }) => type) : [one];
}

/** Package URL of an npm package (purl-spec, type npm: the scope is the namespace, its `@` percent-encoded). */
export const purlOf = ({ name, version }: PackageManifest): string =>
  `pkg:npm/${name.split("/").map(encodeURIComponent).join("/")}@${encodeURIComponent(version)}`;

/** CycloneDX's digest of a lock file's `integrity` (W3C Subresource Integrity). */
function digestOf(integrity: string | undefined): readonly (readonly [Enums.HashAlgorithm, string])[] {
  const found = /^sha512-([A-Za-z0-9+/]+=*)$/.exec(integrity ?? "");
  if (found?.[1] === undefined) return [];
  return [[Enums.HashAlgorithm["SHA-512"], Buffer.from(found[1], "base64").toString("hex")]];
}

function componentOf(
  type: Enums.ComponentType,
  manifest: PackageManifest,
  integrity: string | undefined,
): Models.Component {
  const scoped = manifest.name.startsWith("@");
  const [group, name = ""] = scoped ? manifest.name.split("/") : [undefined, manifest.name];
  const component = new Models.Component(type, name, {
    version: manifest.version,
    purl: purlOf(manifest),
    bomRef: purlOf(manifest),
    hashes: new Models.HashDictionary(digestOf(integrity)),
    ...(group === undefined ? {} : { group }),
    ...(manifest.description === undefined ? {} : { description: manifest.description }),
  });
  for (const text of licenceTexts(manifest)) {
    const licence = licences.makeFromString(text);
    licence.acknowledgement = Enums.LicenseAcknowledgement.Declared;
    component.licenses.add(licence);
  }
  return component;
}

/** Serial number derived from the contents alone (RFC 9562, 5.8: version 8 leaves the bits to the implementation). */
function serialNumberOf(contents: string): string {
  const hex = createHash("sha256").update(contents).digest("hex");
  const variant = "89ab"[parseInt(hex.charAt(16), 16) & 3] ?? "8";
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
  ];
  return `urn:uuid:${[...groups, hex.slice(20, 32)].join("-")}`;
}

export interface SbomInput {
  readonly production: Production;
  /** `integrity` of a package's archive by the package's path, from the lock file. */
  readonly integrity: (path: string) => string | undefined;
  /** Time of the build; absent where it is not given. */
  readonly timestamp?: Date;
}

/**
 * Bill of materials of the packages that run in production, CycloneDX 1.6 in JSON: the same input gives the same
 * bytes. A package that is installed in two places is one component.
 */
export function sbomOf({ production, integrity, timestamp }: SbomInput): string {
  const { project, packages, needs } = production;
  const root = componentOf(Enums.ComponentType.Application, project, undefined);
  const byRef = new Map<string, Models.Component>();
  const componentAt = ({ path, manifest }: InstalledPackage): Models.Component => {
    const known = byRef.get(purlOf(manifest));
    if (known !== undefined) return known;
    const made = componentOf(Enums.ComponentType.Library, manifest, integrity(path));
    byRef.set(purlOf(manifest), made);
    return made;
  };
  const byPath = new Map<string, Models.Component>([["", root]]);
  for (const each of packages) byPath.set(each.path, componentAt(each));
  for (const [path, needed] of needs) {
    for (const each of needed) {
      const dependency = byPath.get(each);
      if (dependency !== undefined) byPath.get(path)?.dependencies.add(dependency.bomRef);
    }
  }
  const bom = new Models.Bom({
    metadata: new Models.Metadata({ component: root, ...(timestamp === undefined ? {} : { timestamp }) }),
    components: new Models.ComponentRepository(byRef.values()),
  });
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  const write = (): string => serializer.serialize(bom, { sortLists: true, space: 2 });
  bom.serialNumber = serialNumberOf(write());
  return `${write()}\n`;
}
