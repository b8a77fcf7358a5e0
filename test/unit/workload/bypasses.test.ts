import { describe, expect, it } from "vitest";

import { decodeVolumeObject } from "../../../src/kubernetes/volume-object.ts";
import type { VolumeObject } from "../../../src/skill/source.ts";
import { findSkills } from "../../../src/workload/find-skills.ts";
import { objectsToRead } from "../../../src/workload/objects-to-read.ts";
import { readPodSpec } from "../../../src/workload/pod/pod-spec.ts";
import {
  claim,
  configMap,
  container,
  emptyDir,
  found,
  mount,
  objects,
  pod,
  podWith,
  projected,
  shown,
  type Part,
  volume,
} from "../../fixtures/pods.ts";

const signed = { "SKILL.md": "S", run: "R" };
const evil = { "SKILL.md": "evil", run: "evil" };
const tree = [
  ["SKILL.md", "SKILL.md"],
  ["run", "scripts/run.sh"],
] as const;
const volumes = [volume("v", configMap("signed", tree)), volume("o", configMap("evil", [["run", "run.sh"]]))];
const read = { signed, evil };
const whole = "/skills/x: SKILL.md=S scripts/run.sh=R";

/** Each is a way in which files came past a check, here or elsewhere. */
describe("bypasses", () => {
  it("init containers and ephemeral containers forgotten", () => {
    for (const list of ["initContainers", "ephemeralContainers"]) {
      const subject = pod({ volumes, more: { [list]: [container("c", [mount("o", "/skills/x")])] } });
      expect(objectsToRead(readPodSpec(subject), [])).toMatchObject([{ name: "evil" }]);
      expect(found(subject, read)).toEqual(["/skills/x: run.sh=evil"]);
    }
  });

  it("ConfigMap mounted at ..data, behind every link of the volume", () => {
    for (const [path, lands] of [
      ["..data", "run.sh"],
      ["..data/scripts", "scripts/run.sh"],
      ["..2026_01_01/scripts", "scripts/run.sh"],
    ] as const) {
      for (const at of [`/skills/x/${path}`, `skills/x/${path}`]) {
        expect(found(podWith(volumes, [mount("v", "/skills/x"), mount("o", at)]), read)).toEqual([
          whole,
          `/skills/x: ${path}/run.sh=evil`,
          `/skills/x: ${lands}=evil`,
          "/skills/x: unverifiable ConfigMap",
        ]);
      }
    }
  });

  it("mount through ..data that lands in a skill root", () => {
    const all = [volume("h", configMap("harmless", [["k", "skills/k"]])), volume("s", claim)];
    const mounts = [mount("h", "/home/a/.claude"), mount("s", "/home/a/.claude/..data/skills")];
    expect(found(podWith(all, mounts), { harmless: { k: "h" } })).toContain(
      "/home/a/.claude/skills: unverifiable PersistentVolumeClaim",
    );
  });

  it("subPath through ..data", () => {
    const shows: readonly (readonly [subPath: string, tree: readonly string[]])[] = [
      ["..data", [whole]],
      ["./..data/scripts/", ["/skills/x: run.sh=R"]],
      ["..2026_01_01/SKILL.md", ["/skills/x: x=S"]],
      ["scripts/..x", []],
      ["..data/..", [whole]],
    ];
    for (const [subPath, tree] of shows) {
      expect(found(podWith(volumes, [mount("v", "/skills/x", { subPath })]), read)).toEqual([
        ...tree,
        "/skills/x: unverifiable ConfigMap",
      ]);
    }
  });

  it("nested mount in one container that covers a file for all of them, but not below ..data", () => {
    const own = [mount("v", "/skills/x")];
    const helper = container("helper", [mount("v", "/a"), mount("w", "/a/SKILL.md")]);
    const subject = pod({
      volumes: [volume("v", configMap("evil")), volume("w", claim)],
      containers: [container("agent", own), helper],
    });
    expect(found(subject, read)).toEqual([
      "/skills/x: run=evil",
      "/skills/x: SKILL.md=evil run=evil",
      "/a: run=evil",
      "/a: unverifiable PersistentVolumeClaim",
      "/a/..data: SKILL.md=evil run=evil",
    ]);
  });

  it("relative mount path, for which the kubelet takes no other mount for a nested one", () => {
    const helper = container("helper", [mount("v", "a"), mount("w", "/a/SKILL.md")]);
    const subject = pod({
      volumes: [volume("v", configMap("evil")), volume("w", configMap("empty"))],
      containers: [container("agent", [mount("v", "/skills/x")]), helper],
    });
    expect(found(subject, { ...read, empty: {} })).toContain("/skills/x: SKILL.md=evil run=evil");
  });

  it("signed skill mounted over another one, which stays readable below ..data", () => {
    const hidden = volume("h", configMap("evil", [["SKILL.md", "x/SKILL.md"]]));
    const over = mount("v", "/root/.claude/skills/x");
    const at = "/root/.claude/skills";
    const signedThere = `${at}/x: SKILL.md=S scripts/run.sh=R`;
    for (const mounts of [
      [mount("h", at), over],
      [over, mount("h", at)],
    ]) {
      expect(found(podWith([...volumes, hidden], mounts), read)).toEqual([
        signedThere,
        `${at}/..data/x: SKILL.md=evil`,
      ]);
    }
    const harmless = volume("h", configMap("evil", [["SKILL.md", "x/notes.txt"]]));
    const elsewhere = (path: string) =>
      podWith([...volumes, harmless], [mount("h", "/srv"), mount("v", path)]);
    const only = "/srv/y: SKILL.md=S scripts/run.sh=R";
    expect(found(elsewhere("/srv/y"), read)).toEqual([only]);
    expect(found(elsewhere("/srv/x"), read)).toEqual([
      only.replace("/y", "/x"),
      "/srv/..data/x: notes.txt=evil",
    ]);
  });

  it("skill of which every file is covered by an empty ConfigMap", () => {
    const all = volume("v", configMap("evil", [["SKILL.md", "x/SKILL.md"]]));
    const subject = podWith(
      [all, volume("e", configMap("empty"))],
      [mount("v", "/skills"), mount("e", "/skills/x")],
    );
    expect(found(subject, { ...read, empty: {} })).toEqual(["/skills/..data/x: SKILL.md=evil"]);
  });

  it("Secret under a nested mount, whose files nobody can read beforehand", () => {
    const secret = { secret: { secretName: "s", items: [{ key: "k", path: "x/SKILL.md" }] } };
    const mounts = [mount("s", "/skills"), mount("v", "/skills/x")];
    expect(found(podWith([...volumes, volume("s", secret)], mounts), read)).toEqual([
      whole,
      "/skills/..data/x: unverifiable Secret",
    ]);
  });

  it("file of a Secret or of an annotation at a path of the signed skill in another spelling, of which any wins", () => {
    const annotation = (path: string): Part => ({
      downwardAPI: { items: [{ path, fieldRef: { fieldPath: "metadata.annotations['skill']" } }] },
    });
    const secret = (path: string): Part => ({ secret: { name: "s", items: [{ key: "k", path }] } });
    for (const [path, source, kind] of [
      ["./SKILL.md", secret("./SKILL.md"), "Secret"],
      ["SKILL.md/", annotation("SKILL.md/"), "DownwardAPI"],
      ["scripts//run.sh", annotation("scripts//run.sh"), "DownwardAPI"],
    ] as const) {
      for (const sources of [
        [source, configMap("signed", tree)],
        [configMap("signed", tree), source],
      ]) {
        const subject = podWith([volume("v", projected(...sources))], [mount("v", "/srv/x")]);
        expect(found(subject, read), path).toEqual([
          "/srv/x: SKILL.md=S scripts/run.sh=R",
          `/srv/x: unverifiable ${kind}`,
        ]);
      }
    }
  });

  it("annotation at the path of an optional Secret that is not there", () => {
    const path = "SKILL.md";
    const annotation = {
      downwardAPI: { items: [{ path, fieldRef: { fieldPath: "metadata.annotations" } }] },
    };
    const absent = { secret: { name: "none", optional: true, items: [{ key: "k", path: `./${path}` }] } };
    const subject = podWith([volume("v", projected(annotation, absent))], [mount("v", "/srv/x")]);
    expect(found(subject, {})).toEqual(["/srv/x: unverifiable DownwardAPI", "/srv/x: unverifiable Secret"]);
  });

  it("SKILL.md in one volume and a script in another, where the first seems covered for all containers", () => {
    const subject = pod({
      volumes: [
        volume("v", configMap("signed", [["SKILL.md", "SKILL.md"]])),
        volume("o", configMap("evil", [["run", "run.sh"]])),
        volume("w", emptyDir),
      ],
      containers: [
        container("agent", [mount("v", "/srv/x"), mount("o", "/srv/x/scripts")]),
        container("helper", [mount("v", "b"), mount("w", "/b/SKILL.md")]),
      ],
    });
    expect(found(subject, read)).toContain("/srv/x: SKILL.md=S scripts/run.sh=evil");
  });

  it.each([
    ["/proc/self/root/skills/x", "/skills/x"],
    ["/proc/../proc//thread-self/root/skills/x", "/skills/x"],
    ["proc/1/task/1/root/skills/x", "/skills/x"],
  ])("mount through a link of /proc, which lands where that leads: %s", (path, lands) => {
    const all = [volume("o", configMap("evil", [["run", "run.sh"]])), volume("c", claim)];
    expect(found(podWith(all, [mount("o", path)]), read)).toContain(`${lands}: run.sh=evil`);
    const agent = { env: [{ name: "HOME", value: "/evil" }] };
    const home = podWith(all, [mount("c", path.replace("skills/x", "evil"))], agent);
    expect(found(home, read)).toContain("/evil: unverifiable PersistentVolumeClaim");
    expect(found(podWith(all, [mount("c", "/proc/sys/evil")], agent), read)).toEqual([]);
    const log = { terminationMessagePath: path };
    expect(found(podWith(volumes, [mount("v", "/srv/y")], log), read)).toContain(
      `${lands}: unverifiable Other`,
    );
  });

  it.each([
    ["C:\\Users\\Me\\.claude\\skills", "/users/me/.claude/skills"],
    ["\\Users\\Me", "/users/me"],
    ["c:/app/.CODEX/prompts/x", "/app/.codex/prompts/x"],
  ])("path of Windows: %s", (path, place) => {
    const subject = podWith([volume("c", claim)], [mount("c", path)]);
    expect(found(subject, read)).toEqual([`${place}: unverifiable PersistentVolumeClaim`]);
    expect(found(podWith([volume("c", claim)], [mount("c", "D:\\data")]), read)).toEqual([]);
  });

  it("link in an emptyDir that leads another mount onto the skill", () => {
    const mounts = [mount("v", "/skills/x"), mount("w", "/work"), mount("o", "/work/link")];
    const subject = podWith([...volumes, volume("w", emptyDir)], mounts);
    expect(found(subject, read)).toEqual([whole, "/work: unverifiable EmptyDir"]);
    expect(found(podWith([...volumes, volume("w", emptyDir)], mounts.slice(0, 2)), read)).toEqual([whole]);
  });

  it("link in an emptyDir that a mount path leaves by ..", () => {
    const mounts = [mount("v", "/skills/x"), mount("w", "/work"), mount("o", "/work/link/../../etc/x")];
    expect(found(podWith([...volumes, volume("w", emptyDir)], mounts), read)).toEqual([
      whole,
      "/work: unverifiable EmptyDir",
    ]);
  });

  it("link in an emptyDir, beside a skill that nobody can read beforehand", () => {
    const away = [mount("w", "/work"), mount("o", "/work/link")];
    const all = [...volumes, volume("w", emptyDir), volume("s", { secret: { secretName: "s" } })];
    expect(found(podWith(all, [mount("s", "/skills/x"), ...away]), read)).toEqual([
      "/skills/x: unverifiable Secret",
      "/work: unverifiable EmptyDir",
    ]);
    expect(found(podWith(all, [mount("s", "/etc/x"), ...away]), read)).toEqual([]);
  });

  it("script covered by a mount, beside a SKILL.md of a third volume", () => {
    const mounts = [
      mount("o", "/srv/x"),
      mount("v", "/srv/x/SKILL.md", { subPath: "SKILL.md" }),
      mount("e", "/srv/x/scripts"),
    ];
    const all = [
      volume("o", configMap("evil", [["run", "scripts/run.sh"]])),
      volume("v", configMap("signed", tree)),
      volume("e", configMap("more", [["run", "run.sh"]])),
    ];
    expect(found(podWith(all, mounts), { ...read, more: { run: "M" } })).toEqual([
      "/srv/x: SKILL.md=S scripts/run.sh=M",
      "/srv/x/..data: scripts/run.sh=evil",
    ]);
  });

  it("SKILL.md under a file of an optional Secret that is not there", () => {
    const secret = { name: "gone", optional: true, items: [{ key: "k", path: "SKILL.md" }] };
    for (const sources of [
      [configMap("evil"), { secret }],
      [{ secret }, configMap("evil", undefined, { optional: true })],
    ]) {
      const subject = podWith([volume("v", projected(...sources))], [mount("v", "/srv/x")]);
      expect(found(subject, read).toSorted()).toEqual([
        "/srv/x: SKILL.md=evil run=evil",
        "/srv/x: unverifiable Secret",
      ]);
    }
  });

  it("relative path that lies over what is listed after it, or under it", () => {
    const parts = [volume("v", configMap("signed", [["SKILL.md", "SKILL.md"]])), volumes[1]!];
    for (const [outer, inner] of [
      ["srv/x", "/srv/x/scripts"],
      ["/srv/x", "srv/x/scripts"],
    ] as const) {
      const all = found(podWith(parts, [mount("o", inner), mount("v", outer)]), read);
      expect(all).toContain("/srv/x: unverifiable ConfigMap");
    }
    const absolute = podWith(parts, [mount("o", "/srv/x/scripts"), mount("v", "/srv/x")]);
    expect(found(absolute, read)).toEqual(["/srv/x: SKILL.md=S scripts/run.sh=evil"]);
  });

  it("terminationMessagePath, an empty and writable file over a signed one", () => {
    for (const terminationMessagePath of ["/skills/x/scripts/run.sh", "skills/x/SKILL.md", "/skills/x/new"]) {
      const subject = podWith(volumes, [mount("v", "/skills/x")], { terminationMessagePath });
      expect(found(subject, read).filter((shown) => shown !== whole)).toContain(
        "/skills/x: unverifiable Other",
      );
    }
    const usual = podWith(volumes, [mount("v", "/skills/x")], {
      terminationMessagePath: "/dev/termination-log",
    });
    expect(found(usual, read)).toEqual([whole]);
  });

  it("terminationMessagePath through a link in an emptyDir", () => {
    const mounts = [mount("v", "/skills/x"), mount("w", "/work")];
    const subject = podWith([...volumes, volume("w", emptyDir)], mounts, {
      terminationMessagePath: "/work/log",
    });
    expect(found(subject, read)).toEqual([whole, "/work: unverifiable EmptyDir"]);
  });

  it("block device in place of SKILL.md", () => {
    const volumeDevices = [{ name: "disk", devicePath: "/skills/x/SKILL.md" }];
    expect(found(podWith(volumes, [mount("v", "/skills/x")], { volumeDevices }), read)).toContain(
      "/skills/x: unverifiable Other",
    );
  });

  it("ConfigMap laid over a skill outside of every skill root", () => {
    const subject = podWith(
      [volume("v", configMap("signed")), volume("o", configMap("evil", [["run", "run"]]))],
      [mount("v", "/data/x"), mount("o", "/data/x/run", { subPath: "run" })],
    );
    expect(objectsToRead(readPodSpec(subject), []).map(({ name }) => name)).toEqual(["signed", "evil"]);
  });

  it("file named SKILL.md by its mount path only", () => {
    const subject = podWith(
      [volume("o", configMap("evil", [["run", "notes.txt"]]))],
      [mount("o", "/data/x/SKILL.md", { subPath: "notes.txt" })],
    );
    expect(objectsToRead(readPodSpec(subject), [])).toHaveLength(1);
    expect(found(subject, read)).toEqual(["/data/x: SKILL.md=evil"]);
  });

  it("script beside or around a SKILL.md that is mounted by itself, of an object read for another key", () => {
    const skillFile = [
      volume("v", configMap("signed")),
      mount("v", "/data/x/SKILL.md", { subPath: "SKILL.md" }),
    ] as const;
    const script = volume("o", configMap("evil", [["run", "run"]], { optional: true }));
    const decoy = [volume("d", configMap("evil", [["note", "note.md"]])), mount("d", "/notes")] as const;
    for (const path of ["/data/x/scripts", "/data/x", "/data"]) {
      const alone = podWith([skillFile[0], script], [skillFile[1], mount("o", path)]);
      expect(objectsToRead(readPodSpec(alone), [])).toMatchObject([{ name: "signed" }, { name: "evil" }]);
      const subject = podWith([skillFile[0], script, decoy[0]], [skillFile[1], mount("o", path), decoy[1]]);
      const [, evilKeys] = objectsToRead(readPodSpec(subject), []);
      expect(evilKeys!.keys).toEqual(new Set(["run", "note"]));
    }
    const elsewhere = podWith([skillFile[0], script], [skillFile[1], mount("o", "/data/y")]);
    expect(objectsToRead(readPodSpec(elsewhere), [])).toMatchObject([{ name: "signed" }]);
  });

  describe("skill outside of every skill root, in a volume whose place or content is doubtful", () => {
    const at = (
      first: string,
      second: string,
      volumes = [volume("v", configMap("evil")), volume("h", configMap("harmless"))],
    ) => podWith(volumes, [mount("h", first), mount("v", second)]);
    const env = [{ name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }];
    const expr = (type: Part) =>
      podWith([volume("v", type)], [mount("v", "/data", { subPathExpr: "$(NODE)" })], { env });
    const tree = configMap("evil", [["SKILL.md", "n1/SKILL.md"]]);
    const markdown = { "notes.md": "---\nname: x\ndescription: y\n---\n" };

    it.each([
      ["two spellings of one path", at("/data", "/data/")],
      [
        "two spellings, the other way round",
        at("/data/", "/data", [volume("h", configMap("evil")), volume("v", configMap("harmless"))]),
      ],
      ["relative path inside another mount", at("data", "data/inner")],
      ["path of the kubelet's own", at("/data", "/data/..x")],
      [
        "subPath through ..data",
        podWith([volume("v", tree)], [mount("v", "/data", { subPath: "..data/n1" })]),
      ],
      ["relative path around another mount", at("/data/y", "data")],
      ["subPathExpr that only the node knows", expr(tree)],
      [
        "device over it",
        podWith([volume("v", configMap("evil"))], [mount("v", "/data")], {
          volumeDevices: [{ name: "d", devicePath: "/data/" }],
        }),
      ],
    ])("%s", (_, subject) => {
      const harmless = { "app.yaml": "a" };
      const all = found(subject, { evil, harmless });
      expect(all).toContainEqual(expect.stringContaining("unverifiable ConfigMap"));
      // Its bytes are judged as well: a policy may let the doubt pass.
      expect(all).toContainEqual(expect.stringContaining("SKILL.md=evil"));
      expect(found(subject, { evil: harmless, harmless })).toEqual([]);
    });

    it("is a part of a skill, wherever it may lie beside that", () => {
      const file = mount("v", "/data/x/SKILL.md", { subPath: "SKILL.md" });
      const doubtful = (more: Part) => mount("h", "/data", { subPathExpr: "$(NODE)", ...more });
      const volumes = [
        volume("v", configMap("signed")),
        volume("h", configMap("evil", [["run", "n1/x/scripts/run.sh"]])),
      ];
      const subject = podWith(volumes, [file, doubtful({})], { env });
      expect(objectsToRead(readPodSpec(subject), [])).toHaveLength(2);
      expect(found(subject, { signed, evil })).toEqual([
        "/data/x: SKILL.md=S",
        "/data/x: scripts/run.sh=evil",
        "/data/x: unverifiable ConfigMap",
      ]);
      const away = podWith(volumes, [file, mount("h", "/etc/app", { subPathExpr: "$(NODE)" })], { env });
      expect(found(away, { signed, evil })).toEqual(["/data/x: SKILL.md=S"]);
    });

    it("shows each folder of the volume by itself, where none holds the files of all", () => {
      const two = configMap("evil", [
        ["SKILL.md", "a/SKILL.md"],
        ["run", "b/run.sh"],
      ]);
      const subject = podWith([volume("v", two)], [mount("v", "/skills/x/y", { subPathExpr: "$(NODE)" })], {
        env,
      });
      expect(found(subject, { evil })).toEqual([
        "/skills/x/y: a/SKILL.md=evil b/run.sh=evil",
        "/skills/x/y: unverifiable ConfigMap",
        "/skills/x: unverifiable ConfigMap",
      ]);
    });

    it("counts where a Markdown file declares it", () => {
      expect(found(at("/data", "/data/"), { evil: markdown, harmless: {} })).toContain(
        "/data: unverifiable ConfigMap",
      );
      expect(found(at("/data", "/data/"), { evil: { "notes.md": "# Notes" }, harmless: {} })).toEqual([]);
    });

    it("is nothing where the volume cannot be read anyway, as for the logs of each pod", () => {
      expect(found(expr(emptyDir))).toEqual([]);
      expect(found(expr({ secret: { secretName: "s" } }))).toEqual([]);
    });
  });

  it("optional key that was not read, as if the object did not have it", () => {
    const subject = podWith(
      [volume("v", projected(configMap("signed"), configMap("evil", [["run", "more"]], { optional: true })))],
      [mount("v", "/data/x")],
    );
    const withKeys = (keys: readonly string[]) => {
      const all = objects({ signed, evil: {} });
      const evilObject = { ...(all.get("ConfigMap/evil") as VolumeObject), keys: new Set(keys) };
      return findSkills(readPodSpec(subject), [], new Map([...all, ["ConfigMap/evil", evilObject]])).map(
        shown,
      );
    };
    expect(withKeys(["note"])).toEqual([
      "/data/x: unavailable SOURCE_UNAVAILABLE",
      "/data/x: SKILL.md=S run=R",
    ]);
    expect(withKeys(["run"])).toEqual(["/data/x: SKILL.md=S run=R"]);
  });

  it("skill hidden behind a later source of the same projected volume", () => {
    const type = projected(configMap("signed"), configMap("evil", [["run", "run"]]));
    expect(
      objectsToRead(readPodSpec(podWith([volume("v", type)], [mount("v", "/data/x")])), []),
    ).toHaveLength(2);
    expect(found(podWith([volume("v", type)], [mount("v", "/data/x")]), read)).toEqual([
      "/data/x: SKILL.md=S run=evil",
    ]);
  });

  it("SKILL.md in letters that only look different (ﬀ, fullwidth, upper case)", () => {
    for (const path of ["ＳＫＩＬＬ.md", "SKILL.MD", "skill.ｍｄ"]) {
      const type = configMap("evil", [["run", path]]);
      const subject = podWith([volume("o", type)], [mount("o", "/data/x")]);
      expect(objectsToRead(readPodSpec(subject), [])).toHaveLength(1);
      expect(found(subject, read)).toHaveLength(1);
    }
  });

  it("volume over the container's root", () => {
    expect(found(podWith(volumes, [mount("v", "/")]), read)).toEqual([
      "/: SKILL.md=S scripts/run.sh=R",
      "/: unverifiable ConfigMap",
    ]);
  });

  it.each([
    ["items", podWith([volume("v", configMap("evil", [["run", "f\ufffd"]]))], [mount("v", "/x")])],
    ["mountPath", podWith(volumes, [mount("v", "/skills/\ufffd")])],
    ["subPath", podWith(volumes, [mount("v", "/skills/x", { subPath: "s\ufffd" })])],
    [
      "subPathExpr",
      podWith(volumes, [mount("v", "/skills/x", { subPathExpr: "$(S)" })], {
        env: [{ name: "S", value: "s\ufffd" }],
      }),
    ],
  ])(
    "path of bytes that are no UTF-8, sent by protobuf, in %s: JSON shows two of them as one",
    (_, subject) => {
      expect(() => readPodSpec(subject)).toThrow(/characters that no path has|U\+FFFD/);
    },
  );

  it("text of bytes that are no UTF-8, sent by protobuf: a container reads other bytes than JSON shows", () => {
    const ref = { kind: "ConfigMap", namespace: "payments", name: "signed" } as const;
    const data = { "SKILL.md": "S\ufffd", run: "R" };
    const doubtful = new Map([
      ["ConfigMap/signed", decodeVolumeObject({ apiVersion: "v1", kind: "ConfigMap", data }, ref)],
    ]);
    const seenAt = (path: string, type = configMap("signed")) =>
      findSkills(readPodSpec(podWith([volume("v", type)], [mount("v", path)])), [], doubtful).map(shown);
    expect(seenAt("/skills/x")).toContain("/skills/x: unavailable SOURCE_MALFORMED");
    expect(seenAt("/etc/x")).toContain("/etc/x: unavailable SOURCE_MALFORMED");
    expect(seenAt("/skills/x", configMap("signed", tree))).toContain(
      "/skills/x: unavailable SOURCE_MALFORMED",
    );
    expect(seenAt("/skills/x", configMap("signed", [["run", "run.sh"]]))).toEqual(["/skills/x: run.sh=R"]);
    expect(seenAt("/etc/x", configMap("signed", [["SKILL.md", "motd"]]))).toEqual([]);
  });

  it("second home in a variable that variables make", () => {
    const env = [
      { name: "A", value: "/da" },
      { name: "HOME", value: "$(A)ta" },
    ];
    const subject = podWith([volume("u", claim)], [mount("u", "/data/.codex/skills/x")], { env });
    expect(found(subject)).toEqual(["/data/.codex/skills/x: unverifiable PersistentVolumeClaim"]);
    expect(found(podWith([volume("u", claim)], [mount("u", "/data")], { env }))).toEqual([
      "/data: unverifiable PersistentVolumeClaim",
    ]);
  });
});
