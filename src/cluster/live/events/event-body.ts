import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { DenialEvent } from "../../../admission/response/denial-event.ts";
import type { KubernetesObject } from "../../../kubernetes/object.ts";
import type { NoncomplianceEvent } from "../../../recheck/noncompliance-event.ts";
import { defined } from "../../../text/fields.ts";

/** An Event about an object that mounts skills. */
export type WorkloadEvent = Omit<DenialEvent, "reason"> & {
  readonly reason: DenialEvent["reason"] | NoncomplianceEvent["reason"];
};

const controller = "skill-admission.dev/webhook";

/** A time as Events hold it. */
export const microTime = (now: number): string => new Date(now).toISOString().replace("Z", "000Z");

/** Path of the Events of a namespace. */
export const eventsPath = (namespace: string): string =>
  `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;

/** Unique Event name for an object of any name: a DNS subdomain. */
export const eventName = (name: string): string =>
  `${name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 200)
    .replace(/^-+|-+$/g, "")
    .concat(".")
    .replace(/^\./, "object.")}${randomBytes(8).toString("hex")}`;

/** The object, without its name and what it is about, which may be found out later. */
export function eventBody(event: WorkloadEvent, time: number): KubernetesObject {
  const { related, reason } = event;
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    eventTime: microTime(time),
    type: "Warning",
    reason,
    action: reason === "SkillNotCompliant" ? "Recheck" : "Admission",
    note: event.note(),
    ...defined({ related }),
    reportingController: controller,
    reportingInstance: hostname().slice(0, 128),
  };
}
