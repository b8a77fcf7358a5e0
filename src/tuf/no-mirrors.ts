import {
  normalMirror,
  type MirrorReference,
  type NamedReference,
  type ResolvedReference,
} from "../policy/trust/reference.ts";

/** Fault of a mirror that the configuration does not name. */
export const notAllowed = ({ mirror }: MirrorReference): Required<Pick<ResolvedReference, "fault">> => ({
  fault: `${mirror} is no mirror that this controller may contact; name it in the Helm value trust.tuf.mirrors, or start with --tuf-mirror=${mirror}`,
});

/**
 * Reports entries whose mirror may not be contacted, each once while it is referred to. Nothing else would report
 * them where another source stands beside `tuf`: that one serves, and the trust root is ready.
 *
 * @param allowed base URLs of mirrors that may be contacted
 */
export function refusals(
  allowed: readonly string[],
  onProblem: (message: string) => void,
): (references: readonly NamedReference[]) => void {
  const known = new Set(allowed.map(normalMirror));
  let told: ReadonlySet<string> = new Set();
  return (references) => {
    const now = new Set<string>();
    for (const { name, reference } of references) {
      if (reference.kind !== "TUF" || known.has(reference.mirror)) continue;
      const message = `the SkillTrustRoot entry ${name}: ${notAllowed(reference).fault}`;
      if (!told.has(message) && !now.has(message)) onProblem(message);
      now.add(message);
    }
    told = now;
  };
}

/** Mirrors of a controller that may contact none. */
export const noMirrors = {
  follow: (): void => undefined,
  read: notAllowed,
  pending: (): boolean => false,
  onChange: (): void => undefined,
  close: (): Promise<void> => Promise.resolve(),
} as const;
