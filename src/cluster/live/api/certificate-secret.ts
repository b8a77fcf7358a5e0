import { metadataOf, type KubernetesObject } from "../../../kubernetes/object.ts";
import { ApiError, type ApiClient } from "./client.ts";

/** Files of a Secret at one version. */
export interface SecretFiles {
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
}

/** Port: files in one Secret, with optimistic concurrency. */
export interface CertificateSecret {
  /** @throws ApiError */
  load(signal: AbortSignal): Promise<SecretFiles | undefined>;
  /**
   * Replaces the state `previous`, or creates the Secret if that is undefined.
   * @returns false if another replica was faster; nothing was written then
   * @throws ApiError
   */
  save(
    files: Readonly<Record<string, string>>,
    previous: SecretFiles | undefined,
    signal: AbortSignal,
  ): Promise<boolean>;
}

const decode = (object: KubernetesObject): Readonly<Record<string, string>> => {
  const data = object["data"];
  if (typeof data !== "object" || data === null) return {};
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(String(value), "base64").toString("utf8")]),
  );
};

const encode = (files: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(files).map(([key, text]) => [key, Buffer.from(text, "utf8").toString("base64")]),
  );

const labels = {
  "app.kubernetes.io/name": "skill-admission",
  "app.kubernetes.io/managed-by": "skill-admission",
};

/**
 * Stores the webhook's certificates in a Secret of the controller's namespace. A save names the version that it
 * replaces; the API server refuses it if that is outdated. An empty Secret loads with no files: an installer may
 * create it, so that the controller needs no permission to create Secrets.
 */
export function createCertificateSecret(
  client: ApiClient,
  namespace: string,
  name: string,
): CertificateSecret {
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
  const path = `${collection}/${encodeURIComponent(name)}`;
  return {
    load: async (signal) => {
      try {
        const object = await client.call({ path, signal });
        const { resourceVersion } = metadataOf(object) as { readonly resourceVersion: string };
        return { version: resourceVersion, files: decode(object) };
      } catch (error) {
        if (error instanceof ApiError && error.status === 404 && error.reason === "NotFound")
          return undefined;
        throw error;
      }
    },
    save: async (files, previous, signal) => {
      const metadata = { name, namespace, labels };
      try {
        if (previous === undefined) {
          const body = { apiVersion: "v1", kind: "Secret", type: "Opaque", metadata, data: encode(files) };
          await client.call({ method: "POST", path: collection, body, signal });
        } else {
          // A patch keeps the installer's labels and annotations; null removes a key (RFC 7396).
          const gone = Object.fromEntries(Object.keys(previous.files).map((key) => [key, null]));
          const body = {
            metadata: { resourceVersion: previous.version },
            data: { ...gone, ...encode(files) },
          };
          await client.call({
            method: "PATCH",
            path,
            contentType: "application/merge-patch+json",
            body,
            signal,
          });
        }
        return true;
      } catch (error) {
        // 409: changed or created meanwhile. 404: deleted meanwhile; loading will tell if the namespace is gone
        // too.
        const lost =
          error instanceof ApiError &&
          (error.status === 409 || (error.status === 404 && previous !== undefined));
        if (lost) return false;
        throw error;
      }
    },
  };
}
