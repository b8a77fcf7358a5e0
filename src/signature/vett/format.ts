import type { FormatDescriptor } from "../format.ts";
import { vettFileNames } from "./manifest.ts";
import type { RegistryTrust } from "./registry.ts";
import { verifyVett } from "./verify.ts";

/** A registry's signature. Vett's client never looks at the folder again. */
export const vettFormat = {
  name: "vett",
  title: "Vett registry",
  file: vettFileNames.bundle,
  proved: [vettFileNames.manifest, vettFileNames.bundle],
  unsigned: [vettFileNames.analysis],
  isIn: ({ files }) => files.has(vettFileNames.bundle),
  verify: verifyVett,
  passesOver: () => true,
  byRegistry: true,
} as const satisfies FormatDescriptor<RegistryTrust>;
