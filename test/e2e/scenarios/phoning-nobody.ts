import { describe, expect, it } from "vitest";
import type { Cluster } from "../harness/cluster.ts";
import type { ConnectionWatch } from "../harness/connections.ts";
import { note } from "../harness/figures.ts";

export function phoningNobody(cluster: () => Cluster, watch: () => ConnectionWatch | undefined): void {
  describe("all that time, in a network without a way out", () => {
    it("connects to the API server and to nothing else", async (test) => {
      const watching = watch();
      if (watching === undefined) return test.skip("only on a node of this machine");
      const { looks, pods, connected, served, datagrams } = await watching.stop();
      const jsonPath = "jsonpath={.spec.clusterIP}:{.spec.ports[0].port}";
      const server = await cluster().kubectl(["-n", "default", "get", "svc", "kubernetes", "-o", jsonPath]);
      note("looks at the sockets of the product's processes", `${looks}, in ${pods} processes`);
      note("addresses that they connected to", connected.join(", "));
      note("datagrams that they sent, such as look-ups of names", String(datagrams));
      expect(connected).toEqual([server]);
      expect(served).toContain(8443);
      expect(datagrams).toBe(0);
      expect(pods).toBeGreaterThanOrEqual(3);
    });

    it("could not have connected to anything else", async (test) => {
      const { machine } = cluster();
      if (machine === undefined) return test.skip("only on a node of this machine");
      const names = await machine.networkInterfaces();
      expect(names.filter((name) => name !== "lo" && !name.startsWith("veth"))).toEqual([]);
    });
  });
}
