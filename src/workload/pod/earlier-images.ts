import { isFields } from "../../text/fields.ts";
import type { PodSubject } from "./pod-subject.ts";

/**
 * A pod after an update, with the images that its containers had before: what these wrote into an emptyDir is there
 * still. Never throws: malformed containers have no image.
 */
export function afterUpdate(before: PodSubject, after: PodSubject): PodSubject {
  if (!after.isPod) return after;
  const lists = [
    before.spec["initContainers"],
    before.spec["containers"],
    before.spec["ephemeralContainers"],
  ];
  const containers = lists.flatMap((list): readonly unknown[] => (Array.isArray(list) ? list : []));
  const images = containers.flatMap((container) => {
    if (!isFields(container)) return [];
    const { name, image } = container;
    return typeof name === "string" && typeof image === "string" ? [[name, image] as const] : [];
  });
  return { ...after, imagesBefore: new Map(images) };
}
