import type { ExpectedChange } from "../../evaluation/cluster-view.ts";
import { frontOf, readLarge, type UnreadObject } from "../../kubernetes/large-object.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { decodeVolumeObject, describeRef, identityOf } from "../../kubernetes/volume-object.ts";
import { SourceError } from "../../skill/source-error.ts";
import type { VolumeObject, VolumeObjectRef, VolumeObjectRequest } from "../../skill/source.ts";
import { isFields } from "../../text/fields.ts";
import { JsonError } from "../../text/json.ts";
import type { AdmissionRequest, TooLarge } from "../admission-request.ts";

/** Both versions of a ConfigMap. */
export interface Versions {
  /** Undefined if it did not exist, or could not be read: all that comes out is judged then, and a repair passes. */
  readonly before: VolumeObject | undefined;
  readonly after: VolumeObject;
}

/** A change of a ConfigMap whose content is not decoded yet. */
export interface ConfigMapChange {
  readonly expected: ExpectedChange;
  /** Whether no value differs, as in updates of labels and annotations: cheaper than decoding. */
  readonly hasSameData: boolean;
  /** @throws SourceError */
  readonly read: (asked: VolumeObjectRequest) => Promise<Versions>;
}

/**
 * The change under review.
 * @param yieldToEventLoop lets other work run while a large object is read
 * @throws SourceError SOURCE_MALFORMED
 */
export function changeOf(
  { subject, object, oldObject, tooLarge }: AdmissionRequest,
  yieldToEventLoop: () => Promise<void>,
): ConfigMapChange {
  const ref: VolumeObjectRef = { kind: "ConfigMap", namespace: subject.namespace, name: subject.name };
  if (tooLarge !== undefined) return largeChange(ref, tooLarge, yieldToEventLoop);
  if (object === undefined) throw missing();
  return {
    expected: { ref, object, replaces: oldObject === undefined ? undefined : identityOf(oldObject) },
    hasSameData:
      oldObject !== undefined && dataFields.every((field) => isSame(oldObject[field], object[field])),
    read: async (asked) => ({
      before: await unlessBroken(oldObject, (before) => decodeVolumeObject(before, asked)),
      after: decodeVolumeObject(object, asked),
    }),
  };
}

const missing = (): SourceError => new SourceError("SOURCE_MALFORMED", "request.object is missing");

/**
 * Both versions of a ConfigMap, as far as they are read before anything asks for what they hold.
 * @throws SourceError SOURCE_MALFORMED
 */
export function frontsOf({
  subject,
  object,
  oldObject,
  tooLarge,
}: AdmissionRequest): Pick<AdmissionRequest, "object" | "oldObject"> {
  if (tooLarge === undefined) return { object, oldObject };
  const { namespace, name } = subject;
  const front = (version: UnreadObject | undefined): KubernetesObject | undefined =>
    version && asSource({ kind: "ConfigMap", namespace, name }, () => frontOf(version));
  return { object: front(tooLarge.object), oldObject: front(tooLarge.oldObject) };
}

/** Fields of a ConfigMap that reach pods. */
const dataFields = ["data", "binaryData"] as const;

function isSame(before: unknown = {}, after: unknown = {}): boolean {
  if (!isFields(before) || !isFields(after)) return false;
  const keys = Object.keys(after);
  return (
    keys.length === Object.keys(before).length &&
    keys.every((key) => typeof after[key] === "string" && after[key] === before[key])
  );
}

async function unlessBroken<T>(
  object: T | undefined,
  read: (object: T) => VolumeObject | Promise<VolumeObject>,
): Promise<VolumeObject | undefined> {
  if (object === undefined) return undefined;
  try {
    return await read(object);
  } catch (error) {
    // An unreadable version counts as absent, other faults do not.
    if (error instanceof SourceError && error.code !== "TIMEOUT") return undefined;
    throw error;
  }
}

/** A change of an object with too many values to be read at once. Pods that come meanwhile are not judged with it. */
function largeChange(
  ref: VolumeObjectRef,
  { object, oldObject }: TooLarge,
  yieldToEventLoop: () => Promise<void>,
): ConfigMapChange {
  if (object === undefined) throw missing();
  const front = (version: UnreadObject): KubernetesObject => asSource(ref, () => frontOf(version));
  const read = async (version: UnreadObject, asked: VolumeObjectRequest): Promise<VolumeObject> => {
    const content = await readLarge(version, asked.keys, yieldToEventLoop).catch((error: unknown) =>
      asSource(ref, () => {
        throw error;
      }),
    );
    return decodeVolumeObject(content, asked);
  };
  return {
    expected: {
      ref,
      object: front(object),
      tooLarge: true,
      replaces: oldObject === undefined ? undefined : identityOf(front(oldObject)),
    },
    hasSameData:
      oldObject !== undefined && dataFields.every((field) => object.get(field) === oldObject.get(field)),
    read: async (asked) => ({
      before: await unlessBroken(oldObject, (before) => read(before, asked)),
      after: await read(object, asked),
    }),
  };
}

function asSource<T>(ref: VolumeObjectRef, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    throw new SourceError("SOURCE_MALFORMED", `${describeRef(ref)} is ${cause.message}`, { cause });
  }
}
