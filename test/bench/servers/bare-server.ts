/**
 * The floor for a webhook on this stack, a process of its own: express over HTTPS that reads the review as JSON and
 * allows whatever it is asked. Arguments: certificate file, key file, port.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import express from "express";

interface Review {
  readonly request: { readonly uid: string };
}

const [certFile = "", keyFile = "", port = "0"] = process.argv.slice(2);
const app = express();
app.use(express.json({ limit: "7mb" }));
app.get("/readyz", (_request, response) => void response.send("ok"));
app.post("/validate", (request, response) => {
  const { uid } = (request.body as Review).request;
  response.json({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: { uid, allowed: true },
  });
});
createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, app).listen(
  Number(port),
  "127.0.0.1",
);
