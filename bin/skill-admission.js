#!/usr/bin/env node
/**
 * Starts the program on a Node that is new enough: the one that runs this, or the one that npm installed beside it. Plain
 * JavaScript, since an older Node runs this.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const oldest = 24;
const { version, platform, arch, argv } = process;
const main = new URL("../dist/main.js", import.meta.url);

/** Path of the Node among the packages; undefined where there is none for this platform. */
function packagedNode() {
  try {
    return createRequire(import.meta.url).resolve(`node-${platform}-${arch}/bin/node`);
  } catch {
    return undefined;
  }
}

function runOn(node) {
  const child = spawn(node, [fileURLToPath(main), ...argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.once("error", (error) => fail(`${node} cannot be started: ${error.message}`));
  child.once("exit", (code) => {
    process.exitCode = code ?? 3;
  });
}

function fail(what) {
  console.error(`error: ${what}`);
  process.exitCode = 2;
}

if (Number.parseInt(version.slice(1), 10) >= oldest) {
  import(main);
} else {
  const node = packagedNode();
  if (node === undefined)
    fail(
      `skill-admission runs on Node ${oldest} or newer, and this is ${version}\ninstall Node ${oldest}, and put it into PATH before the other`,
    );
  else runOn(node);
}
