import { defined, isFields, type Fields } from "../../text/fields.ts";
import {
  fieldsAt,
  listAt,
  optionalFields,
  optionalText,
  textAt,
  textMapAt,
} from "../../kubernetes/read-fields.ts";
import { podLimits } from "../pod/limits.ts";
import { createdAtOf, type KubernetesObject } from "../../kubernetes/object.ts";
import type { PodSubject } from "../pod/pod-subject.ts";
import { carrierOf, type Carrier } from "./carriers.ts";

/**
 * The pod that an object is or makes; undefined if it makes none.
 * @param namespace of the request: the object's own may be missing or differ
 * @throws SourceError SOURCE_MALFORMED naming the field
 */
export function podOf(object: KubernetesObject, namespace: string): PodSubject | undefined {
  const carrier = carrierOf(object.apiVersion, object.kind);
  if (carrier === undefined) return undefined;
  const template = templateOf(object, carrier);
  if (template === undefined) return undefined;
  const field = [...carrier.podPath, "spec"].join(".");
  const spec = fieldsAt(template["spec"], field);
  const metadataField = [...carrier.podPath, "metadata"].join(".");
  const metadata = optionalFields(template["metadata"], metadataField) ?? {};
  return {
    kind: carrier.kind,
    namespace,
    name: nameOf(object),
    isPod: carrier.kind === "Pod",
    ...defined({ createdAt: carrier.kind === "Pod" ? createdAtOf(object) : undefined }),
    field,
    labels: textMapAt(metadata["labels"], `${metadataField}.labels`),
    annotations: textMapAt(metadata["annotations"], `${metadataField}.annotations`),
    spec: carrier.kind === "StatefulSet" ? withClaims(spec, object["spec"], field) : spec,
  };
}

function templateOf(object: KubernetesObject, { podPath, optional }: Carrier): Fields | undefined {
  let at: Fields = object;
  for (const [index, name] of podPath.entries()) {
    const value = at[name];
    if (optional === true && (value === undefined || value === null)) return undefined;
    at = fieldsAt(value, podPath.slice(0, index + 1).join("."));
  }
  return at;
}

function nameOf(object: KubernetesObject): string {
  const metadata = optionalFields(object.metadata, "metadata") ?? {};
  const name = optionalText(metadata["name"], "metadata.name");
  if (name !== undefined) return name;
  const prefix = optionalText(metadata["generateName"], "metadata.generateName");
  return prefix === undefined ? "" : `${prefix}*`;
}

/** Adds a StatefulSet's claims as volumes, in place of volumes of the same name, as the StatefulSet controller does. */
function withClaims(spec: Fields, set: unknown, field: string): Fields {
  if (!isFields(set)) return spec;
  const name = "spec.volumeClaimTemplates";
  const claims = listAt(set["volumeClaimTemplates"], name, podLimits.volumes);
  if (claims.length === 0) return spec;
  const names = claims.map((claim, index) => {
    const metadata = fieldsAt(fieldsAt(claim, `${name}[${index}]`)["metadata"], `${name}[${index}].metadata`);
    return textAt(metadata["name"], `${name}[${index}].metadata.name`);
  });
  const taken = new Set(names);
  const volumes = listAt(spec["volumes"], `${field}.volumes`, podLimits.volumes);
  return {
    ...spec,
    volumes: [
      ...volumes.filter((volume) => !isFields(volume) || !taken.has(volume["name"] as string)),
      ...names.map((claim) => ({ name: claim, persistentVolumeClaim: { claimName: claim } })),
    ],
  };
}
