/** Origin of an image. */
export interface Source {
  readonly version: string;
  /** Commit, in hexadecimal. */
  readonly revision: string;
  /** SOURCE_DATE_EPOCH, seconds since 1970: the time of everything in the image. */
  readonly epoch: number;
  /** URL of the repository; absent where there is none. */
  readonly repository?: string;
}

/** Arguments of the Dockerfile that name the origin. */
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
