/** The first link of a line, `[label](url)`, `<url>` or a bare web address. */
export function firstLink(line: string): { readonly label?: string; readonly url: string } | undefined {
  const middle = line.indexOf("](");
  const open = middle === -1 ? -1 : line.indexOf("[");
  if (open !== -1 && open < middle) {
    const label = line.slice(open + 1, middle).trim();
    const url = target(line, middle + 2);
    if (url !== "") return label === "" ? { url } : { label, url };
  }
  const bare = /https?:\/\/[^\s<>]+/i.exec(line)?.[0];
  return bare === undefined ? undefined : { url: bare };
}

/** The link's target from here on: to the closing bracket, with inner ones counted, or to a blank. */
function target(line: string, from: number): string {
  let depth = 0;
  let at = from;
  for (; at < line.length; at += 1) {
    const character = line.charAt(at);
    if (character === "(") depth += 1;
    else if (character === ")" && depth > 0) depth -= 1;
    else if (character === ")" || character === " ") break;
  }
  return line.slice(from, at).replace(/^<|>$/g, "");
}
