import { request } from "node:https";
import { buffer } from "node:stream/consumers";
import { beforeAll, describe, expect, it } from "vitest";
import { connectByKubeconfig } from "../../../src/cluster/live/api/connection.ts";
import { signedSkill, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { apply } from "../harness/apply.ts";
import { kubeconfig } from "../harness/opened.ts";
import { createNamespace as createWithLabels } from "../harness/namespaces.ts";
import { sharedProduct } from "./product.ts";
import { createNamespace, enforce, mutable, pemOf, policy, type Part } from "./world.ts";

const namespace = "protobuf-a";
/** A name of equal length: nothing else changes where it is replaced in encoded bytes. */
const ungoverned = "protobuf-b";
const protobuf = "application/vnd.kubernetes.protobuf";
let good: SignedSkill;

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

async function post(path: string, body: Uint8Array, type: string, accept: string): Promise<Answer> {
  const connection = await connectByKubeconfig(kubeconfig);
  const { headers, ...options } = await connection.options(false);
  return await new Promise((resolve, reject) => {
    const outgoing = request(`${connection.server}${path}`, {
      ...options,
      method: "POST",
      headers: { ...(headers as object), "content-type": type, accept },
    });
    outgoing.once("error", reject);
    outgoing.once("response", (response) => {
      buffer(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
    });
    outgoing.end(body);
  });
}

const podsOf = (of: string): string => `/api/v1/namespaces/${of}/pods`;

/** What the API server makes of a pod, encoded; then with other bytes in it, sent to the governed namespace. */
async function create(pod: Part, bytes: Readonly<Record<string, Uint8Array>>): Promise<Answer> {
  const text = Buffer.from(JSON.stringify(pod).replaceAll(namespace, ungoverned));
  const encoded = await post(`${podsOf(ungoverned)}?dryRun=All`, text, "application/json", protobuf);
  expect(encoded.status).toBe(201);
  let changed = encoded.body.toString("latin1").replaceAll(ungoverned, namespace);
  for (const [place, put] of Object.entries(bytes))
    changed = changed.replaceAll(place, Buffer.from(put).toString("latin1"));
  return post(podsOf(namespace), Buffer.from(changed, "latin1"), protobuf, "application/json");
}

/** The signed skill by `subPath`, its SKILL.md from a projected volume that has a second one. */
function twoOfOneName(name: string): Part {
  const { configMap, pod } = mutable(good.skill, name, namespace);
  const spec = pod["spec"] as { readonly volumes: readonly Part[]; readonly containers: readonly Part[] };
  const [container] = spec.containers;
  const projected = {
    sources: [
      { configMap: { name: `${name}-evil`, items: [{ key: "SKILL.md", path: "fA" }] } },
      {
        configMap: {
          name: (configMap["metadata"] as Part)["name"],
          items: [{ key: "SKILL.md", path: "fB" }],
        },
      },
    ],
  };
  const mount = { name: "two", subPath: "fA", mountPath: `/skills/${name}/SKILL.md`, readOnly: true };
  return {
    ...pod,
    spec: {
      ...spec,
      volumes: [...spec.volumes, { name: "two", projected }],
      containers: [
        { ...container, volumeMounts: [...(container?.["volumeMounts"] as readonly Part[]), mount] },
      ],
    },
  };
}

beforeAll(async () => {
  good = signedSkill();
  await sharedProduct();
  await createNamespace(namespace, namespace);
  await createWithLabels(ungoverned);
  await enforce(policy(namespace, { publishers: [{ name: "team", publicKey: { pem: pemOf(good) } }] }));
});

describe("bytes that are no UTF-8, sent by protobuf", () => {
  it("are refused in paths, though the API server takes them, and JSON shows two files as one", async () => {
    const evil = withFiles(good.skill, { "SKILL.md": "---\nname: evil\ndescription: evil\n---\n" });
    await apply(mutable(good.skill, "two", namespace).configMap, {
      ...mutable(evil, "two-evil", namespace).configMap,
    });
    const bytes = { fA: Uint8Array.of(0x66, 0xff), fB: Uint8Array.of(0x66, 0xfe) };
    const { status, body } = await create(twoOfOneName("two"), bytes);
    expect(body.toString()).toMatch(/SOURCE_MALFORMED.*U\+FFFD/);
    expect(status).toBeGreaterThanOrEqual(400);
  });

  it("are not needed for a pod that is sent by protobuf as it is", async () => {
    const { configMap, pod } = mutable(good.skill, "plain", namespace);
    await apply(configMap);
    expect((await create(pod, {})).status).toBe(201);
  });
});
