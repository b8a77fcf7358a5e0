import { BadVersionError, DownloadHTTPError, ExpiredMetadataError } from "tuf-js/dist/error.js";
import { describe, expect, it } from "vitest";
import { MirrorFault, mirrorRemedy } from "../../../src/tuf/mirror-remedy.ts";

const withCode = (code: string): Error => Object.assign(new Error("self-signed certificate"), { code });

describe("mirrorRemedy", () => {
  it.each<[string, unknown, RegExp]>([
    ["a fault that brings its own", new MirrorFault("x", "correct tuf.root"), /^correct tuf\.root$/],
    ["expired metadata", new ExpiredMetadataError("timestamp.json is expired"), /renew its metadata/],
    ["older metadata", new BadVersionError("version 1 is less"), /older metadata/],
    ["a file that is not there", new DownloadHTTPError("404", 404), /tuf\.mirror is the address/],
    [
      "foreign signatures",
      new Error("timestamp was signed by 0/1 keys"),
      /tuf\.root is a root\.json of this/,
    ],
    ["an unknown authority", withCode("SELF_SIGNED_CERT_IN_CHAIN"), /trust\.tuf\.caConfigMap/],
    ["a mirror that is busy", new DownloadHTTPError("503", 503), /can be reached/],
    ["no connection", withCode("ECONNREFUSED"), /can be reached/],
    ["words in the middle", new Error("was signed by 0/1 keys it says"), /can be reached/],
  ])("says what to do about %s", (_what, error, remedy) => {
    expect(mirrorRemedy(error)).toMatch(remedy);
  });
});
