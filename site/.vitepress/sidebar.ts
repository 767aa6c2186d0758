import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { DefaultTheme } from "vitepress"

const gathered = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../gathered")

/** The pages that have their position. One that is not here stands under "More", so that a new page is never lost. */
const groups: ReadonlyArray<readonly [title: string, pages: ReadonlyArray<string>]> = [
  ["Guide", ["start", "versions", "effect4", "pool", "client", "networks", "observability", "testing", "coming-from"]],
  ["Around a request", [
    "client/retries",
    "client/redirects",
    "client/cookies",
    "client/credentials",
    "client/codings",
    "client/events",
    "client/files"
  ]],
  ["Recipes", [
    "recipes/base-url",
    "recipes/logging",
    "recipes/uploads",
    "recipes/tls",
    "recipes/names",
    "recipes/shutdown",
    "recipes/descriptors",
    "recipes/serverless",
    "recipes/nextjs"
  ]],
  ["In production", ["production", "troubleshooting", "security", "performance"]],
  ["What holds", ["guarantees", "stability", "glossary", "changelog"]],
  ["Test server", ["test-server", "test-server-package"]],
  ["Internals", ["picture", "architecture", "http2-engine", "contributing"]]
]

/** They are the first page of the site, or part of it. */
const hidden = ["index", "readme"]

const titleOf = (page: string): string => {
  const [, title = page] = /^# (.+)$/m.exec(readFileSync(join(gathered, `${page}.md`), "utf8")) ?? []
  return title.replaceAll("`", "")
}

const item = (page: string): DefaultTheme.SidebarItem => ({ text: titleOf(page), link: `/${page}` })

const pagesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(gathered, folder), { recursive: true, encoding: "utf8" })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => name.slice(0, -".md".length))
    .sort()

const reference: DefaultTheme.SidebarItem = {
  text: "Reference",
  collapsed: true,
  items: ["node", "core", "node4", "core4", "test-server"].map((name) => ({
    text: `@sluice/${name}`,
    collapsed: true,
    items: pagesIn(`reference/${name}`).map((page) => ({
      text: page.replace(/\/index$/, ""),
      link: `/reference/${name}/${page.replace(/\/index$/, "/")}`
    }))
  }))
}

const named = new Set(groups.flatMap(([, pages]) => pages))
const more = pagesIn("").filter((page) => !page.startsWith("reference/") && !named.has(page) && !hidden.includes(page))

export const sidebar: Array<DefaultTheme.SidebarItem> = [
  ...[...groups, ["More", more] as const]
    .map(([text, pages]) => ({
      text,
      items: pages.filter((page) => existsSync(join(gathered, `${page}.md`))).map(item)
    }))
    .filter(({ items }) => items.length > 0),
  reference
]
