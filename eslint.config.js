import tseslint from "typescript-eslint";
import { pureCode } from "./scripts/pure-code.js";

const closedSyntax = [
  { selector: "TSEnumDeclaration", message: "Use a union of literals." },
  { selector: "ExportAllDeclaration", message: "No barrels." },
  {
    selector: "ObjectExpression > Property[kind='get']",
    message:
      "Use a function: V8 makes a hidden class for each such object, and no scavenge frees what it holds.",
  },
];

export default tseslint.config(
  { ignores: ["dist/", "coverage/", "node_modules/", ".cache/"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["*.js", "*.cjs"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/prefer-readonly": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      "max-lines": ["error", { max: 240, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
      "max-params": ["error", 4],
      complexity: ["error", 14],
      eqeqeq: "error",
      "no-console": "error",
      "no-restricted-globals": [
        "error",
        {
          name: "process",
          message: "Only src/main.ts, src/compose/process.ts and src/environment.ts see the process.",
        },
      ],
      "no-restricted-syntax": ["error", ...closedSyntax],
    },
  },
  {
    files: ["test/**/*.ts", "scripts/**/*.{ts,js}", "bin/*.js", "*.config.ts"],
    rules: {
      "max-lines": "off",
      "max-lines-per-function": "off",
      "no-restricted-globals": "off",
      "no-console": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  {
    files: ["src/main.ts", "src/environment.ts", "src/compose/process.ts"],
    rules: { "no-restricted-globals": "off" },
  },
  ...pureCode(closedSyntax),
  { files: ["**/*.js", "**/*.cjs"], extends: [tseslint.configs.disableTypeChecked] },
  { files: ["**/*.cjs"], rules: { "@typescript-eslint/no-require-imports": "off" } },
);
