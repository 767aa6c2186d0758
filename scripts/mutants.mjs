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

const assignments = new Set([
  ts.SyntaxKind.EqualsToken,
  ts.SyntaxKind.PlusEqualsToken,
  ts.SyntaxKind.MinusEqualsToken,
  ts.SyntaxKind.QuestionQuestionEqualsToken,
  ts.SyntaxKind.BarEqualsToken,
  ts.SyntaxKind.AmpersandEqualsToken,
  ts.SyntaxKind.AsteriskEqualsToken,
  ts.SyntaxKind.SlashEqualsToken
])

/** Whether `(condition ? other : node)` may stand in the place of the node. */
/** @param {ts.Node} node */
const isReplaceable = (node) => {
  const { parent } = node
  if (!ts.isExpression(node) || ts.isSpreadElement(node) || ts.isOmittedExpression(node)) return false
  if (ts.isPrivateIdentifier(node) || ts.isExpressionWithTypeArguments(node)) return false
  if (node.kind === ts.SyntaxKind.SuperKeyword || ts.isTypeNode(parent)) return false
  if ("name" in parent && parent.name === node) return false
  if (ts.isShorthandPropertyAssignment(parent) || ts.isDeleteExpression(parent)) return false
  if (ts.isTaggedTemplateExpression(parent) || ts.isBindingElement(parent) && parent.propertyName === node) return false
  if (ts.isBinaryExpression(parent) && parent.left === node && assignments.has(parent.operatorToken.kind)) return false
  if (ts.isPostfixUnaryExpression(parent)) return false
  if (ts.isPrefixUnaryExpression(parent) && /[+-]{2}/.test(ts.tokenToString(parent.operator) ?? "")) return false
  if ((ts.isForOfStatement(parent) || ts.isForInStatement(parent)) && parent.initializer === node) return false
  // What a method is called on is its `this`, and a chain ends as a whole.
  if (ts.isCallLikeExpression(parent) && "expression" in parent && parent.expression === node) return false
  if (ts.isOptionalChain(parent) && "expression" in parent && parent.expression === node) return false
  // A line that begins with a parenthesis goes on with the line before.
  for (let outer = parent; ts.isExpression(node); outer = outer.parent) {
    if (outer.getStart() !== node.getStart()) break
    if (ts.isExpressionStatement(outer)) return outer.expression === node
  }
  return true
}

/**
 * The same source with all the mutants in it, each of which is only in effect while `isActive(id)` says so. Those that
 * are decided while the module is loaded, once and for all, are `static`.
 *
 * @param {string} code
 * @param {ReadonlyArray<Mutant & { id: number }>} mutants
 * @returns {{ code: string, static: ReadonlyArray<number> }}
 */
export const withSwitches = (code, mutants) => {
  const source = ts.createSourceFile("source.ts", code, ts.ScriptTarget.Latest, true)
  /** @type {Map<ts.Node, Array<Mutant & { id: number }>>} */
  const places = new Map()
  /** @type {Array<number>} */
  const decidedAtLoad = []

  /** @param {ts.Node} node @param {Mutant} mutant @returns {ts.Node} */
  const smallest = (node, mutant) =>
    ts.forEachChild(
      node,
      (child) => child.getStart() <= mutant.start && child.getEnd() >= mutant.end ? smallest(child, mutant) : undefined
    ) ?? node

  for (const mutant of mutants) {
    let place = smallest(source, mutant)
    while (!isReplaceable(place)) place = place.parent
    places.set(place, [...(places.get(place) ?? []), mutant])
    let scope = place.parent
    while (!ts.isSourceFile(scope) && !ts.isFunctionLike(scope)) {
      if (ts.isPropertyDeclaration(scope) && !ts.getCombinedModifierFlags(scope)) break
      if (ts.isPropertyDeclaration(scope) && !(ts.getCombinedModifierFlags(scope) & ts.ModifierFlags.Static)) break
      scope = scope.parent
    }
    if (ts.isSourceFile(scope)) decidedAtLoad.push(mutant.id)
  }

  const sorted = [...places.keys()].sort((one, other) => one.getStart() - other.getStart() || other.end - one.end)

  /** @param {number} start @param {number} end @param {ReadonlyArray<ts.Node>} inside @returns {string} */
  const render = (start, end, inside) => {
    let text = ""
    let at = start
    for (const place of inside) {
      if (place.getStart() < at) continue
      text += code.slice(at, place.getStart())
      const from = place.getStart()
      const choices = (places.get(place) ?? []).map((mutant) =>
        `__isActive(${mutant.id}) ? (${code.slice(from, mutant.start)}${mutant.text}${
          code.slice(mutant.end, place.end)
        }) : `
      )
      const nested = sorted.filter((other) => other !== place && other.getStart() >= from && other.end <= place.end)
      const word = ts.isExpressionStatement(place.parent) ? "void " : ""
      text += `${word}(${choices.join("")}(${render(from, place.end, nested)}))`
      at = place.end
    }
    return text + code.slice(at, end)
  }
  return {
    code: `const __isActive = globalThis.__mutants.isActive;${render(0, code.length, sorted)}`,
    static: decidedAtLoad
  }
}
