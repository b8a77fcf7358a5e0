import { describe, expect, it } from "vitest";
import { handle } from "../../../src/admission/handle.ts";
import { PodStore } from "../../../src/cluster/pod-store.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { mount, podObject, tokenMount, tokenVolume, volume } from "../../fixtures/pods.ts";
import { changed, configMapOf, namespace, now, published, World } from "./world.ts";

const skills = Array.from({ length: 12 }, (_, at) => `skill-${at}`);
const settings = (text: string): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", namespace },
  data: { "app.yaml": text },
});

/** A running pod of one of some templates, with the token of its account and twelve skills. */
function replica(at: number, templates: number): KubernetesObject {
  const token = `kube-api-access-${String(at).padStart(5, "0")}`;
  const { items } = configMapOf(published.skill);
  const pod = podObject({
    name: `pod-${at}`,
    volumes: [
      ...skills.map((name) => volume(name, { configMap: { name, items } })),
      volume("settings", { configMap: { name: "settings" } }),
      tokenVolume(token),
    ],
    containers: [
      {
        name: "agent",
        image: `agent:${at % templates}`,
        env: [{ name: "ORDINAL", value: String(at) }],
        volumeMounts: [
          ...skills.map((name) => mount(name, `/skills/${name}/data-designer`)),
          mount("settings", "/etc/app"),
          tokenMount(token),
        ],
      },
    ],
  });
  return { ...pod, metadata: { name: `pod-${at}`, namespace, uid: `uid-${at}` } };
}

function worldOf(pods: number, templates = 1) {
  const world = new World();
  for (const name of skills) world.configMaps.set(name, configMapOf(published.skill, name).object);
  world.configMaps.set("settings", settings("old"));
  const store = new PodStore();
  for (let at = 0; at < pods; at += 1) store.set(`${namespace}/pod-${at}`, replica(at, templates), namespace);
  const deps = { ...world.deps, cluster: { ...world.view, podsUsing: store.using.bind(store) } };
  const update = async (object: KubernetesObject) => {
    const { name } = object.metadata as { readonly name: string };
    const request = {
      ...{ uid: "u", kind: { kind: "ConfigMap" }, resource: { resource: "configmaps" }, namespace, name },
      ...{ operation: "UPDATE", userInfo: {}, object, oldObject: world.configMaps.get(name) },
    };
    const body = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request };
    world.reads.length = 0;
    const answer = await handle(Buffer.from(JSON.stringify(body)), deps, new AbortController().signal, now);
    return answer.decision;
  };
  return { world, update };
}

describe("a change of a ConfigMap that 2,000 pods mount", () => {
  it("reads each other object once for one of twelve skills, and judges the pods of a template once", async () => {
    const { world, update } = worldOf(2000);
    const others = skills.slice(1).concat("settings");
    expect(await update(configMapOf(changed, "skill-0").object)).toMatchObject({
      outcome: "deny",
      verdicts: [{ skills: { length: 1 } }],
    });
    expect(world.reads.toSorted()).toEqual(others.toSorted());
    expect(world.verifications).toBe(1);
  });

  it("judges each template where there are several", async () => {
    const { update } = worldOf(200, 4);
    expect(await update(configMapOf(changed, "skill-0").object)).toMatchObject({
      outcome: "deny",
      verdicts: [{ skills: { length: 4 } }],
    });
  });

  it("reads nothing for a changed label, and each object once for bytes of no skill", async () => {
    const { world, update } = worldOf(2000);
    const { object } = configMapOf(published.skill, "skill-0");
    const labelled = { ...object, metadata: { name: "skill-0", namespace, labels: { a: "b" } } };
    expect(await update(labelled)).toMatchObject({ bypass: "unchanged" });
    expect(world.reads).toEqual([]);
    expect(await update(settings("new"))).toMatchObject({ bypass: "no-skills" });
    expect(world.reads.toSorted()).toEqual(skills.toSorted());
    expect(world.verifications).toBe(0);
  });
});
