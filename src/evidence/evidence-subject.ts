import type { ImageIdentity } from "../skill/source.ts";
import type { Skill } from "../skill/skill.ts";

/** The thing that evidence is about: the skill's bytes, and the image that they lie in, which may be signed by itself. */
export interface EvidenceSubject {
  readonly skill: Skill;
  /** Absent where the skill is in no image. */
  readonly image?: ImageIdentity;
}
