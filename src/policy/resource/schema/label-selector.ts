import { z } from "zod";
import type { LabelSelector } from "../../../kubernetes/label-selector.ts";
import { asSet, atMost, celRule } from "./constraints.ts";

const labelKeyPattern = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

const labelKey = z.string().min(1).max(317).regex(labelKeyPattern, "not the key of a label");

const labelValue = z
  .string()
  .max(63)
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/, "not the value of a label");

const requirement = celRule(
  z.strictObject({
    key: labelKey.describe("Key of the label."),
    operator: z
      .enum(["In", "NotIn", "Exists", "DoesNotExist"])
      .describe("NotIn and DoesNotExist also hold where the label is absent."),
    values: asSet(z.array(labelValue).max(64))
      .exactOptional()
      .describe("Values to compare with: for In and NotIn only, and then at least one."),
  }),
  {
    rule: "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",
    message: "In and NotIn need values; Exists and DoesNotExist have none",
    check: ({ operator, values }) =>
      (operator === "In" || operator === "NotIn") === (values !== undefined && values.length > 0),
  },
);

const labels = celRule(atMost(z.record(z.string(), labelValue), 32), {
  rule: `self.all(key, key.matches('${labelKeyPattern.source.replaceAll("\\/", "/")}'))`,
  message: "a key is no label key",
  check: (map) => Object.keys(map).every((key) => labelKeyPattern.test(key)),
}).describe("Labels that must be there, each with exactly this value.");

/** `metav1.LabelSelector`: all its requirements must hold; an empty one matches everything. */
export const labelSelector = z.strictObject({
  matchLabels: labels.exactOptional(),
  matchExpressions: z
    .array(requirement)
    .max(32)
    .exactOptional()
    .describe("Further requirements; all must hold."),
}) satisfies z.ZodType<LabelSelector>;
