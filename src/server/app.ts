import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import express, { type ErrorRequestHandler, type Express } from "express";

import type { Deadline } from "../admission/handle.ts";
import { memoizeByObject } from "../text/memoize-by-object.ts";
import { maxBufferedBytes, readBody, RequestError } from "./body.ts";
import { clientOf } from "./client.ts";
import { timeLimits, type TimeLimits } from "./deadline.ts";
import { ReviewTimer } from "./review-timer.ts";
import { FairShares, type Share, type ShareLimit } from "./shares.ts";

/**
 * Reviews one AdmissionReview.
 *
 * @param body the JSON text as received, at most 7 MiB
 * @param deadline when it aborts, the answer must follow at once
 * @param client address that sent it, see `clientOf`
 * @returns HTTP status and JSON text of the answer
 */
export type ReviewHandler = (
  body: Uint8Array,
  deadline: Deadline,
  client: string,
) => Promise<{ readonly status: number; readonly body: string }>;

export interface AppOptions {
  readonly review: ReviewHandler;
  /** Reasons why the webhook is not ready, a line each; empty when it is. */
  readonly readiness: () => readonly string[];
  /** Time for a review whose request names none. */
  readonly timeoutSeconds: number;
  /** Tells why a connection's client may not ask for reviews; undefined where it may. Absent: everyone may. */
  readonly gate?: (socket: Socket) => RequestError | undefined;
  /** Concurrent reviews; default `reviewLimit`. */
  readonly reviewsAtOnce?: ShareLimit;
  /** True once the server is stopping: callers are asked to reconnect elsewhere. */
  readonly draining: () => boolean;
  /** Runs for each review that threw or missed its deadline. */
  readonly onFault: (error: unknown) => void;
  /** Runs for each request that was answered without a review. */
  readonly onRefusal?: (refusal: Refusal) => void;
}

/** A request that was answered without a review. */
export interface Refusal {
  /** Status of HTTP. */
  readonly status: number;
  readonly message: string;
  /** Address that sent it, see `clientOf`. */
  readonly client: string;
}

/**
 * Concurrent reviews. Further ones get 503 at once, which the API server reports: better than a time-out. Per client:
 * behind konnectivity, or a Service with source NAT, all API servers share one address. In total twice as many, so that
 * another client never takes from them alone.
 */
export const reviewLimit: ShareLimit = { total: 1024, perClient: 512 };

const isJson = (request: IncomingMessage): boolean =>
  /^application\/json\s*(?:;|$)/i.test(request.headers["content-type"] ?? "");

/** Milliseconds for which the rest of an unwanted body is discarded. */
const lingerFor = 1000;

/**
 * Answers with a line of text. The rest of an unfinished body is discarded for a moment: closing a connection with
 * unread bytes resets it, and the caller would lose the answer.
 */
function answer(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return;
  const { req: request } = response;
  const body = `${text}\n`;
  response.statusCode = status;
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.setHeader("content-length", Buffer.byteLength(body));
  response.setHeader("x-content-type-options", "nosniff");
  if (request.complete || request.method === "GET" || request.method === "HEAD") {
    response.end(body);
    return;
  }
  response.setHeader("connection", "close");
  response.write(body);
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, lingerFor);
  request.once("end", end).once("close", end).resume();
}

/** Whether a request is a review, as the API server writes it. */
const isReview = ({ method, url = "" }: IncomingMessage): boolean =>
  method === "POST" && (url === "/validate" || url.startsWith("/validate?"));

/**
 * `POST /validate` for the API server, `GET /healthz` and `GET /readyz` for the kubelet; all else is 404 or 405. A
 * review that throws is answered with 500: the API server then applies the failurePolicy, which denies.
 */
export function createApp(options: AppOptions): RequestListener {
  const validate = reviewRoute(options);
  const fault = faultAnswer(options);
  const others = otherRoutes(options, validate);
  return (request, response) => {
    if (!isReview(request)) {
      others(request, response);
      return;
    }
    // Reviews do without a router, which would take a tenth of their time.
    if (options.draining()) response.setHeader("connection", "close");
    validate(request, response).catch((error: unknown) => {
      if (response.headersSent) request.socket.destroy();
      else fault(error, request, response);
    });
  };
}

type ReviewRoute = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Everything but reviews, and reviews at other spellings of their path. */
function otherRoutes(options: AppOptions, validate: ReviewRoute): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  // Stack traces stay hidden from callers, whatever NODE_ENV says.
  app.set("env", "production");
  // express's parser would build objects from a caller's keys; the route parses the query string itself.
  app.set("query parser", false);
  app.use((request, response, next) => {
    // Only reviews keep their connection: other callers can open one for each request.
    if (options.draining() || request.path !== "/validate" || request.method !== "POST")
      response.setHeader("connection", "close");
    next();
  });
  app.post("/validate", (request, response) => validate(request, response));
  app.get("/healthz", (_request, response) => answer(response, 200, "ok"));
  app.get("/readyz", (_request, response) => {
    const problems = options.draining() ? ["shutting down"] : options.readiness();
    if (problems.length === 0) answer(response, 200, "ok");
    else answer(response, 503, problems.join("\n"));
  });
  app.all("/validate", (_request, response) => notAllowed(response, "POST"));
  app.all(["/healthz", "/readyz"], (_request, response) => notAllowed(response, "GET, HEAD"));
  app.use((_request, response) =>
    answer(response, 404, "not found: there are /validate, /healthz and /readyz"),
  );
  app.use(faultRoute(options));
  return app;
}

function notAllowed(response: ServerResponse, allowed: string): void {
  response.setHeader("allow", allowed);
  answer(response, 405, `method not allowed: use ${allowed}`);
}

const clientBehind = memoizeByObject(({ remoteAddress }: Socket) => clientOf(remoteAddress ?? ""));

const clientIn = ({ socket }: IncomingMessage): string => clientBehind(socket);

/** The API server writes one time-out into all its requests, so the last is remembered. */
function rememberedLimits(fallback: number): (url: string) => TimeLimits {
  let last = { url: "", limits: timeLimits("", fallback) };
  return (url) => {
    if (url !== last.url) last = { url, limits: timeLimits(url, fallback) };
    return last.limits;
  };
}

/** Headers in one list: Node writes them as they are. */
function send(
  response: ServerResponse,
  { status, body }: { readonly status: number; readonly body: string },
): void {
  const length = Buffer.byteLength(body);
  response
    .writeHead(status, ["content-type", "application/json", "content-length", String(length)])
    .end(body);
}

const tryAgain = "try again, or run more replicas";

const gaveWay = (): RequestError =>
  new RequestError(503, `too many reviews at once, and this one made room for another address; ${tryAgain}`);

/** A body that is on its way has a share of the memory only: it takes a place among the reviews when it is there. */
function reviewRoute(options: AppOptions): ReviewRoute {
  const { review, timeoutSeconds, reviewsAtOnce = reviewLimit, gate } = options;
  const bodies = new FairShares({ total: maxBufferedBytes, perClient: maxBufferedBytes });
  const reviews = new FairShares(reviewsAtOnce);
  const limitsOf = rememberedLimits(timeoutSeconds * 1000);
  return async (request, response) => {
    const unwanted = gate?.(request.socket);
    if (unwanted !== undefined) throw unwanted;
    if (!isJson(request)) throw new RequestError(415, "the content type must be application/json");
    const client = clientIn(request);
    const timer = new ReviewTimer(limitsOf(request.url ?? ""));
    const giveWay = (): void => timer.end(gaveWay());
    const memory = bodies.open(client, giveWay);
    let place: Share | undefined;
    try {
      const body = await readBody(request, memory, timer);
      memory.settle();
      place = reviews.open(client, giveWay);
      place.settle();
      if (!place.take(1)) throw new RequestError(503, `too many reviews at once; ${tryAgain}`);
      send(response, await timer.limit(review(body, timer, client)));
    } finally {
      timer.clear();
      memory.release();
      place?.release();
    }
  };
}

function faultRoute(options: AppOptions): ErrorRequestHandler {
  const fault = faultAnswer(options);
  return (error: unknown, request, response, next) => {
    // Half an answer cannot be withdrawn; express closes the connection.
    if (response.headersSent) next(error);
    else fault(error, request, response);
  };
}

/** Turns an error into an answer. Details go to the log, not to the caller. */
const faultAnswer =
  (options: AppOptions) =>
  (error: unknown, request: IncomingMessage, response: ServerResponse): void => {
    const known = error instanceof RequestError;
    const { status, message } = known ? error : { status: 500, message: "INTERNAL" };
    options.onRefusal?.({ status, message, client: clientIn(request) });
    if (known) {
      // The API server sends no such requests.
      if (error.status < 500) response.setHeader("connection", "close");
      if (error.status === 504) options.onFault(error);
      answer(response, error.status, error.message);
      return;
    }
    options.onFault(error);
    answer(response, 500, "INTERNAL an unexpected fault in the controller; its log has the details");
  };
