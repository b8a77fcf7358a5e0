import { z } from "zod";

/** Used part of a structural schema (apiextensions.k8s.io/v1 JSONSchemaProps). */
export interface StructuralSchema {
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: StructuralSchema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly "x-kubernetes-validations"?: readonly { readonly rule: string; readonly message: string }[];
  readonly [extension: `x-kubernetes-${string}`]: unknown;
}

type JsonSchema = Omit<StructuralSchema, "additionalProperties"> & {
  readonly additionalProperties?: false | JsonSchema;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
};

/**
 * Removes `additionalProperties: false`, which structural schemas do not allow: the API server takes known fields
 * from `properties`, and prunes or refuses others by the request's `fieldValidation`.
 */
function structural(schema: JsonSchema): StructuralSchema {
  const { additionalProperties, items, properties, description, type, ...rest } = schema;
  const fields = Object.entries(properties ?? {}).map(([name, field]) => [name, structural(field)] as const);
  return {
    ...(description === undefined ? {} : { description }),
    ...(type === undefined ? {} : { type }),
    ...rest,
    ...(items === undefined ? {} : { items: structural(items) }),
    ...(fields.length === 0 ? {} : { properties: Object.fromEntries(fields) }),
    ...(typeof additionalProperties === "object"
      ? { additionalProperties: structural(additionalProperties) }
      : {}),
  };
}

/** Schema of the input form: fields with a default are optional. */
export const toStructural = (schema: z.ZodType): StructuralSchema =>
  structural(z.toJSONSchema(schema, { target: "openapi-3.0", io: "input", reused: "inline" }) as JsonSchema);
