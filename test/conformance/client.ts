#!/usr/bin/env node
/** Client of the sigstore-conformance suite (docs/formats/sigstore.md): exit code 0 for proved, 1 for refused, 2 for a wrong call. */
import { answerTo } from "./verify-bundle.ts";

const { code, said } = answerTo(process.argv.slice(2), Date.now());
if (code === 0) console.log(said);
else console.error(said);
process.exitCode = code;
