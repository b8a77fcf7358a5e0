import { BlockList } from "node:net";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { clientOf } from "../../../src/server/client.ts";

/** An IPv6 address in one of its notations, from eight groups. */
const written = (groups: readonly number[], short: boolean): string => {
  const text = groups.map((group) => group.toString(16)).join(":");
  return short ? text.replace(/(?:^|:)0(?::0)+(?:$|:)/, "::") : text;
};

const groups = (count: number) =>
  fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: count, maxLength: count });

describe("clientOf", () => {
  it("is the address itself for IPv4, also where it came mapped into IPv6", () => {
    expect(clientOf("10.0.0.7")).toBe("10.0.0.7");
    expect(clientOf("::ffff:10.0.0.7")).toBe("10.0.0.7");
    expect(clientOf("::FFFF:10.0.0.8")).toBe("10.0.0.8");
  });

  it("is the /64 for IPv6, whatever the notation", () => {
    expect(clientOf("fd00:10:244:1::7")).toBe("fd00:10:244:1::/64");
    expect(clientOf("fd00:0010:0244:0001:1:2:3:4")).toBe("fd00:10:244:1::/64");
    expect(clientOf("2001:db8::")).toBe("2001:db8:0:0::/64");
    expect(clientOf("::1")).toBe("0:0:0:0::/64");
    expect(clientOf("::")).toBe("0:0:0:0::/64");
    expect(clientOf("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
    expect(clientOf("1:2:3:4:5:6:10.0.0.1")).toBe("1:2:3:4::/64");
  });

  it("is the same for two IPv6 addresses exactly when they are in one /64", () => {
    const pair = fc.record({ one: groups(8), other: groups(8), near: fc.boolean() });
    const property = fc.property(pair, fc.boolean(), fc.boolean(), ({ one, other, near }, a, b) => {
      const second = near ? [...one.slice(0, 4), ...other.slice(4)] : other;
      const list = new BlockList();
      list.addSubnet(written(one, false), 64, "ipv6");
      const same = list.check(written(second, false), "ipv6");
      expect(clientOf(written(one, a)) === clientOf(written(second, b))).toBe(same);
    });
    fc.assert(property);
  });

  it("is some text for whatever a socket may say", () => {
    fc.assert(fc.property(fc.string(), (text) => typeof clientOf(text) === "string"));
  });
});
