/** Bounds on one pod. The API server's own bound is the object's size, about 1.5 MiB; no real pod comes near these. */
export const podLimits = {
  containers: 200,
  volumes: 500,
  /** Volume mounts of one container. */
  mounts: 500,
  /** Items, or environment variables, of one list. */
  items: 20_000,
  /** Names of one volume that are mounted by `subPath`, above which all of it is read. */
  subPaths: 100,
  /** ConfigMaps and Secrets that are read for one pod; each holds at most 1 MiB. */
  objects: 200,
  /** Keys of these objects that are mounted, of all together. */
  mountedKeys: 50_000,
  /** Bytes of these keys; also of the skills that are verified for one pod, each mount of one at another path by itself. */
  mountedBytes: 64 * 1024 * 1024,
  /** Files of all containers together, a file that two containers see counted twice. */
  seenFiles: 200_000,
  /** Skills that are verified for one pod, one that several containers see at one path counted once. */
  skills: 500,
  /** Characters of a path inside a container (PATH_MAX). */
  pathLength: 4096,
  /** Components of such a path. */
  pathDepth: 64,
} as const;
