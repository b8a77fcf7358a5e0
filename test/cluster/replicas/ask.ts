import { request } from "node:https";
import { json } from "node:stream/consumers";
import { podReview } from "../../fixtures/review.ts";

/** What a replica says of a pod that is about to be created. */
export interface Answer {
  readonly allowed: boolean;
  readonly status?: { readonly message?: string };
}

/** Asks one replica by itself, as the API server asks whichever is registered; its authority is its own affair. */
export async function ask(url: string, pod: object): Promise<Answer> {
  const review = podReview(pod, { userInfo: { username: "someone" }, dryRun: true });
  const answer = await new Promise<unknown>((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const options = { method: "POST", rejectUnauthorized: false, headers };
    request(`${url}/validate`, options, (response) => void json(response).then(resolve, reject))
      .on("error", reject)
      .end(JSON.stringify(review));
  });
  return (answer as { readonly response: Answer }).response;
}
