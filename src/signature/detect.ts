/** Where an OpenSSF Model Signing signature stands in a skill: at its root, under the name that catalogues use. */
export const signatureFileName = "skill.oms.sig";
