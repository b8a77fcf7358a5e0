#!/usr/bin/env node
/** The process: arguments in, exit code out. What a command needs is loaded when it is called. */
import { enableCompileCache } from "node:module";

enableCompileCache();
const { runProcess } = await import("./compose/process.ts");
process.exitCode = await runProcess(process.argv.slice(2));
