/**
 * A program in the network of the node: hands `POST /ADDRESS:PORT/PATH` on as HTTPS to that address, whatever certificate
 * answers, so that pods can be asked themselves, also while there is no API server. Its argument is the Unix socket.
 */
import { createServer } from "node:http";
import { Agent, request } from "node:https";

const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });

createServer((incoming, answer) => {
  const [, address = "", path = ""] = /^\/([^/]+)(\/.*)$/.exec(incoming.url ?? "") ?? [];
  const [host = "", port = ""] = address.split(":");
  const { method, headers } = incoming;
  const outgoing = request({ agent, host, port, path, method, headers, timeout: 10_000 }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  outgoing.on("timeout", () => outgoing.destroy(new Error("no answer")));
  outgoing.on("error", (error) => answer.writeHead(502).end(error.message));
  incoming.pipe(outgoing);
}).listen(process.argv[2]);
