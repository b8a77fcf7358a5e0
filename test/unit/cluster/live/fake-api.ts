import { ApiError, type ApiClient, type ApiRequest } from "../../../../src/cluster/live/api/client.ts";
import type { KubernetesObject } from "../../../../src/kubernetes/object.ts";

interface Metadata {
  readonly name?: string;
  readonly resourceVersion?: string;
}

/** An API server that keeps objects under their paths, with optimistic concurrency, and remembers what it was asked. */
export class FakeApi implements ApiClient {
  readonly objects = new Map<string, KubernetesObject>();
  readonly asked: ApiRequest[] = [];
  /** Called before each request; throws to have it refused. */
  before: (request: ApiRequest) => void = () => undefined;
  #version = 0;

  /** Stores an object as somebody else would. */
  put(path: string, object: KubernetesObject): KubernetesObject {
    this.#version += 1;
    const version = String(this.#version);
    const stored = {
      ...object,
      metadata: { uid: `uid-${version}`, ...(object.metadata as object), resourceVersion: version },
    };
    this.objects.set(path, stored);
    return stored;
  }

  written(): readonly string[] {
    return this.asked
      .filter(({ method = "GET" }) => method !== "GET")
      .map(({ method = "GET", path }) => `${method} ${path.split("?")[0]!.split("/").slice(-2).join("/")}`);
  }

  call(request: ApiRequest): Promise<KubernetesObject> {
    this.asked.push(request);
    try {
      request.signal.throwIfAborted();
      this.before(request);
      return Promise.resolve(this.#answer(request));
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  stream(): Promise<AsyncIterable<Uint8Array>> {
    return Promise.reject(new ApiError(500, "no watch"));
  }

  close(): void {
    this.objects.clear();
  }

  #answer({ method = "GET", path: asked, body, contentType }: ApiRequest): KubernetesObject {
    const [path = ""] = asked.split("?", 1);
    const sent = body as KubernetesObject;
    if (method === "POST") {
      const created = `${path}/${(sent.metadata as Metadata).name ?? ""}`;
      if (this.objects.has(created)) throw new ApiError(409, "exists", { reason: "AlreadyExists" });
      return this.put(created, sent);
    }
    const present = this.objects.get(path);
    if (contentType !== "application/apply-patch+yaml" && present === undefined)
      throw new ApiError(404, "not found", { reason: "NotFound" });
    if (method === "DELETE") this.objects.delete(path);
    return method === "PUT" || method === "PATCH" ? this.#write(method, path, sent) : present!;
  }

  #write(method: "PUT" | "PATCH", path: string, sent: KubernetesObject): KubernetesObject {
    const present = this.objects.get(path);
    const before = present?.metadata as Metadata | undefined;
    const wanted = (sent.metadata as Metadata | undefined)?.resourceVersion;
    if (wanted !== undefined && wanted !== before?.resourceVersion)
      throw new ApiError(409, "changed meanwhile", { reason: "Conflict" });
    if (method === "PUT") return this.put(path, sent);
    return this.put(path, { ...present, ...sent, metadata: { ...before, ...(sent.metadata as object) } });
  }
}
