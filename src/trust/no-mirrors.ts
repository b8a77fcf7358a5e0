import type { MirrorReference, Supplied } from "../policy/trust-supply.ts";

/** What is said of a mirror that the configuration does not name. */
export const notAllowed = ({ mirror }: MirrorReference): Supplied => ({
  fault: `${mirror} is no mirror that this controller may contact; name it in the Helm value trust.tuf.mirrors, or start with --tuf-mirror=${mirror}`,
});

/** For a controller that may contact none. */
export const noMirrors = {
  follow: (): void => undefined,
  read: notAllowed,
  pending: (): boolean => false,
  onChange: (): void => undefined,
  close: (): Promise<void> => Promise.resolve(),
} as const;
