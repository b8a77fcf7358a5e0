/** A test that an item of a page names: a link whose text is the test's title. */
interface NamedTest {
  readonly title: string;
  /** From the page's folder. */
  readonly path: string;
}

/** An item of a list: its lines, joined. */
interface Item {
  readonly section: string;
  readonly text: string;
}

/** The items of the lists below a heading of the second level, up to the next such heading. */
export function itemsOf(page: string, heading: string): readonly string[] {
  const items: Item[] = [];
  let section = "";
  for (const line of page.split("\n")) {
    if (line.startsWith("## ")) section = line.slice(3);
    else if (line.startsWith("- ")) items.push({ section, text: line });
    else if (/^ +\S/.test(line)) {
      const last = items.pop();
      if (last !== undefined) items.push({ ...last, text: `${last.text} ${line.trim()}` });
    }
  }
  return items.filter((item) => item.section === heading).map(({ text }) => text);
}

/** The links of an item to files of tests. Markdown escapes some characters of a title. */
export const namedTests = (item: string): readonly NamedTest[] =>
  [...item.matchAll(/\[((?:\\.|[^\\\]])*)\]\(((?:\.\.\/)+test\/[^)\s]+\.ts)\)/g)].map(
    ([, title = "", path = ""]) => ({ title: title.replaceAll(/\\(.)/g, "$1"), path }),
  );

/** The first words of an item, for messages. */
const nameOf = (item: string): string => item.slice(2, 80);

/**
 * What is wrong with the tests that items name.
 * @param titlesIn the titles in a file of tests, by its path from the page's folder; undefined: there is no such file
 */
export const faultsOf = (
  items: readonly string[],
  titlesIn: (path: string) => ReadonlySet<string> | undefined,
): readonly string[] =>
  items.flatMap((item) => {
    const tests = namedTests(item);
    if (tests.length === 0) return [`${nameOf(item)}: names no test`];
    return tests.flatMap(({ title, path }) => {
      const titles = titlesIn(path);
      if (titles === undefined) return [`${nameOf(item)}: there is no ${path}`];
      return titles.has(title) ? [] : [`${nameOf(item)}: ${path} has no test "${title}"`];
    });
  });
