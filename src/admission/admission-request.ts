import { defined, type Fields, isFields } from "../text/fields.ts";
import { membersOf } from "../text/json-members.ts";
import { JsonError, parseStrictJson, TooManyValues, type Json } from "../text/json.ts";
import type { UnreadObject } from "../kubernetes/large-object.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { maxReviewValues } from "./too-many-values.ts";
import { ownersOf } from "../workload/carriers/owner.ts";
import { reviewedResources, type ReviewSubject } from "./decision.ts";

/** Request of an AdmissionReview (admission.k8s.io/v1), reduced to the fields that decide. */
export interface AdmissionRequest {
  readonly subject: ReviewSubject;
  /** Resource without its subresource: `pods`, `configmaps`. */
  readonly resource: string;
  /** The object as it would be stored; undefined on DELETE. */
  readonly object: KubernetesObject | undefined;
  /** The stored object; undefined on CREATE. */
  readonly oldObject: KubernetesObject | undefined;
  /** Set if the objects have more values than are read at once: both are undefined then. */
  readonly tooLarge?: TooLarge;
}

/** The objects of a review as text. */
export interface TooLarge {
  readonly object: UnreadObject | undefined;
  readonly oldObject: UnreadObject | undefined;
}

/** Characters of a body's other fields together. */
const maxFront = 262_144;

/** A body that is no AdmissionReview. `uid` is the request's if it was readable: the answer must carry it. */
export class ReviewError extends Error {
  override readonly name = "ReviewError";
  readonly uid: string;

  constructor(message: string, uid = "", options?: ErrorOptions) {
    super(message, options);
    this.uid = uid;
  }
}

const operations = ["CREATE", "UPDATE", "DELETE", "CONNECT"] as const;

const text = (value: Json | undefined): string => (typeof value === "string" ? value : "");

interface Body {
  readonly review: Fields<Json>;
  readonly tooLarge?: TooLarge;
}

function parseBody(body: Uint8Array): Body {
  try {
    return readBody(body);
  } catch (cause) {
    if (cause instanceof JsonError) throw new ReviewError(`the body is ${cause.message}`, "", { cause });
    throw cause;
  }
}

function readBody(body: Uint8Array): Body {
  try {
    const review = parseStrictJson(body, maxReviewValues);
    if (!isFields(review)) throw new JsonError("not a JSON object");
    return { review };
  } catch (cause) {
    if (!(cause instanceof TooManyValues)) throw cause;
    return frontOf(cause.text);
  }
}

/** The review without its objects, which are never read. */
function frontOf(text: string): Body {
  const review = new Map(membersOf(text));
  const request = new Map(membersOf(review.get("request") ?? "{}"));
  review.delete("request");
  const [object, oldObject] = ["object", "oldObject"].map((field) => {
    const value = request.get(field);
    request.delete(field);
    return value === undefined || value === "null" ? undefined : membersOf(value);
  });
  return { review: { ...parsed(review), request: parsed(request) }, tooLarge: { object, oldObject } };
}

function parsed(members: ReadonlyMap<string, string>): Fields<Json> {
  if (members.values().reduce((sum, { length }) => sum + length, 0) > maxFront)
    throw new JsonError(`longer than ${maxFront} characters beside its objects`);
  return Object.fromEntries(
    members.entries().map(([key, value]) => [key, parseStrictJson(value, maxReviewValues)]),
  );
}

function objectField(request: Fields<Json>, field: string, uid: string): KubernetesObject | undefined {
  const value = request[field];
  if (value === undefined || value === null) return undefined;
  if (!isFields(value)) throw new ReviewError(`request.${field} is not an object`, uid);
  return value;
}

/** The object's name; if the API server has still to choose it, `generateName` followed by `*`. */
function nameOf(request: Fields<Json>, object: KubernetesObject | undefined): string {
  if (text(request["name"]) !== "") return text(request["name"]);
  const metadata = object?.metadata as Json | undefined;
  if (!isFields(metadata)) return "";
  return (
    text(metadata["name"]) ||
    (text(metadata["generateName"]) === "" ? "" : `${text(metadata["generateName"])}*`)
  );
}

/** Characters that the API server adds to `generateName`, of which it takes so many at most. */
const randomCharacters = 5;
const generatedCharacters = 58;

/** The part of a new object's name that is the same for each attempt of its controller; undefined if it was not generated. */
function generatedFrom(name: string, object: KubernetesObject | undefined): string | undefined {
  const metadata = object?.metadata as Json | undefined;
  const wanted = isFields(metadata) ? text(metadata["generateName"]) : "";
  const prefix = wanted.slice(0, generatedCharacters);
  return prefix !== "" && name.slice(0, -randomCharacters) === prefix ? prefix : undefined;
}

/**
 * Reads an AdmissionReview.
 * @throws ReviewError for any other body; the message names the wrong field
 */
export function parseReview(body: Uint8Array): AdmissionRequest {
  const { review, tooLarge } = parseBody(body);
  const request = review["request"];
  if (!isFields(request)) throw new ReviewError("request is missing: this is no AdmissionReview");
  const uid = text(request["uid"]);
  if (uid === "" || uid.length > 128) throw new ReviewError("request.uid is missing or too long");
  if (review["kind"] !== "AdmissionReview" || review["apiVersion"] !== "admission.k8s.io/v1") {
    throw new ReviewError("only AdmissionReview of admission.k8s.io/v1 is understood", uid);
  }
  const operation = operations.find((known) => known === request["operation"]);
  if (operation === undefined) throw new ReviewError("request.operation is unknown", uid);
  const gvr = request["resource"];
  const resource = isFields(gvr) ? text(gvr["resource"]) : "";
  if (resource === "") throw new ReviewError("request.resource.resource is missing", uid);
  const object = objectField(request, "object", uid);
  const oldObject = objectField(request, "oldObject", uid);
  return {
    resource,
    object,
    oldObject,
    ...defined({ tooLarge }),
    subject: { uid, operation, ...subjectOf(request, resource, object ?? oldObject) },
  };
}

function subjectOf(
  request: Fields<Json>,
  resource: string,
  object: KubernetesObject | undefined,
): Omit<ReviewSubject, "uid" | "operation"> {
  const kind = request["kind"];
  const user = request["userInfo"];
  const subresource = text(request["subResource"]);
  const full = subresource === "" ? resource : `${resource}/${subresource}`;
  const name = nameOf(request, object);
  const namespace = text(request["namespace"]);
  const owners = ownersOf(object?.metadata, namespace);
  return {
    kind: isFields(kind) ? text(kind["kind"]) : "",
    resource: reviewedResources.find((known) => known === full) ?? "other",
    namespace,
    name,
    ...defined({
      generatedFrom: request["operation"] === "CREATE" ? generatedFrom(name, object) : undefined,
      owners: owners.length === 0 ? undefined : owners,
    }),
    dryRun: request["dryRun"] === true,
    user: isFields(user) ? text(user["username"]) : "",
  };
}
