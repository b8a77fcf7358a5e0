/** Lines of a page outside code blocks. */
const proseOf = (page: string): readonly string[] => {
  let fence = "";
  return page.split("\n").filter((line) => {
    const [, mark] = /^\s*(`{3,}|~{3,})/.exec(line) ?? [];
    if (fence === "") {
      fence = mark ?? "";
      return mark === undefined;
    }
    if (mark?.startsWith(fence)) fence = "";
    return false;
  });
};

/** Anchors of a page's headings, as GitHub makes them: a repeated heading is numbered. */
export function anchorsOf(page: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const line of proseOf(page)) {
    const [, heading] = /^#{1,6} (.+)$/.exec(line) ?? [];
    if (heading === undefined) continue;
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N}_\- ]/gu, "").replaceAll(" ", "-");
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count += 1) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

/** Targets of a page's links that stay within the repository. */
export const relativeLinksOf = (page: string): readonly string[] =>
  proseOf(page)
    .map((line) => line.replace(/`[^`]*`/g, ""))
    .flatMap((line) => [...line.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!))
    .filter((target) => !/^[a-z]+:/.test(target));
