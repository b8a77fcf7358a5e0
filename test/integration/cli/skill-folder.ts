import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeKeyPair, type KeyFiles } from "../../fixtures/key-pair.ts";

/** A folder to work in, with an unsigned skill `demo`. */
export interface SkillFolder {
  readonly home: string;
  readonly skill: string;
  /** Writes a file below `home`; returns its path. */
  readonly put: (path: string, content: string) => string;
  /** Makes a key pair; returns the paths of its two PEM files. */
  readonly keys: (kind: "ec" | "ed25519", name: string, passphrase?: string) => KeyFiles;
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
    keys: (kind, name, passphrase) => writeKeyPair(join(home, name), kind, passphrase),
  };
}
