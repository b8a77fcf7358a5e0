import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder to work in, with a skill `demo` that nobody has signed. */
export interface SkillFolder {
  readonly home: string;
  readonly skill: string;
  /** Writes a file below `home`; returns its path. */
  readonly put: (path: string, content: string) => string;
  /** Makes a key pair; returns the paths of its two PEM files. */
  readonly keys: (
    kind: "ec" | "ed25519",
    name: string,
    passphrase?: string,
  ) => { readonly key: string; readonly pub: string };
}

export function makeSkillFolder(): SkillFolder {
  const home = mkdtempSync(join(tmpdir(), "sign-"));
  const put: SkillFolder["put"] = (path, content) => {
    mkdirSync(join(home, path, ".."), { recursive: true });
    writeFileSync(join(home, path), content);
    return join(home, path);
  };
  put("demo/SKILL.md", "---\nname: demo\ndescription: A skill.\n---\n# Demo\n");
  put("demo/scripts/run.sh", "#!/bin/sh\necho demo\n");
  return {
    home,
    skill: join(home, "demo"),
    put,
    keys: (kind, name, passphrase) => {
      const { privateKey, publicKey } =
        kind === "ec" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
      const sealed = passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase };
      return {
        key: put(`${name}.key`, privateKey.export({ type: "pkcs8", format: "pem", ...sealed }) as string),
        pub: put(`${name}.pub`, publicKey.export({ type: "spki", format: "pem" }) as string),
      };
    },
  };
}
