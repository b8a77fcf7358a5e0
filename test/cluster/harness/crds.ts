import { api } from "./api.ts";
import { kubectl } from "./cluster.ts";

interface Crds {
  readonly items: readonly {
    readonly spec: { readonly group: string };
    readonly status?: {
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    };
  }[];
}

/** They are there: all tests of this project have them from the same files. */
async function haveCrds(): Promise<boolean> {
  const { items } = await api<Crds>("/apis/apiextensions.k8s.io/v1/customresourcedefinitions");
  const ours = items.filter(({ spec }) => spec.group === "skill-admission.dev");
  const established = ours.filter(({ status }) =>
    status?.conditions?.some(({ type, status }) => type === "Established" && status === "True"),
  );
  return established.length === 3;
}

/** Installs the CRDs as the documentation says. */
export async function installCrds(): Promise<void> {
  if (await haveCrds()) return;
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "manifests/crds"]);
  await kubectl(["wait", "--for=condition=Established", "--timeout=60s", "-f", "manifests/crds"]);
}
