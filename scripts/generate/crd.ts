import { stringify } from "yaml";
import { fieldPaths } from "../../src/policy/resource/known-fields.ts";
import { group, version } from "../../src/policy/resource/kinds.ts";
import type { Resource } from "./resources.ts";
import { toStructural } from "./structural-schema.ts";

/** The CustomResourceDefinition of a resource, as YAML. */
export function crdYaml(resource: Resource): string {
  const { kind, plural, shortName, scope } = resource;
  const spec = { ...toStructural(resource.spec), description: "What is wanted." };
  const status = {
    ...toStructural(resource.status),
    description: "What became of it; written by the controller.",
  };
  const document = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${plural}.${group}`,
      labels: { "app.kubernetes.io/part-of": "skill-admission" },
      // By it the API server is told to refuse a schema with fewer fields: the chart's ValidatingAdmissionPolicy.
      annotations: { [`${group}/fields`]: fieldPaths(spec, "spec").join(" ") },
    },
    spec: {
      group,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ["skill-admission"],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: resource.columns,
          schema: {
            openAPIV3Schema: {
              description: resource.description,
              type: "object",
              required: ["spec"],
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec,
                status,
              },
            },
          },
        },
      ],
    },
  };
  const text = stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
  return `# Generated from src/policy/resource by "npm run generate"; changes here are lost.\n${text}`;
}
