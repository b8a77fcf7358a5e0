#!/usr/bin/env node
/** Client of the sigstore-conformance suite (docs/formats/sigstore.md): exit code 0 for proved, 1 for refused, 2 for a wrong call. */
import { Refusal, UsageError, verifyBundle } from "./verify-bundle.ts";

try {
  console.log(`signed by ${verifyBundle(process.argv.slice(2), Date.now())}`);
} catch (error) {
  if (!(error instanceof Refusal || error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof Refusal ? 1 : 2;
}
