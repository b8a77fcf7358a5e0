import { isFields, type Fields } from "../text/fields.ts";
import { isFixed } from "./carriers/unchanged.ts";
import { tokenPath } from "./pod/mounted-objects.ts";

const fieldsIn = (list: unknown): readonly unknown[] => (Array.isArray(list) ? list : []);

/** Certificates of the cluster's own that the API server adds beside each account's token: ConfigMap and key. */
const ownCertificates: ReadonlyMap<unknown, string> = new Map([
  ["kube-root-ca.crt", "ca.crt"],
  ["openshift-service-ca.crt", "service-ca.crt"],
]);

/** Tenants may write these ConfigMaps, so they count at the token's own path and names only. */
function isOwnCertificate(configMap: unknown, mountPath: string): boolean {
  if (!isFields(configMap) || mountPath !== tokenPath) return false;
  const key = ownCertificates.get(configMap["name"]);
  const items = fieldsIn(configMap["items"]);
  return (
    key !== undefined &&
    items.length > 0 &&
    items.every((item) => isFields(item) && item["key"] === key && item["path"] === key)
  );
}

/** Names, identities and amounts: labels and annotations are written by whoever makes the pod, and hold any text. */
const isOwnField = (item: unknown): boolean =>
  isFields(item) && (isFields(item["resourceFieldRef"]) || isFixed(item["fieldRef"]));

const isDownward = (source: unknown): boolean =>
  isFields(source) && fieldsIn(source["items"]).every(isOwnField);

function isKubeletSource(source: unknown, mountPath: string): boolean {
  if (!isFields(source)) return false;
  const [[type, content] = [], ...others] = Object.entries(source).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  if (others.length > 0) return false;
  switch (type) {
    case "serviceAccountToken":
    case "clusterTrustBundle":
    case "podCertificate":
      return true;
    case "downwardAPI":
      return isDownward(content);
    case "configMap":
      return isOwnCertificate(content, mountPath);
    default:
      return false;
  }
}

/**
 * Whether the kubelet makes all files of a volume, of nothing that whoever makes the pod could choose the bytes of: the
 * account's token, certificates of the cluster's own, names and amounts.
 *
 * @param volume an entry of the pod's `volumes`
 */
export function isKubeletMade({ projected, downwardAPI }: Fields, mountPath: string): boolean {
  if (isFields(downwardAPI)) return isDownward(downwardAPI);
  if (!isFields(projected)) return false;
  const sources = fieldsIn(projected["sources"]);
  return sources.length > 0 && sources.every((source) => isKubeletSource(source, mountPath));
}
