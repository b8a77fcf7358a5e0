import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { toolPath } from "../../cluster/harness/binaries.ts";
import { type, typed, type Shell } from "../../fixtures/documented.ts";
import { alias } from "./page.ts";

let home: string;
let shell: Shell;

function put(path: string, content: string): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), content);
}

const script = (command: string) => type(`set +o pipefail\n${alias}${command}`, shell);

const policy = (pem: string) => `apiVersion: skill-admission.dev/v1alpha1
kind: ClusterSkillPolicy
metadata: {name: payments}
spec:
  publishers: [{name: mine, publicKey: {pem: ${JSON.stringify(pem)}}}]
`;

/** A chart with what Helm's own have: values, a hook, comments, a template that makes nothing. */
function putChart(packed: string): void {
  put("chart/Chart.yaml", "apiVersion: v2\nname: demo\nversion: 1.0.0\n");
  put("chart/values.yaml", "word: demo\nservice: false\n");
  const templated = packed.replaceAll("namespace: payments", "namespace: {{ .Release.Namespace }}");
  put("chart/templates/demo.yaml", templated.replace("echo demo", "echo {{ .Values.word }}"));
  put(
    "chart/templates/service.yaml",
    "{{- if .Values.service }}\napiVersion: v1\nkind: Service\n{{- end }}\n",
  );
  put(
    "chart/templates/test.yaml",
    `apiVersion: v1
kind: Pod
metadata: {name: try, annotations: {helm.sh/hook: test}}
spec: {containers: [{name: try, image: busybox}]}
`,
  );
}

/** An overlay that gives every object another name and namespace, references included. */
function putOverlay(packed: string): void {
  put("deploy/base/demo.yaml", packed);
  put("deploy/base/kustomization.yaml", "resources: [demo.yaml]\n");
  put("deploy/prod/kustomization.yaml", "resources: [../base]\nnamePrefix: prod-\nnamespace: production\n");
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "rendered-"));
  const tools = [await toolPath("helm"), await toolPath("kubectl")];
  const path = [...tools.map((tool) => dirname(tool)), process.env["PATH"]].join(":");
  shell = { cwd: home, env: { ...process.env, HOME: home, PATH: path } };
  put("demo/SKILL.md", "---\nname: demo\ndescription: A skill.\n---\n# Demo\n");
  put("demo/scripts/run.sh", "#!/bin/sh\necho demo\n");
  await typed(
    `${alias}openssl ecparam -name prime256v1 -genkey -noout -out my.key
openssl pkey -in my.key -pubout -out my.pub
skill-admission sign demo --key my.key
skill-admission package demo --namespace payments --with-pod busybox > packed.yaml`,
    shell,
  );
  put("policy.yaml", policy(readFileSync(join(home, "my.pub"), "utf8")));
  const packed = readFileSync(join(home, "packed.yaml"), "utf8");
  putChart(packed);
  putOverlay(packed);
});

afterAll(() => rmSync(home, { recursive: true }));

describe("apply -f - behind helm template", () => {
  const render = "helm template web chart --namespace payments";

  it("judges what the chart makes, its hooks too", async () => {
    const { code, out } = await script(`${render} | skill-admission apply --policy policy.yaml -f -`);
    expect(code, out).toBe(0);
    expect(out).toMatch(/^Pod payments\/demo +pass +1 +payments$/m);
    expect(out).toMatch(/^Pod default\/try +pass +0 +payments$/m);
    expect(out).toMatch(/^2 objects: 2 passed$/m);
  });

  it("judges by the values", async () => {
    const { code, out } = await script(
      `${render} --set word=evil --set service=true | skill-admission apply --policy policy.yaml -f -`,
    );
    expect([code, out]).toEqual([1, expect.stringContaining("DIGEST_MISMATCH scripts/run.sh")]);
  });

  it("does not pass where Helm fails, also in a shell without pipefail", async () => {
    const { code, out } = await script(
      "helm template web nowhere 2>/dev/null | skill-admission apply --policy policy.yaml -f -",
    );
    expect([code, out]).toEqual([
      2,
      "error: standard input holds no object\nlook at the command that was to write it\n",
    ]);
  });

  it("says that very command for the chart itself", async () => {
    const { code, out } = await script("skill-admission apply --policy policy.yaml -f chart");
    expect(code).toBe(2);
    const [, command = ""] = /^ {2}(.*) …$/m.exec(out) ?? [];
    expect(command).toBe("helm template chart | skill-admission apply -f -");
    const rendered = await script(`${command} --policy policy.yaml`);
    expect([rendered.code, rendered.out]).toEqual([0, expect.stringContaining("2 objects: 2 passed")]);
  });
});

describe("apply -f - behind kubectl kustomize", () => {
  it("judges what the overlay makes, by the names that it gives", async () => {
    const { code, out } = await script(
      "kubectl kustomize deploy/prod | skill-admission apply --policy policy.yaml -f -",
    );
    expect(code, out).toBe(0);
    expect(out).toMatch(/^Pod production\/prod-demo +pass +1 +payments$/m);
    expect(out).toContain("prod-demo-");
  });

  it("says that very command for the folder itself", async () => {
    const { code, out } = await script("skill-admission apply --policy policy.yaml -f deploy");
    expect(code).toBe(2);
    expect(out.match(/^ {2}.* …$/gm)).toEqual([
      "  kubectl kustomize deploy/base | skill-admission apply -f - …",
      "  kubectl kustomize deploy/prod | skill-admission apply -f - …",
    ]);
  });
});
