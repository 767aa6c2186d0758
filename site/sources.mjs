// Which files of the repository are pages of the site, and what becomes of the links between them.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, posix } from "node:path"
import { fileURLToPath } from "node:url"
import { hasCounterpart, toEffect4 } from "../scripts/effect4.mjs"

export const root = fileURLToPath(new URL("..", import.meta.url))

/**
 * Where the files of the repository can be looked at, with a slash at the end. Without it, a link to a file that is no
 * page becomes its text.
 */
const source = process.env["SITE_SOURCE"]

/** @param {string} folder */
const markdownIn = (folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => name.replaceAll("\\", "/"))

/**
 * The pages of the site, by the files that they come from.
 *
 * @type {ReadonlyMap<string, string>}
 */
export const pages = new Map([
  ...markdownIn("docs").map((name) => /** @type {const} */ ([`docs/${name}`, name])),
  /** @type {const} */ (["README.md", "readme.md"]),
  /** @type {const} */ (["CONTRIBUTING.md", "contributing.md"]),
  /** @type {const} */ (["packages/test-server/README.md", "test-server-package.md"])
])

/**
 * A page's text with its links as the site has them, and the other files that it shows.
 *
 * @param {string} file
 * @returns {{ readonly text: string, readonly assets: ReadonlyArray<string> }}
 */
export const pageOf = (file) => {
  const page = /** @type {string} */ (pages.get(file))
  /** @type {Array<string>} */
  const assets = []
  /** @param {string} text */
  const relink = (text) =>
    text.replace(/(!?)\[([^[\]]*)\]\(([^()\s]+)\)/g, (whole, image, label, target) => {
      if (/^(?:[a-z]+:|#|\/)/i.test(target)) return whole
      const [path, anchor] = target.split("#")
      const to = posix.join(posix.dirname(file), path)
      if (!existsSync(join(root, to))) throw new Error(`${file} links to ${target}, and there is no ${to}`)
      const toPage = pages.get(to)
      if (toPage !== undefined) {
        const link = posix.relative(posix.dirname(page), toPage)
        return `[${label}](${link.startsWith(".") ? "" : "./"}${link}${anchor === undefined ? "" : `#${anchor}`})`
      }
      if (image === "!") {
        assets.push(to)
        return `![${label}](/${to})`
      }
      return source === undefined ? label : `[${label}](${source}${to})`
    })
  const text = inPairs(file, readFileSync(join(root, file), "utf8").split(/^(```[^]*?^```)$/m))
    // In code, brackets are no links.
    .map((part, index) => index % 2 === 0 ? relink(part) : part)
    .join("")
  return { text, assets }
}

/**
 * Examples for Effect 3 get one for Effect 4 beside them: the document's own, or the translation, which check-docs.mjs has
 * compiled.
 *
 * @param {string} file
 * @param {ReadonlyArray<string>} parts text and code by turns
 */
const inPairs = (file, parts) => {
  if (file === "docs/effect4.md" || !/^(README|docs\/.*)\.md$/.test(file)) return parts
  const given = [...parts]
  for (let index = 1; index < given.length; index += 2) {
    const code = given[index]
    if (!code.startsWith("```ts\n")) continue
    const own = given[index + 2]?.startsWith("```ts effect4\n") === true && given[index + 1]?.trim() === ""
    const other = own
      ? given[index + 2].replace("```ts effect4", "```ts")
      : hasCounterpart(code)
      ? toEffect4(code)
      : code
    if (other === code) continue
    given[index] = `::: code-group\n${tab(code, "Effect 3")}\n\n${tab(other, "Effect 4")}\n:::`
    if (own) given[index + 2] = ""
  }
  return given
}

/** @param {string} code @param {string} label */
const tab = (code, label) => code.replace("```ts\n", `\`\`\`ts [${label}]\n`)
