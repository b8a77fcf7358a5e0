import type { FormatDescriptor } from "../format.ts";
import { vettFileNames } from "./manifest.ts";
import type { RegistryTrust } from "./registry.ts";
import { verifyVett } from "./verify.ts";

/** Signature by a Vett registry. Vett's client does not verify the folder after installing, so every file passes. */
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
