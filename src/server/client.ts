const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;

/** Groups of a part of an IPv6 address; dotted notation counts as two. */
const groupsOf = (part: string): readonly string[] =>
  part === "" ? [] : part.split(":").flatMap((group) => (group.includes(".") ? ["0", "0"] : [group]));

function subnetOf(address: string): string {
  const [before = "", after] = address.split("::", 2);
  const [head, tail] = [groupsOf(before), groupsOf(after ?? "")];
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0");
  const first = [...head, ...zeros, ...tail].slice(0, 4);
  return `${first.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}

/**
 * Client of a connection, for limits per client: the IPv4 address, also where it is mapped into IPv6 (RFC 4291,
 * 2.5.5.2), or the /64 of an IPv6 address, because its holder can use every address in it (RFC 6177: the smallest
 * assigned network).
 *
 * @param remoteAddress as a socket reports it
 */
export function clientOf(remoteAddress: string): string {
  const [address = ""] = remoteAddress.split("%", 1);
  const [, ipv4] = mapped.exec(address) ?? [];
  if (ipv4 !== undefined) return ipv4;
  return address.includes(":") ? subnetOf(address) : address;
}
