import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { licenseAllowed } from "../../../src/card/license/license.ts";
import { readCard } from "../../../src/card/read-card.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { corpus, readTree } from "../../fixtures/corpus.ts";

const root = `${corpus}/nvidia/skills`;
const names = readdirSync(root).sort();
const skillAt = (name: string): Skill => readTree(`${root}/${name}`);

/** Read off the files by eye. */
const expected: Readonly<Record<string, object>> = {
  "amc-setup-calibration-stack": {
    description: "Launch AutoMagicCalib microservice and web UI from NGC release images via Docker Compose.",
    version: "1.0.0",
    license: { raw: "Apache-2.0", spdx: "Apache-2.0" },
    posture: "commercial",
    credentials: "yes",
    references: [
      { label: "AutoMagicCalib GitHub Repository", url: "https://github.com/NVIDIA-AI-IOT/auto-magic-calib" },
      { label: "VGGT-1B-Commercial Model", url: "https://huggingface.co/facebook/VGGT-1B-Commercial" },
    ],
  },
  "doca-pcc": {
    version: "7b32072",
    license: { raw: "Apache 2.0 AND CC-BY-4.0", spdx: "Apache-2.0 AND CC-BY-4.0" },
    posture: "commercial",
    credentials: "no",
  },
  "jetson-print-bsp-info": {
    description:
      "Use when you need to print Jetson BSP info (L4T version, board configs, rootfs state) from a Linux_for_Tegra root on the host PC.",
    version: "0.0.1",
    license: { raw: "CC-BY-4.0 AND Apache 2.0", spdx: "CC-BY-4.0 AND Apache-2.0" },
    posture: "demonstration",
    references: [{ label: "SKILL.md", url: "skills/jetson-print-bsp-info/SKILL.md" }],
  },
  "mcore-create-issue": {
    version: "core_v0.15.0rc7-1652-g1325db3b5",
    license: { raw: "Apache-2.0", spdx: "Apache-2.0" },
    useCase:
      "Developers and CI engineers who need to triage failing GitHub Actions runs and file structured bug reports against NVIDIA/Megatron-LM.",
  },
  "nemo-automodel-recipe-development": {
    version: "v1.2.1+7febc6e",
    license: { raw: "Apache 2.0", spdx: "Apache-2.0" },
    credentials: "unspecified",
  },
  "omniverse-realtime-viewer": { version: "0.2.0", permissions: ["Read", "Shell", "Write"] },
  "tao-list-capabilities": { version: "0.1.0", permissions: ["Read", "Bash"] },
  "vss-search-archive": {
    version: "3.2.0",
    license: { raw: "Apache 2.0 OR MIT", spdx: "Apache-2.0 OR MIT" },
    posture: "demonstration",
  },
};

describe("readCard, of the catalogue's skills", () => {
  it("finds 23 skills", () => {
    expect(names).toHaveLength(23);
  });

  it.each(names)("reads %s whole, without fault", (name) => {
    const { card: found, frontmatter, faults } = readCard(skillAt(name));
    const card = found!;
    expect(faults).toEqual([]);
    expect(frontmatter?.name).toBe(name);
    expect(frontmatter?.license).toMatch(/Apache-2\.0/);
    expect(card).toMatchObject({ format: "skill-card.md", name, owner: "NVIDIA", geography: "Global" });
    expect(card.description).toMatch(/^[A-Z].*\.$/);
    expect(card.description).not.toMatch(/<br>|This skill is/);
    expect(card.useCase).toMatch(/\.$/);
    expect(card.version).toMatch(/^[\w.+-]+$/);
    expect(["commercial", "demonstration"]).toContain(card.posture);
    expect(card.risks).toEqual([
      {
        text: "Review before execution as proposals could introduce incorrect or misleading guidance into skills.",
        mitigation: "Review and scan skill before deployment.",
      },
    ]);
    expect(card.references.length).toBeGreaterThan(0);
    expect(licenseAllowed(card.license!.spdx!, { allow: ["Apache-2.0", "CC-BY-4.0"] })).toBe(true);
    expect(licenseAllowed(card.license!.spdx!, { allow: ["CC-BY-4.0"] })).toBe(false);
    expect(card).toMatchObject(expected[name] ?? {});
  });

  it("splits the longest list of tools at its brackets", () => {
    const tools = readCard(skillAt("rag-blueprint")).frontmatter?.allowedTools ?? [];
    expect(tools).toContain("Bash(docker compose ps *)");
    expect(tools.every((tool) => /^\w+(?:\([^()]*\))?$/.test(tool))).toBe(true);
  });
});
