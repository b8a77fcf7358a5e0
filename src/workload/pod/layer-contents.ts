import { joinPath } from "./container-path.ts";
import type { Layer, Readable } from "./layer.ts";
import { placesOf, type Mount } from "./pod-spec.ts";
import { pathsIn, within } from "./sub-path.ts";
import { firstOf, type VolumeView } from "./volume-view.ts";

/**
 * The content of one layer by itself, at absolute paths, by each reading.
 * @param isAside whether a path of the layer may not be seen there
 */
export function* contentsOf(
  layer: Layer,
  views: ReadonlyMap<string, VolumeView>,
  isAside: (path: string) => boolean,
): Generator<Readable> {
  const { path, mount, doubt } = layer;
  const places = mount === undefined ? [path] : placesOf(mount);
  if (doubt !== undefined)
    yield { files: [], unreadable: places.map((at) => ({ ...doubt, path: at, layer, aside: isAside(at) })) };
  const view = mount === undefined ? undefined : views.get(mount.volume.name);
  if (mount === undefined || view === undefined) return;
  const readings = readingsOf(mount, view);
  for (const place of places) {
    const whole = view.whole.map((one) => ({ ...one, path: place, layer, aside: isAside(place) }));
    yield { files: [], unreadable: whole };
    for (const subPath of readings) {
      const reading = { place, subPath };
      const placed = <T>(inside: string, content: T) => {
        const at = joinPath(place, relativeTo(subPath, inside));
        return { ...content, path: at, layer, aside: isAside(at) };
      };
      yield {
        files: within(view.files, subPath).map(([inside, file]) =>
          placed(inside, { ...file, inside, reading, leftOut: view.madeFolders.has(firstOf(inside)) }),
        ),
        unreadable: within(view.unreadable, subPath).flatMap(([inside, some]) =>
          some.map((one) => placed(inside, one)),
        ),
      };
    }
  }
}

/** A path of the volume below its subPath; empty for that itself. */
const relativeTo = (subPath: string, inside: string): string =>
  inside === subPath ? "" : inside.slice(subPath === "" ? 0 : subPath.length + 1);

/** The subPaths that a mount may have. */
const readingsOf = ({ subPath }: Mount, { files, unreadable }: VolumeView): Iterable<string> =>
  subPath === undefined ? new Set([...pathsIn(files), ...pathsIn(unreadable)]) : [subPath];
