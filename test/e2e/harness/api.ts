import { Agent, request } from "node:http";
import { answerOf, type Answer as WholeAnswer } from "../../fixtures/answer.ts";

/** What the API server said. */
export type Answer = Pick<WholeAnswer, "status" | "body">;

/** The API server through `kubectl proxy` on a Unix socket: whatever the cluster's credentials are, and from any network. */
export interface Api {
  /** @throws Error where the proxy itself does not answer */
  call(method: string, path: string, body?: object): Promise<Answer>;
  /** The same, parsed. @throws Error for every status but 2xx */
  json<T>(method: string, path: string, body?: object): Promise<T>;
  close(): void;
}

/** Longer than any time-out of a webhook and of the API server itself. */
const limit = 40_000;

const contentTypes: Readonly<Record<string, string>> = { PATCH: "application/merge-patch+json" };

export function openApi(socketPath: string): Api {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const call: Api["call"] = (method, path, body) =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const outgoing = request(
        {
          agent,
          socketPath,
          method,
          path,
          timeout: limit,
          headers:
            text === undefined
              ? {}
              : {
                  "content-type": contentTypes[method] ?? "application/json",
                  "content-length": String(Buffer.byteLength(text)),
                },
        },
        (response) => {
          answerOf(response).then(resolve, reject);
        },
      );
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer in ${limit / 1000} s`)));
      outgoing.on("error", reject);
      outgoing.end(text);
    });
  return {
    call,
    json: async <T>(method: string, path: string, body?: object) => {
      const answer = await call(method, path, body);
      if (answer.status < 200 || answer.status > 299)
        throw new Error(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 500)}`);
      return JSON.parse(answer.body) as T;
    },
    close: () => agent.destroy(),
  };
}
