import { isIP } from "node:net";

import { z } from "zod";

import { labelSelector } from "./policy/resource/schema/label-selector.ts";
import { parseStrictJson } from "./text/json.ts";
import { messageOf } from "./text/message-of.ts";

const levels = ["debug", "info", "warn", "error"] as const;
/** Least severe level of log lines. */
export const level = z.enum(levels, { error: `must be one of ${levels.join(", ")}` });

export type LogLevel = z.infer<typeof level>;

/** Some text. */
export const text = z.string().min(1, "must not be empty").max(4096, "is too long");

/** Whole number in decimal digits: `Number()` would accept `0x1f`, ` 5 ` and the empty string as well. */
export const whole = (least: number, most: number): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be a whole number from ${least} to ${most}`);

/** IP address to listen on. */
export const address = z
  .string()
  .refine((value) => isIP(value) !== 0, "must be an IP address, such as 0.0.0.0 or ::");

/** DNS label (RFC 1123): the name of a Namespace, and (nearly) of a Service. */
export const label = z.string().regex(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/, "must be a Kubernetes name");

/** Switch. */
export const onOff = z.enum(["on", "off"], { error: "must be on or off" }).transform((word) => word === "on");

/** HTTPS URL with host and optional path: the form that a webhook configuration accepts. */
export const webhookUrl = text.refine((value) => {
  const url = URL.parse(value);
  return (
    url?.protocol === "https:" &&
    url.username === "" &&
    url.password === "" &&
    !value.includes("?") &&
    !value.includes("#")
  );
}, "must be an https:// URL without user, query and fragment");

/** Hosts for which plain HTTP is as safe: the connection stays on the machine. */
const loopback = ["127.0.0.1", "localhost"];

const isMirror = (value: string): boolean => {
  const url = URL.parse(value);
  const safe = url?.protocol === "https:" || (url?.protocol === "http:" && loopback.includes(url.hostname));
  return safe && url.username === "" && url.password === "" && !value.includes("?") && !value.includes("#");
};

/** Mirrors as one text, separated by commas: no usable URL contains one. */
export const mirrors = z
  .string()
  .max(16_384, "is too long")
  .transform((value) => value.split(",").filter((one) => one !== ""))
  .refine(
    (all) => all.every(isMirror),
    "must be https:// URLs without user, query and fragment, with commas between them",
  );

/** Names as one text, separated by commas. */
export const names = z
  .string()
  .max(4096, "is too long")
  .transform((value) => value.split(",").map((one) => one.trim()))
  .refine((all) => all.every((one) => one !== ""), "must be names with commas between them");

/** Names of Namespaces as one text, separated by commas. */
export const namespaces = names.pipe(z.array(label).max(256, "are too many"));

/** A `metav1.LabelSelector` as JSON. */
export const selector = z
  .string()
  .max(65_536, "is too long")
  .transform((value, context) => {
    try {
      return parseStrictJson(value);
    } catch (error) {
      context.addIssue(`cannot be read: ${messageOf(error)}`);
      return z.NEVER;
    }
  })
  .pipe(labelSelector);

/** `failurePolicy` of a webhook. */
export const failurePolicy = z.enum(["Fail", "Ignore"], { error: "must be Fail or Ignore" });
