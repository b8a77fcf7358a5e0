import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { allExamples } from "../../../scripts/generate/examples.ts";
import { parseResource } from "../../../src/policy/resource/parse.ts";
import type {
  MirrorReference,
  NamedReference,
  ResolvedReference,
} from "../../../src/policy/trust/reference.ts";
import { publicGoodRoot } from "../../../src/signature/sigstore/root/public-good-root.ts";
import {
  createTufMirrors,
  maxRepositories,
  type SuppliedEntry,
  type TufMirrors,
} from "../../../src/tuf/tuf-mirrors.ts";
import { longAgo, tufKey, TufRepository, type Publication } from "../../fixtures/tuf-repository.ts";
import { tufServer, type TufServer } from "../../fixtures/tuf-server.ts";

/** A trusted root other than the public instance's. */
const otherRoot = ((): string => {
  const root = JSON.parse(publicGoodRoot) as { timestampAuthorities?: unknown };
  delete root.timestampAuthorities;
  return JSON.stringify(root);
})();

/** Milliseconds in which anything that is waited for happens on a machine that is busy with something else. */
const patience = 20_000;

/** A clock that stands still until the test says that the waiting is over. */
class TestClock {
  time = Date.parse("2026-11-21T00:00:00Z");
  readonly waits: number[] = [];
  readonly #wake: (() => void)[] = [];

  now = (): number => this.time;
  random = (): number => 0.5;

  sleep = (milliseconds: number, signal: AbortSignal): Promise<void> => {
    this.waits.push(milliseconds);
    return new Promise((resolve) => {
      this.#wake.push(resolve);
      signal.addEventListener("abort", () => resolve());
      if (signal.aborted) resolve();
    });
  };

  /** Ends all waits, and returns when a follower has updated and waits again. */
  async next(): Promise<void> {
    const before = this.waits.length;
    this.time += 1_000;
    for (const wake of this.#wake.splice(0)) wake();
    await vi.waitFor(() => expect(this.waits.length).toBeGreaterThan(before), patience);
  }
}

let repository: TufRepository;
let server: TufServer;
let home: string;
let clock: TestClock;
let mirrors: TufMirrors;
let problems: string[];
let recovered: string[];
let states: (readonly SuppliedEntry[])[];
let changes: number;
/** Requests take too long when the test says so. */
let late: AbortController;

beforeEach(async () => {
  repository = new TufRepository();
  repository.publish(publicGoodRoot, { versions: { timestamp: 5, snapshot: 5, targets: 5 } });
  server = await tufServer(repository.files);
  home = await mkdtemp(join(tmpdir(), "skill-admission-test-tuf-"));
  late = new AbortController();
  mirrors = open();
});
afterEach(async () => {
  await mirrors.close();
  await server.close();
  await rm(home, { recursive: true, force: true });
});

function open(allowed: readonly string[] = [server.url]): TufMirrors {
  clock = new TestClock();
  [problems, recovered, states, changes] = [[], [], [], 0];
  const opened = createTufMirrors({
    allowed,
    folder: home,
    clock,
    deadline: () => late.signal,
    onProblem: (message) => void problems.push(message),
    onRecovered: (message) => void recovered.push(message),
    onState: (entries) => void states.push(entries),
  });
  opened.onChange(() => void (changes += 1));
  return opened;
}

const referenceOf = (over: Partial<MirrorReference> = {}): MirrorReference => ({
  kind: "TUF",
  mirror: server.url,
  root: repository.root,
  target: "trusted_root.json",
  ...over,
});
const named = (...references: readonly MirrorReference[]): readonly NamedReference[] =>
  references.map((reference, index) => ({ name: `r/${index}`, reference }));

/** Follows, and waits for the first look. */
async function look(reference = referenceOf()): Promise<ResolvedReference> {
  mirrors.follow(named(reference));
  await vi.waitFor(() => expect(clock.waits).toHaveLength(1), patience);
  return mirrors.read(reference);
}

describe("a TUF mirror", () => {
  it("supplies what it publishes, asked for in the background", async () => {
    expect(mirrors.read(referenceOf()).fault).toMatch(/is not asked yet/);
    expect(await look()).toEqual({ text: publicGoodRoot });
    expect(states.at(-1)).toEqual([{ name: "r/0", up: true, lastSuccess: clock.time }]);
    expect([problems, recovered, changes]).toEqual([[], [], 2]);
  });

  it("is asked again after an hour, and tells of a change alone", async () => {
    await look();
    expect(clock.waits).toEqual([3_600_000]);
    const before = changes;
    await clock.next();
    expect([mirrors.read(referenceOf()), changes]).toEqual([{ text: publicGoodRoot }, before]);
    repository.publish(otherRoot);
    await clock.next();
    expect([mirrors.read(referenceOf()), changes]).toEqual([{ text: otherRoot }, before + 1]);
    expect(states.at(-1)?.[0]?.lastSuccess).toBe(clock.time);
  });

  it("that is down is no reason to stop, is asked again sooner and sooner not, and told of once", async () => {
    server.instead = (_request, response) => void response.destroy();
    const { text, fault } = await look();
    expect(text).toBeUndefined();
    expect(fault).toMatch(/^http:\/\/127\.0\.0\.1:\d+: .*; see that the mirror can be reached/);
    for (let round = 0; round < 12; round += 1) await clock.next();
    const firsts = clock.waits.slice(0, 4).map((wait) => wait / 0.75);
    expect(firsts).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(clock.waits.at(-1)! / 0.75).toBe(600_000);
    expect([problems.length, recovered.length]).toEqual([1, 0]);
    expect(states.at(-1)).toEqual([{ name: "r/0", up: false }]);
    server.instead = undefined;
    await clock.next();
    expect(mirrors.read(referenceOf())).toEqual({ text: publicGoodRoot });
    expect(recovered).toEqual([`the TUF mirror ${server.url} answers again`]);
    expect(clock.waits.at(-1)).toBe(3_600_000);
  });

  it("that goes down leaves what it published last in force, also over a restart", async () => {
    await look();
    const last = clock.time;
    await server.close();
    await clock.next();
    expect(mirrors.read(referenceOf())).toEqual({
      text: publicGoodRoot,
      fault: expect.stringContaining("ECONNREFUSED") as string,
    });
    expect(problems).toEqual([expect.stringContaining("what it published last stays in force") as string]);
    expect(states.at(-1)).toEqual([{ name: "r/0", up: false, lastSuccess: last }]);
    await mirrors.close();
    mirrors = open();
    mirrors.follow(named(referenceOf()));
    expect(mirrors.pending()).toBe(true);
    // Before any answer: what was kept is read first.
    await vi.waitFor(() => expect(mirrors.pending()).toBe(false), patience);
    expect((await look()).text).toBe(publicGoodRoot);
    expect(states.at(-1)).toEqual([{ name: "r/0", up: false, lastSuccess: last }]);
  });

  it.each([
    ["a pipe", (path: string) => void execFileSync("mkfifo", [path])],
    ["a link", (path: string) => symlinkSync("/dev/zero", path)],
    ["a folder", (path: string) => mkdirSync(path)],
  ])("is not waited for where %s is in place of what was kept", async (_what, put) => {
    await look();
    const [folder = ""] = await readdir(home);
    await mirrors.close();
    for (const name of ["last-good.json", "metadata/root.json", "metadata/timestamp.json"]) {
      await rm(join(home, folder, name));
      put(join(home, folder, name));
    }
    mirrors = open();
    expect(await look()).toEqual({ text: publicGoodRoot });
    expect(mirrors.pending()).toBe(false);
  });

  it("is not taken for fresh for years, because the clock was wrong when it answered last", async () => {
    await look();
    await mirrors.close();
    const [folder = ""] = await readdir(home);
    const at = clock.time + 365 * 24 * 3_600_000;
    await writeFile(join(home, folder, "last-good.json"), JSON.stringify({ text: publicGoodRoot, at }));
    await server.close();
    mirrors = open();
    expect((await look()).text).toBe(publicGoodRoot);
    expect(states.at(-1)).toEqual([{ name: "r/0", up: false, lastSuccess: clock.time }]);
  });

  it("that is not named when the controller starts is not contacted", async () => {
    await mirrors.close();
    mirrors = open([`${server.url}/other`, "https://tuf.example.com"]);
    mirrors.follow(named(referenceOf()));
    expect(mirrors.read(referenceOf()).fault).toMatch(
      /no mirror that this controller may contact.*--tuf-mirror=http/,
    );
    expect([clock.waits, server.asked]).toEqual([[], []]);
  });

  it("is asked once for all entries that name the same, and no more when none does", async () => {
    mirrors.follow([...named(referenceOf()), { name: "other/entry", reference: referenceOf() }]);
    await vi.waitFor(() => expect(clock.waits).toHaveLength(1), patience);
    expect(server.asked.filter((path) => path === "/timestamp.json")).toHaveLength(1);
    expect(states.at(-1)?.map(({ name, up }) => [name, up])).toEqual([
      ["r/0", true],
      ["other/entry", true],
    ]);
    mirrors.follow([]);
    expect(states.at(-1)).toEqual([]);
    expect(mirrors.read(referenceOf()).text).toBeUndefined();
  });

  it("is one of so many at most", () => {
    const many = Array.from({ length: maxRepositories + 1 }, (_, index) =>
      referenceOf({ target: `t${index}` }),
    );
    mirrors.follow(named(...many));
    expect(mirrors.read(many[0]!).fault).toMatch(/has not answered yet/);
    expect(mirrors.read(many.at(-1)!).fault).toMatch(/16 repositories are followed already; name fewer/);
  });

  it("is followed by its root from one rotation to the next, each signed by the keys before", async () => {
    const old = repository.keys.root;
    for (let round = 0; round < 3; round += 1) {
      const before = repository.keys.root;
      repository.keys.root = [tufKey()];
      repository.keys.timestamp = [tufKey()];
      repository.publishRoot([...before, ...repository.keys.root]);
    }
    repository.publish(otherRoot);
    expect(await look()).toEqual({ text: otherRoot });
    expect(repository.keys.root).not.toEqual(old);
    // From now on the newest root counts: signatures by keys of older roots do not.
    repository.publish(publicGoodRoot, { signers: { timestamp: old } });
    await clock.next();
    expect(mirrors.read(referenceOf()).text).toBe(otherRoot);
  });

  it("keeps no folder of what is not followed any more", async () => {
    await look();
    const kept = await readdir(home);
    await writeFile(join(home, "notes.txt"), "of somebody else");
    const second = referenceOf({ target: "second.json" });
    mirrors.follow(named(second));
    await vi.waitFor(() => expect(clock.waits).toHaveLength(2), patience);
    expect(await readdir(home)).not.toContain(kept[0]);
    expect(await readdir(home)).toContain("notes.txt");
  });

  it("begins anew where its folder holds rubbish", async () => {
    await look();
    const [folder = ""] = await readdir(home);
    await mirrors.close();
    const metadata = join(home, folder, "metadata");
    for (const name of await readdir(metadata)) await writeFile(join(metadata, name), "{");
    await writeFile(join(home, folder, "last-good.json"), JSON.stringify({ text: "{}", at: 1 }));
    mirrors = open();
    expect(await look()).toEqual({ text: publicGoodRoot });
    expect(JSON.parse(await readFile(join(home, folder, "last-good.json"), "utf8"))).toMatchObject({
      text: publicGoodRoot,
    });
  });
});

describe("what a mirror, or who stands before it, tries", () => {
  /** The second look, after something was done to a mirror that was in order. */
  async function after(change: () => void): Promise<ResolvedReference> {
    await look();
    change();
    await clock.next();
    return mirrors.read(referenceOf());
  }

  it.each<[string, Publication, RegExp]>([
    [
      "a timestamp that has expired (freeze)",
      { expires: { timestamp: longAgo } },
      /timestamp\.json is expired/,
    ],
    ["a snapshot that has expired", { expires: { snapshot: longAgo } }, /snapshot\.json is expired/],
    ["targets that have expired", { expires: { targets: longAgo } }, /targets\.json is expired/],
    ["an older timestamp (rollback)", { versions: { timestamp: 4 } }, /timestamp version 4 is less/],
    ["an older snapshot (rollback)", { versions: { snapshot: 4 } }, /snapshot version 4 is less/],
    ["older targets (rollback)", { versions: { targets: 4 } }, /New version 4 of targets\.json is less/],
    [
      "a timestamp by a stranger",
      { signers: { timestamp: [tufKey()] } },
      /timestamp was signed by 0\/1 keys/,
    ],
    ["a snapshot by a stranger", { signers: { snapshot: [tufKey()] } }, /snapshot was signed by 0\/1 keys/],
    ["targets by a stranger", { signers: { targets: [tufKey()] } }, /targets was signed by 0\/1 keys/],
    ["a timestamp by nobody", { signers: { timestamp: [] } }, /timestamp was signed by 0\/1 keys/],
    ["a file of another digest", { info: { hashes: { sha256: "ab".repeat(32) } } }, /[Hh]ash/],
    ["a file without a digest", { info: { hashes: {} } }, /no SHA-256 or SHA-512 digest/],
    ["a file of a weak digest", { info: { hashes: { md5: "ab" } } }, /no SHA-256 or SHA-512 digest/],
    ["a file that is longer than it says", { info: { length: 10 } }, /longer than 10 bytes/],
    ["a file that is shorter than it says", { info: { length: 9_999 } }, /[Ll]ength/],
    ["a file of a length without end", { info: { length: 1e9 } }, /longer than 393216 bytes/],
    ["another file", { target: "other.json" }, /publishes no trusted_root\.json; correct tuf\.target/],
  ])("%s changes nothing, and is told", async (_what, over, fault) => {
    const told = await after(() => repository.publish(otherRoot, over));
    expect(told.text).toBe(publicGoodRoot);
    expect(told.fault).toMatch(fault);
    expect(problems).toEqual([expect.stringContaining("what it published last stays in force") as string]);
    expect(states.at(-1)?.[0]?.up).toBe(false);
  });

  it.each([
    ["no trusted root", "{}", /trusted_root\.json is no trusted root: .*mediaType/],
    ["no JSON", "<html>", /trusted_root\.json is no trusted root/],
  ])("a file that is %s changes nothing", async (_what, text, fault) => {
    const told = await after(() => repository.publish(text));
    expect(told.text).toBe(publicGoodRoot);
    expect(told.fault).toMatch(fault);
  });

  it("and the same published as it should be is taken", async () => {
    expect(await after(() => repository.publish(otherRoot))).toEqual({ text: otherRoot });
    expect(problems).toEqual([]);
  });

  it("an older state of all of it (rollback) changes nothing, also after a restart", async () => {
    const before = new Map(repository.files);
    repository.publish(otherRoot);
    await look();
    for (const [path, text] of before) repository.files.set(path, text);
    await clock.next();
    expect(mirrors.read(referenceOf()).text).toBe(otherRoot);
    expect(mirrors.read(referenceOf()).fault).toMatch(/timestamp version 5 is less than current version 6/);
    await mirrors.close();
    mirrors = open();
    const told = await look();
    expect(told.text).toBe(otherRoot);
    expect(told.fault).toMatch(/timestamp version 5 is less/);
  });

  it("fewer signatures than the threshold are none", async () => {
    const [one, two] = [tufKey(), tufKey()];
    repository = new TufRepository({ targets: [one, two] }, { targets: 2 });
    await server.close();
    server = await tufServer(repository.files);
    mirrors = open();
    repository.publish(publicGoodRoot, { signers: { targets: [one, one] } });
    expect((await look()).fault).toMatch(/multiple signatures found for keyid/);
    repository.publish(publicGoodRoot, { signers: { targets: [one] } });
    await clock.next();
    expect(mirrors.read(referenceOf()).fault).toMatch(/targets was signed by 1\/2 keys/);
    repository.publish(publicGoodRoot);
    await clock.next();
    expect(mirrors.read(referenceOf())).toEqual({ text: publicGoodRoot });
  });

  it("a root that the keys before did not sign is not followed", async () => {
    const told = await after(() => {
      repository.keys.root = [tufKey()];
      repository.publishRoot();
      repository.publish(otherRoot);
    });
    expect(told.text).toBe(publicGoodRoot);
    expect(told.fault).toMatch(/root was signed by 0\/1 keys/);
  });

  it("a root that has expired ends it", async () => {
    const told = await after(() => {
      repository.publishRoot(undefined, longAgo);
      repository.publish(otherRoot);
    });
    expect(told.text).toBe(publicGoodRoot);
    expect(told.fault).toMatch(/root\.json is expired/);
  });

  it("rotations of the root without end are given up", async () => {
    server.instead = (request, response) => {
      const version = /^\/(\d+)\.root\.json$/.exec(request.url ?? "")?.[1];
      if (version !== undefined && Number(version) > repository.versions.root) repository.publishRoot();
      response.end(repository.files.get(request.url ?? "") ?? "{}");
    };
    await look();
    expect(server.asked.filter((path) => path.endsWith(".root.json"))).toHaveLength(48);
  });

  it("a root that signs itself not is none to begin with", async () => {
    const { fault } = await look(referenceOf({ root: repository.root.replace("2999", "2998") }));
    expect(fault).toMatch(
      /tuf\.root is no root\.json that is signed by its own keys.*; correct tuf\.root in the SkillTrustRoot$/,
    );
    expect(server.asked).toEqual([]);
    await mirrors.close();
    mirrors = open();
    expect((await look(referenceOf({ root: "rubbish" }))).fault).toMatch(/tuf\.root is no root\.json/);
  });

  it("the root in the example of the reference page signs itself, and begins another repository", async () => {
    const { SkillTrustRoot: roots } = await allExamples();
    const entries = roots.flatMap(
      ({ object }) => parseResource("SkillTrustRoot", object).spec.sigstore ?? [],
    );
    const [root = ""] = entries.flatMap(({ tuf }) => tuf?.root ?? []);
    const { fault } = await look(referenceOf({ root }));
    expect(fault).not.toMatch(/signed by its own keys/);
    expect(server.asked).toContain("/2.root.json");
  });

  it("data without end are cut off", async () => {
    let ended = 0;
    server.instead = (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
        if (!response.destroyed) response.once("drain", more);
      };
      response.once("close", () => (ended += 1));
      more();
    };
    expect((await look()).fault).toMatch(/an answer is longer than 512000 bytes/);
    await vi.waitFor(() => expect(ended).toBe(1), patience);
  });

  it("an answer that drips (slow loris) is given up when its time is over", async () => {
    let begun = 0;
    server.instead = (_request, response) => {
      response.write(" ");
      begun += 1;
    };
    mirrors.follow(named(referenceOf()));
    await vi.waitFor(() => expect(begun).toBe(1), patience);
    expect(clock.waits).toEqual([]);
    late.abort(new Error("an answer took longer than 10 s"));
    await vi.waitFor(() => expect(clock.waits).toHaveLength(1), patience);
    expect(mirrors.read(referenceOf()).fault).toMatch(/an answer took longer than 10 s/);
  });

  it("an answer that leads elsewhere is not followed", async () => {
    server.instead = (request, response) => {
      if (request.url === "/elsewhere") response.end("{}");
      else response.writeHead(302, { location: `${server.url}/elsewhere` }).end();
    };
    expect((await look()).fault).toMatch(/it sends us on to http:.*\/elsewhere, which is not followed/);
    expect(server.asked).not.toContain("/elsewhere");
  });

  it("an answer that ends the connection or never comes to itself is given up", async () => {
    server.instead = ({ socket }) =>
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
    expect((await look()).fault).toMatch(/ends the connection without an answer/);
    server.instead = ({ socket }) => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100));
    await clock.next();
    expect(mirrors.read(referenceOf()).fault).toMatch(/announces an answer without giving one/);
    server.instead = (request, response) => {
      response.writeEarlyHints({ link: "</x>" });
      const text = repository.files.get(request.url ?? "");
      response.writeHead(text === undefined ? 404 : 200).end(text);
    };
    await clock.next();
    expect(mirrors.read(referenceOf())).toEqual({ text: publicGoodRoot });
  });

  it.each([
    [403, /timestamp\.json is answered with HTTP 403/],
    [404, /timestamp\.json is answered with HTTP 404/],
    [500, /2\.root\.json is answered with HTTP 500/],
  ])("status %i is a failure", async (status, fault) => {
    server.instead = (_request, response) => response.writeHead(status).end("{}");
    expect((await look()).fault).toMatch(fault);
  });

  it("words of strangers reach the log without control characters and cut short", async () => {
    server.instead = (_request, response) => response.end(`\u001b[31m${"x".repeat(10_000)}`);
    const { fault = "" } = await look();
    expect(fault).not.toMatch(/\p{Cc}/u);
    expect(fault.length).toBeLessThan(600);
  });

  it("is ended in the midst of it, when the process ends", async () => {
    let begun = 0;
    server.instead = () => void (begun += 1);
    mirrors.follow(named(referenceOf()));
    await vi.waitFor(() => expect(begun).toBe(1), patience);
    await mirrors.close();
    expect(problems).toEqual([]);
  });
});
