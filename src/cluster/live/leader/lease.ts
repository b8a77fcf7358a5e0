import { defined } from "../../../text/fields.ts";
import { metadataOf, type KubernetesObject } from "../../../kubernetes/object.ts";
import { ApiError, type ApiClient } from "../api/client.ts";

/** Content of a Lease (coordination.k8s.io/v1) that an election needs. */
export interface LeaseRecord {
  /** Identity of the leader; empty if it released the Lease. */
  readonly holder: string;
  /** Seconds after the last renewal until another candidate may take over. */
  readonly durationSeconds: number;
  /** RFC 3339 with microseconds. For people: clocks of different machines are never compared. */
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly transitions: number;
  /** The installation that is to stay unregistered, if any. */
  readonly unregistered?: string | undefined;
}

/** A Lease at one version. */
export interface StoredLease {
  readonly version: string;
  readonly record: LeaseRecord;
}

/** Port: the one Lease, with optimistic concurrency. */
export interface LeaseStore {
  /**
   * @returns undefined if there is none
   * @throws ApiError
   */
  read(signal: AbortSignal): Promise<StoredLease | undefined>;
  /**
   * Replaces the version `previous`, or creates the Lease if that is undefined.
   * @returns undefined if another was faster; nothing was written then
   * @throws ApiError
   */
  write(
    record: LeaseRecord,
    previous: StoredLease | undefined,
    signal: AbortSignal,
  ): Promise<StoredLease | undefined>;
}

/**
 * Annotation of the Lease: the installation (`installation.ts`) whose webhook stays unregistered until it is
 * removed.
 */
export const unregisteredAnnotation = "skill-admission.dev/unregistered";

const labels = {
  "app.kubernetes.io/name": "skill-admission",
  "app.kubernetes.io/managed-by": "skill-admission",
};

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const count = (value: unknown): number => (typeof value === "number" && value > 0 ? value : 0);

function recordOf(object: KubernetesObject): LeaseRecord {
  const spec = fieldsOf(object["spec"]);
  const annotations = fieldsOf(metadataOf(object)["annotations"]);
  const [acquireTime, renewTime] = [text(spec["acquireTime"]), text(spec["renewTime"])];
  const unregistered = text(annotations[unregisteredAnnotation]);
  return {
    holder: text(spec["holderIdentity"]) ?? "",
    durationSeconds: count(spec["leaseDurationSeconds"]),
    transitions: count(spec["leaseTransitions"]),
    ...defined({ acquireTime, renewTime, unregistered }),
  };
}

/** The Lease with this record; other metadata stays. */
function objectOf(record: LeaseRecord, metadata: Fields): KubernetesObject {
  const others = Object.entries(fieldsOf(metadata["annotations"])).filter(
    ([key]) => key !== unregisteredAnnotation,
  );
  const { holder, durationSeconds, acquireTime, renewTime, transitions, unregistered } = record;
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      ...metadata,
      annotations: {
        ...Object.fromEntries(others),
        ...(unregistered === undefined ? {} : { [unregisteredAnnotation]: unregistered }),
      },
    },
    spec: {
      holderIdentity: holder,
      // At least 1: the API server refuses a Lease without a duration.
      leaseDurationSeconds: Math.max(1, durationSeconds),
      leaseTransitions: transitions,
      ...defined({ acquireTime, renewTime }),
    },
  };
}

interface Versioned extends StoredLease {
  readonly metadata: Fields;
}

function stored(object: KubernetesObject): Versioned {
  const metadata = metadataOf(object);
  return { version: text(metadata["resourceVersion"]) ?? "", record: recordOf(object), metadata };
}

/**
 * Accesses a Lease through the API server. Needs the verbs `get` and `update`, and `create` if it may be missing.
 */
export function createLeaseStore(client: ApiClient, namespace: string, name: string): LeaseStore {
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  const path = `${collection}/${encodeURIComponent(name)}`;
  return {
    read: async (signal) => {
      try {
        return stored(await client.call({ path, signal }));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      }
    },
    write: async (record, previous, signal) => {
      const metadata = (previous as Versioned | undefined)?.metadata ?? { name, namespace, labels };
      const body = objectOf(record, metadata);
      try {
        return stored(
          previous === undefined
            ? await client.call({ method: "POST", path: collection, body, signal })
            : await client.call({ method: "PUT", path, body, signal }),
        );
      } catch (error) {
        // 409: changed or created meanwhile. 404: deleted meanwhile; reading will tell if its namespace is gone.
        const lost =
          error instanceof ApiError &&
          (error.status === 409 || (error.status === 404 && previous !== undefined));
        if (lost) return undefined;
        throw error;
      }
    },
  };
}
