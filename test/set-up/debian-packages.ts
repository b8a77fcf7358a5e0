/** Debian's packages for the tests that start containers, a node and Prometheus. */
export const wanted = [
  "runc",
  "containernetworking-plugins",
  "busybox-static",
  "iproute2",
  "util-linux",
  "openssl",
  "curl",
  "xz-utils",
  "python3",
  "buildah",
  "debootstrap",
  "prometheus",
] as const;

/**
 * Which of them are not installed.
 * @param said `dpkg-query`'s word on each that it knows, one a line: its name and `installed`, or another state
 */
export function missingOf(said: string): readonly string[] {
  const lines = said.split("\n");
  return wanted.filter((name) => !lines.includes(`${name} installed`));
}
