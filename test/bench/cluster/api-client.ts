import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";

/** An answer of the API server. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** A client of the API server that does little besides: what it costs must not hide what the webhook costs. */
export interface ApiClient {
  /** @param accept the form of the answer; JSON where nothing is said */
  ask(method: "GET" | "POST" | "PUT", path: string, object?: object, accept?: string): Promise<ApiAnswer>;
  /** @throws Error with the answer where it is not 2xx */
  post(path: string, object: object): Promise<ApiAnswer>;
  close(): void;
}

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly "certificate-authority": string };
  }[];
  readonly users: readonly {
    readonly user: { readonly "client-certificate": string; readonly "client-key": string };
  }[];
}

/** @param kubeconfig as the control plane of the cluster tests writes it: JSON that names files */
export async function apiClient(kubeconfig: string, connections: number): Promise<ApiClient> {
  const { clusters, users } = JSON.parse(await readFile(kubeconfig, "utf8")) as Kubeconfig;
  const [{ cluster }, { user }] = [clusters[0]!, users[0]!];
  const [ca, cert, key] = await Promise.all(
    [cluster["certificate-authority"], user["client-certificate"], user["client-key"]].map((file) =>
      readFile(file),
    ),
  );
  const { hostname, port } = new URL(cluster.server);
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ca, cert, key });
  const ask: ApiClient["ask"] = (method, path, object, accept = "application/json") =>
    new Promise((resolve, reject) => {
      const body = object === undefined ? "" : JSON.stringify(object);
      const headers = {
        accept,
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(body)),
      };
      const call = request({ agent, host: hostname, port, method, path, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response
          .on("error", reject)
          .on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
      });
      call.on("error", reject).end(body);
    });
  return {
    ask,
    async post(path, object) {
      const answer = await ask("POST", path, object);
      if (answer.status >= 300)
        throw new Error(`POST ${path}: ${answer.status} ${answer.body.slice(0, 500)}`);
      return answer;
    },
    close: () => agent.destroy(),
  };
}
