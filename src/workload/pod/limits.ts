/** Limits of one pod. The API server limits the object to about 1.5 MiB; no real pod comes near these. */
export const podLimits = {
  containers: 200,
  volumes: 500,
  /** Volume mounts, or block devices, of one container. */
  mounts: 500,
  /** Items of one volume source, or environment variables of one container. */
  items: 20_000,
  /** Names of one volume mounted by `subPath`; above the limit the whole volume is read. */
  subPaths: 100,
  /** ConfigMaps and Secrets read for one pod; each holds at most 1 MiB. */
  objects: 200,
  /** Mounted keys of these objects together. */
  mountedKeys: 50_000,
  /** Bytes of these keys together. Also bytes of the verified skills together, counted for each path. */
  mountedBytes: 64 * 1024 * 1024,
  /** Files of all mounted volumes together, as each source lays them out; one object may be in many of them. */
  laidOutFiles: 50_000,
  /** Files of all containers together; a file that two containers see counts twice. Finding skills among them is one step: some 0.1 s. */
  seenFiles: 50_000,
  /** Characters of these files' paths: each is gone through, and a mount's path comes before every file below it. */
  seenPathCharacters: 4_000_000,
  /** Skills verified for one pod; a skill that several containers see at one path counts once. */
  skills: 500,
  /** Characters of a path inside a container (PATH_MAX). */
  pathLength: 4096,
  /** Components of a path inside a container. */
  pathDepth: 64,
} as const;
