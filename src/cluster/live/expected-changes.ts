import type { ClusterView } from "../../evaluation/cluster-view.ts";
import { SourceError } from "../../skill/source-error.ts";
import type { SkillSource } from "../../skill/source.ts";
import { ChangeStore } from "../change-store.ts";
import type { IdentitySource } from "./api/volume-object-source.ts";

/** Reads that make room in a full share, at once. */
const readsAtOnce = 8;

type ExpectedChanges = SkillSource & Required<Pick<ClusterView, "expectChange" | "expectedChanges">>;

/** Remembers changes that are about to be stored, and forgets each as soon as a read of its object shows it. */
export function createExpectedChanges(
  source: SkillSource & IdentitySource,
  store: ChangeStore = new ChangeStore(),
): ExpectedChanges {
  /** Reads the objects of a namespace whose changes are expected: most of these were stored long since. */
  const settle = async (namespace: string, signal: AbortSignal): Promise<void> => {
    const waiting = store.objectsIn(namespace).values();
    const reader = async (): Promise<void> => {
      for (const ref of waiting) {
        try {
          const seen = store.reading(ref);
          seen(await source.identify(ref, signal));
        } catch (error) {
          // A change whose object cannot be read stays expected.
          if (!(error instanceof SourceError) || error.code === "TIMEOUT") throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: readsAtOnce }, reader));
  };
  return {
    read: async (request, signal) => {
      const seen = store.reading(request);
      const object = await source.read(request, signal);
      seen(object?.identity);
      return object;
    },
    expectChange: async (change, signal) => {
      const forget = store.add(change);
      if (forget !== undefined) return forget;
      await settle(change.ref.namespace, signal);
      return store.add(change);
    },
    expectedChanges: (ref) => store.of(ref),
  };
}
