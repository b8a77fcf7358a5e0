import { expect } from "vitest";
import { endSharedProduct } from "../admission/product.ts";

// Files outside of admission/ have the cluster to themselves: a product that runs meanwhile would put its registration back,
// and be asked by an API server that they kill.
if (expect.getState().testPath?.includes("/admission/") !== true) await endSharedProduct();
