import { UsageError } from "../../command-line.ts";

const maxLength = 2_000;

const loopback: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * The address of a service, without a slash at its end. An identity token goes there, by which anybody could sign: so
 * HTTPS, or this machine.
 * @param where names the address for people
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
