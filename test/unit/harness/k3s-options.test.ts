import { describe, expect, it } from "vitest";
import { credentialsOf, k3sCommand, k3sImage, readyLine } from "../../cluster/harness/k3s-options.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** As K3s writes it, with the names and fields that it has. */
const kubeconfig = (user = `client-key-data: ${base64("the key")}`): string => `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${base64("the authority")}
    server: https://127.0.0.1:6443
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
users:
- name: default
  user:
    client-certificate-data: ${base64("the certificate")}
    ${user}
`;

describe("k3sImage", () => {
  it("is pinned to a version, unless the environment names another", () => {
    expect(k3sImage({})).toMatch(/^rancher\/k3s:v\d+\.\d+\.\d+-k3s\d+$/);
    expect(k3sImage({ TEST_K3S_IMAGE: "" })).toBe(k3sImage({}));
    expect(k3sImage({ TEST_K3S_IMAGE: "mirror.example/k3s:1" })).toBe("mirror.example/k3s:1");
  });
});

describe("k3sCommand", () => {
  it("is a server without a node, with a certificate for the name that it is reached by", () => {
    const [first, ...flags] = k3sCommand("docker.example");
    expect(first).toBe("server");
    expect(flags).toContain("--tls-san=docker.example");
    expect(flags).toContain("--disable-agent");
    expect(flags.every((flag) => flag.startsWith("--"))).toBe(true);
  });

  it("turns no admission plugin off: pods are admitted as in every real cluster", () => {
    expect(k3sCommand("docker.example").filter((flag) => flag.includes("admission-plugins"))).toEqual([]);
  });
});

describe("readyLine", () => {
  it("finds K3s's own word, and not that of its API server", () => {
    expect('time="2026-11-21T12:00:00Z" level=info msg="k3s is up and running"').toMatch(readyLine);
    expect('time="2026-11-21T12:00:00Z" level=info msg="Kube API server is now running"').not.toMatch(
      readyLine,
    );
  });
});

describe("credentialsOf", () => {
  it("takes out the authority and the administrator", () => {
    expect(credentialsOf(kubeconfig())).toEqual({
      ca: "the authority",
      clientCert: "the certificate",
      clientKey: "the key",
    });
  });

  it.each([
    ["a user without a key", kubeconfig("token: t"), "user.client-key-data"],
    ["no users", kubeconfig().replace(/^users:[\s\S]*/m, ""), "user.client-certificate-data"],
    ["nothing", "", "cluster.certificate-authority-data"],
  ])("names the field that is missing: %s", (_, text, field) => {
    expect(() => credentialsOf(text)).toThrow(`the kubeconfig of K3s has no ${field}`);
  });
});
