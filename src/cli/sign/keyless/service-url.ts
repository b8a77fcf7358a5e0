import { UsageError } from "../../command-line.ts";

const maxLength = 2_000;

const loopback: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Normalises a service's URL, without trailing slash. The service receives an identity token, with which anybody
 * could sign: only HTTPS, or this machine, is accepted.
 * @param where name of the URL for messages
 * @throws UsageError
 */
export function serviceUrl(text: string, where: string): string {
  const url = text.length <= maxLength && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new UsageError(`${where} is no URL`, "give one such as https://host.example");
  const safe = url.protocol === "https:" || (url.protocol === "http:" && loopback.has(url.hostname));
  if (!safe) {
    throw new UsageError(
      `${where} is not https: whoever reads the identity token on its way could sign as you`,
      "give an https:// address",
    );
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new UsageError(
      `${where} has more than a host and a path`,
      "leave user names, ? and # out of the address",
    );
  }
  return text.replace(/\/+$/, "");
}
