#!/usr/bin/env node
/** Entry point: arguments in, exit code out. Commands load their code on demand. */
import { enableCompileCache } from "node:module";

enableCompileCache();
const { runProcess } = await import("./compose/process.ts");
process.exitCode = await runProcess(process.argv.slice(2));
