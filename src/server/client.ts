const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;

/** The groups of a part of an IPv6 address; one in dotted notation stands for two. */
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
 * Whose a connection is, where limits are for each client: an IPv4 address, also one that came mapped into IPv6
 * (RFC 4291, 2.5.5.2), or the /64 of an IPv6 address, because whoever has one address of it can have them all
 * (RFC 6177: the smallest network that is given out).
 *
 * @param remoteAddress as a socket says it
 */
export function clientOf(remoteAddress: string): string {
  const [address = ""] = remoteAddress.split("%", 1);
  const [, ipv4] = mapped.exec(address) ?? [];
  if (ipv4 !== undefined) return ipv4;
  return address.includes(":") ? subnetOf(address) : address;
}
