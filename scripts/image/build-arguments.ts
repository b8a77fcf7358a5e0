/** Where an image comes from. */
export interface Source {
  readonly version: string;
  /** Commit, in hexadecimal. */
  readonly revision: string;
  /** SOURCE_DATE_EPOCH, seconds: every time in the image is this one. */
  readonly epoch: number;
  /** URL of the repository, where it has one. */
  readonly repository?: string;
}

/** Arguments of the Dockerfile that say what is built. */
export const buildArguments = ({
  version,
  revision,
  epoch,
  repository,
}: Source): Readonly<Record<string, string>> => ({
  VERSION: version,
  SOURCE_REVISION: revision,
  SOURCE_DATE_EPOCH: String(epoch),
  CREATED: new Date(epoch * 1000).toISOString().replace(".000Z", "Z"),
  ...(repository === undefined ? {} : { SOURCE: repository }),
});
