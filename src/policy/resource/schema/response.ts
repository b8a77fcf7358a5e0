import { z } from "zod";
import type { Response } from "../../policy.ts";

const responses = ["Deny", "Warn", "Allow"] as const satisfies readonly Response[];

/** A policy's answer. */
export const response = z.enum(responses);
