import { defined } from "../../text/fields.ts";
import type { PackedConfigMap } from "./config-maps.ts";

/** Entries of `spec.volumes[]` and of a container's `volumeMounts[]` that mount a packed skill. */
export interface PodVolume {
  readonly volume: {
    readonly name: string;
    readonly projected: {
      readonly defaultMode: number;
      readonly sources: readonly {
        readonly configMap: {
          readonly name: string;
          readonly items: readonly { readonly key: string; readonly path: string; readonly mode?: number }[];
        };
      }[];
    };
  };
  readonly mount: { readonly name: string; readonly mountPath: string; readonly readOnly: true };
}

/** Modes 0444 and 0555: readable by all. JSON shows them in decimal. */
const readable = 0o444;
const runnable = 0o555;

/** DNS label of the volume (RFC 1123), from a name that may have other characters. */
function volumeName(name: string): string {
  const label = `skill-${name.toLowerCase().replace(/[^a-z0-9-]+/g, "-")}`;
  return label.slice(0, 63).replace(/-+$/, "");
}

/**
 * Projected volume that rebuilds the packed tree path by path, and its mount.
 * @param name of the skill, for the volume's name
 * @param mountPath absolute path of the skill's folder inside the container
 */
export function podVolume(packed: readonly PackedConfigMap[], name: string, mountPath: string): PodVolume {
  const label = volumeName(name);
  const sources = packed.map(({ manifest, files }) => ({
    configMap: {
      name: manifest.metadata.name,
      items: files.map(({ key, path, executable }) =>
        executable ? { key, path, mode: runnable } : { key, path },
      ),
    },
  }));
  return {
    volume: { name: label, projected: { defaultMode: readable, sources } },
    mount: { name: label, mountPath, readOnly: true },
  };
}

/** Complete pod around the volume, for a trial: it sleeps, unprivileged, with a read-only root file system. */
export function examplePod(
  { volume, mount }: PodVolume,
  options: {
    readonly name: string;
    readonly namespace?: string;
    readonly image: string;
    readonly container?: string;
  },
): Readonly<Record<string, unknown>> {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: options.name.slice(0, 63).replace(/[.-]+$/, ""),
      ...defined({ namespace: options.namespace }),
    },
    spec: {
      automountServiceAccountToken: false,
      containers: [
        {
          name: options.container ?? "agent",
          image: options.image,
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
          volumeMounts: [mount],
        },
      ],
      volumes: [volume],
    },
  };
}
