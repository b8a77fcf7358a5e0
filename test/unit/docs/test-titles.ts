import ts from "typescript";

const runners: ReadonlySet<string> = new Set(["describe", "it", "test"]);
const idle: ReadonlySet<string> = new Set(["skip", "todo", "fails"]);

/** Says whether an expression such as `it`, `it.each([…])` or `describe.skipIf(…)` takes the title of a test that runs. */
function isRunner(expression: ts.Expression): boolean {
  if (ts.isIdentifier(expression)) return runners.has(expression.text);
  if (ts.isCallExpression(expression)) return isRunner(expression.expression);
  return (
    ts.isPropertyAccessExpression(expression) &&
    !idle.has(expression.name.text) &&
    isRunner(expression.expression)
  );
}

/** The text of a title: a literal's own, and a template's as it stands, with its `${…}`. */
function titleOf(argument: ts.Expression | undefined, source: ts.SourceFile): string | undefined {
  if (argument === undefined) return undefined;
  if (ts.isStringLiteralLike(argument)) return argument.text;
  return ts.isTemplateExpression(argument) ? argument.getText(source).slice(1, -1) : undefined;
}

/** The titles of `describe` and `it` in the text of a test file, those of `each` before their rows are put in; what is skipped is none. */
export function titlesOf(text: string): ReadonlySet<string> {
  const source = ts.createSourceFile("x.ts", text, ts.ScriptTarget.Latest);
  const titles = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isRunner(node.expression)) {
      const title = titleOf(node.arguments[0], source);
      if (title !== undefined) titles.add(title);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return titles;
}
