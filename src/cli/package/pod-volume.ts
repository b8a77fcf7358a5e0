import type { PackedConfigMap } from "./config-maps.ts";

/** What a pod needs in order to mount a packed skill: `spec.volumes[]` and a container's `volumeMounts[]`. */
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

/** Read by all; `0444` and `0555`, in decimal because JSON has no octal numbers. */
const readable = 0o444;
const runnable = 0o555;

/** A DNS label for the volume, from a name that may have more than that allows. */
function volumeName(name: string): string {
  const label = `skill-${name.toLowerCase().replace(/[^a-z0-9-]+/g, "-")}`;
  return label.slice(0, 63).replace(/-+$/, "");
}

/**
 * The projected volume that rebuilds the packed tree, path by path, and the mount that shows it to a container.
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

/** A complete pod around the volume, to try the skill with: it sleeps, unprivileged, with a read-only root. */
export function examplePod(
  { volume, mount }: PodVolume,
  options: { readonly name: string; readonly namespace?: string; readonly image: string },
): Readonly<Record<string, unknown>> {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: options.name.slice(0, 63).replace(/[.-]+$/, ""),
      ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    },
    spec: {
      automountServiceAccountToken: false,
      containers: [
        {
          name: "agent",
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
