declare module "spdx-correct" {
  /** The closest SPDX expression, or null. It guesses freely. */
  export default function correct(
    identifier: string,
    options?: { readonly upgrade?: boolean },
  ): string | null;
}

declare module "spdx-expression-parse" {
  export interface SpdxLicense {
    readonly license: string;
    readonly plus?: true;
    readonly exception?: string;
  }

  export interface SpdxConjunction {
    readonly left: SpdxExpression;
    readonly conjunction: "and" | "or";
    readonly right: SpdxExpression;
  }

  export type SpdxExpression = SpdxLicense | SpdxConjunction;

  /** @throws Error where the text is no SPDX expression */
  export default function parse(source: string): SpdxExpression;
}
