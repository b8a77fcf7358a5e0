import { describe, expect, it } from "vitest";
import { ApiError, type ApiRequest } from "../../../../src/cluster/live/api/client.ts";
import { askCanary } from "../../../../src/cluster/live/canary.ts";
import type { KubernetesObject } from "../../../../src/kubernetes/object.ts";
import { scriptedClient } from "./live-fakes.ts";

const target = { namespace: "n", configMap: "c" };
const denial =
  'POST /pods: admission webhook "pods.skill-admission.dev" denied the request: policy "p" denied Pod n/x: 1 of 1 skill failed: canary UNSIGNED';

const isPlain = ({ body }: ApiRequest): boolean => !JSON.stringify(body).includes("/skills/canary");
const refused = (message: string): ApiError => new ApiError(403, message);

/** Asks an API server that answers about the pod with a skill, and about the one without, in this way. */
async function ask(
  skill: () => KubernetesObject | ApiError,
  plain: () => KubernetesObject | ApiError = () => ({}),
  milliseconds = 5_000,
) {
  const client = scriptedClient((request) => (isPlain(request) ? plain() : skill()));
  return { ...(await askCanary(client, target, AbortSignal.timeout(milliseconds))), asked: client.asked };
}

describe("askCanary", () => {
  it("sees a denial, by dry runs alone, of a pod that differs in the skill only", async () => {
    const { answer, said, asked } = await ask(() => refused(denial));
    expect([answer, said]).toEqual(["denied", denial]);
    expect(asked.map(({ method, path }) => `${method!} ${path}`)).toEqual(
      Array(2).fill("POST /api/v1/namespaces/n/pods?dryRun=All"),
    );
    expect(JSON.stringify(asked[1]!.body)).toContain('"configMap":{"name":"c"}');
  });

  it("waits until it is denied: policies are in force a moment later", async () => {
    let attempts = 0;
    const { answer } = await ask(() => ((attempts += 1) < 2 ? {} : refused(denial)));
    expect([answer, attempts]).toEqual(["denied", 2]);
  });

  it("sees that it is let in, at the end of its time", async () => {
    expect(await ask(() => ({}), undefined, 200)).toMatchObject({ answer: "admitted" });
  });

  it.each([
    [
      "another webhook's refusal",
      'admission webhook "other.example.com" denied the request: UNSIGNED images',
    ],
    [
      "a webhook that cannot be reached",
      'failed calling webhook "pods.skill-admission.dev": context deadline',
    ],
    ["another reason", denial.replace("UNSIGNED", "SOURCE_UNAVAILABLE")],
    ["a missing right", 'pods is forbidden: User "u" cannot create resource "pods"'],
  ])("takes %s for no denial, and says it", async (_, message) => {
    expect(await ask(() => refused(message), undefined, 200)).toMatchObject({
      answer: "unclear",
      said: message,
    });
  });

  it("proves nothing where no pod gets in", async () => {
    const seen = await ask(
      () => refused(denial),
      () => refused("exceeded quota"),
      200,
    );
    expect(seen).toMatchObject({
      answer: "unclear",
      said: "a pod without skills is refused, too: exceeded quota",
    });
  });
});
