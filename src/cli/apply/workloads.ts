import { nameOf, namespaceOf, type KubernetesObject } from "../../kubernetes/object.ts";
import type { LiveReader } from "../../evaluation/live-reader.ts";
import { carrierOf } from "../../workload/carriers/carriers.ts";
import { placeOf, type Manifest } from "../files/manifests.ts";
import type { TableLayout } from "../report/report-item.ts";
import { surroundings } from "./surroundings.ts";

/** An object to review; `file` of a stored one is its path at the API server. */
export interface Workload extends Manifest {
  /** Whether it runs in a cluster. */
  readonly isStored: boolean;
}

/** Objects to review, one after the other, and how a table shows them. */
export interface Workloads {
  readonly each: AsyncIterable<Workload> | readonly Workload[];
  /** How many there are, as far as is known. */
  readonly total: () => number;
  readonly layout: TableLayout;
  /** They run in a cluster, rather than being about to be applied. */
  readonly areStored: boolean;
}

const layout = (noun: string, titles: readonly string[]): TableLayout => ({
  title: "OBJECT",
  columns: [
    { heading: "SKILLS", width: 6 },
    { heading: "POLICIES", width: 8 },
  ],
  noun,
  titleWidth: titles.reduce((most, { length }) => Math.max(most, length), 0),
});

const titleOf = (object: KubernetesObject, namespace: string): string =>
  `${String(object.kind)} ${namespaceOf(object, namespace)}/${nameOf(object)}`;

/** A word for each object that is in several places and differs: the API server is asked about each in turn. */
export function differingTwins(manifests: readonly Manifest[], namespace: string): readonly string[] {
  const named = manifests.filter(
    ({ object }) => carrierOf(object.apiVersion, object.kind) !== undefined && nameOf(object) !== "",
  );
  return [...Map.groupBy(named, ({ object }) => titleOf(object, namespace))]
    .filter(([, twins]) => twins.length > 1)
    .map(
      ([title, twins]) =>
        `${title} is at ${twins.map(placeOf).join(" and at ")}, and differs: each is judged, as kubectl applies one after the other`,
    );
}

/** Objects of files, in their order. */
export function workloadsIn(manifests: readonly Manifest[], namespace: string): Workloads {
  const titles = manifests
    .filter(({ object }) => !surroundings.has(object.kind))
    .map(({ object }) => titleOf(object, namespace));
  return {
    each: manifests.map((manifest) => ({ ...manifest, isStored: false })),
    total: () => manifests.length,
    layout: layout("object", titles),
    areStored: false,
  };
}

/** Width of the first column, which has to be known before the names are: most fit. */
const podTitle = "x".repeat(60);

/** Pods of a cluster, page by page, of one namespace or of all. */
export function podsOf(live: LiveReader, namespace: string | undefined): Workloads {
  let total = 0;
  async function* pods(): AsyncGenerator<Workload> {
    let seen = 0;
    for await (const page of live.podPages(namespace)) {
      seen += page.pods.length;
      total = seen + (page.remaining ?? 0);
      for (const object of page.pods) {
        const file = `api/v1/namespaces/${namespaceOf(object, "")}/pods/${nameOf(object)}`;
        yield { object, file, isStored: true };
      }
    }
  }
  return { each: pods(), total: () => total, layout: layout("pod", [podTitle]), areStored: true };
}
