import ts from "typescript"

// The changes to a source file that its tests are asked to notice.

/**
 * @typedef {{ start: number, end: number, text: string }} Mutant what replaces a piece of the source
 */

const swapped = new Map(Object.entries({
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
  "&&": "||",
  "||": "&&",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "+=": "-=",
  "-=": "+=",
  "??=": "=",
  "++": "--",
  "--": "++",
  "&": "|",
  "|": "&",
  "<<": ">>"
}))

const opposites = new Map(Object.entries({
  min: "max",
  max: "min",
  ceil: "floor",
  floor: "ceil",
  first: "last",
  last: "first",
  head: "tail",
  tail: "head",
  pushBack: "pushFront",
  pushFront: "pushBack",
  moveToBack: "remove",
  some: "every",
  every: "some"
}))

/** @param {ts.Node} node */
const returnsNothing = (node) => {
  let scope = node.parent
  while (scope !== undefined && !ts.isFunctionLike(scope)) scope = scope.parent
  return scope?.type?.kind === ts.SyntaxKind.VoidKeyword
}

/**
 * All mutants of a file, in the order of the source.
 *
 * @param {string} code
 * @returns {ReadonlyArray<Mutant>}
 */
export const mutantsOf = (code) => {
  const source = ts.createSourceFile("source.ts", code, ts.ScriptTarget.Latest, true)
  /** @type {Array<Mutant>} */
  const found = []

  /** @param {ts.Node} node @param {string} text */
  const replace = (node, text) => {
    found.push({ start: node.getStart(source), end: node.getEnd(), text })
  }

  /** @param {ts.Node} node @param {string} symbol */
  const swap = (node, symbol) => {
    const other = swapped.get(symbol)
    if (other !== undefined) replace(node, other)
  }

  /** @param {ts.Expression} condition */
  const decide = (condition) => {
    replace(condition, "true")
    replace(condition, "false")
  }

  /** @param {ts.Node} node */
  const visit = (node) => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node)) return
    if (ts.isBinaryExpression(node)) {
      const symbol = node.operatorToken.getText(source)
      swap(node.operatorToken, symbol)
      if (symbol === "??") replace(node, `(${node.left.getText(source)})`)
    } else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
      const symbol = ts.tokenToString(node.operator) ?? ""
      const operand = node.operand.getText(source)
      if (symbol === "!") replace(node, operand)
      else if (symbol === "-") replace(node, operand)
      else if (swapped.has(symbol)) {
        const other = swapped.get(symbol)
        replace(node, ts.isPrefixUnaryExpression(node) ? `${other}${operand}` : `${operand}${other}`)
      }
    } else if (node.kind === ts.SyntaxKind.TrueKeyword) replace(node, "false")
    else if (node.kind === ts.SyntaxKind.FalseKeyword) replace(node, "true")
    else if (ts.isNumericLiteral(node)) replace(node, `${Number(node.text.replaceAll("_", "")) + 1}`)
    else if (ts.isIdentifier(node) && node.text === "Infinity") replace(node, "0")
    else if (ts.isPropertyAccessExpression(node)) {
      const opposite = opposites.get(node.name.text)
      if (opposite !== undefined) replace(node.name, opposite)
    } else if (ts.isIfStatement(node)) decide(node.expression)
    else if (ts.isWhileStatement(node)) replace(node.expression, "false")
    else if (ts.isConditionalExpression(node)) decide(node.condition)
    else if (ts.isExpressionStatement(node)) replace(node.expression, "void 0")
    else if (ts.isReturnStatement(node) && node.expression !== undefined && returnsNothing(node)) {
      replace(node.expression, "undefined")
    }
    ts.forEachChild(node, visit)
  }

  visit(source)
  return found.sort((one, other) => one.start - other.start || one.end - other.end)
}
