// What is wrong with a site that has been built: links that lead nowhere, and words that the search does not find.
import MiniSearch from "minisearch"
import { readdirSync, readFileSync } from "node:fs"
import { join, posix } from "node:path"
import { pathToFileURL } from "node:url"

/**
 * @param {string} folder
 * @param {string} extension
 */
const filesIn = (folder, extension) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(extension))
    .map((name) => name.replaceAll("\\", "/"))

/** @param {string} text */
const unescaped = (text) =>
  text.replaceAll("&amp;", "&").replaceAll("&quot;", "\"").replaceAll("&#39;", "'").replaceAll("&lt;", "<")

/**
 * Every link within the site, its anchor included.
 *
 * @param {string} dist
 * @param {string} base
 * @returns {ReadonlyArray<string>}
 */
const brokenLinks = (dist, base) => {
  const names = filesIn(dist, ".html")
  const html = new Map(names.map((name) => [name, readFileSync(join(dist, name), "utf8")]))
  const others = new Set(filesIn(dist, ""))
  const ids = new Map(
    [...html].map((
      [name, text]
    ) => [name, new Set([...text.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => unescaped(id)))])
  )
  return names.filter((name) => name !== "404.html").flatMap((name) =>
    [...(html.get(name) ?? "").matchAll(/<(?:a|img)\s[^>]*?(?:href|src)="([^"]*)"/g)].flatMap(([, written]) => {
      const [path, anchor] = unescaped(written).split("#")
      if (/^[a-z]+:/i.test(path)) return []
      const absolute = path === ""
        ? name
        : path.startsWith(base)
        ? path.slice(base.length)
        : posix.join(posix.dirname(name), path)
      const target = [absolute, `${absolute}.html`, posix.join(absolute, "index.html")].find((file) => html.has(file))
      if (target === undefined) return others.has(absolute) ? [] : [`${name}: ${written}`]
      return anchor === undefined || anchor === "" || ids.get(target)?.has(decodeURIComponent(anchor))
        ? []
        : [`${name}: ${written} (no such anchor)`]
    })
  )
}

/**
 * What somebody types, and the page that has to be among the first three that are found.
 *
 * @type {ReadonlyArray<readonly [words: string, page: string]>}
 */
const searches = [
  ["shutdown", "recipes/shutdown"],
  ["SIGTERM", "recipes/shutdown"],
  ["base URL", "recipes/base-url"],
  ["logging", "recipes/logging"],
  ["log each request", "recipes/logging"],
  ["tapError", "recipes/logging"],
  ["Prometheus", "observability"],
  ["retries", "client/retries"],
  ["retry window", "client/retries"],
  ["redirects", "client/redirects"],
  ["TLS", "recipes/tls"],
  ["self-signed", "recipes/tls"],
  ["certificate", "recipes/tls"],
  ["lookup", "recipes/names"],
  ["DNS", "recipes/names"],
  ["IPv6", "recipes/names"],
  ["multipart", "recipes/uploads"],
  ["file upload", "recipes/uploads"],
  ["download", "recipes/uploads"],
  ["slow upload", "recipes/uploads"],
  ["proxies", "networks"],
  ["HTTPS_PROXY", "networks"],
  ["ulimit", "recipes/descriptors"],
  ["EMFILE", "recipes/descriptors"],
  ["Lambda", "recipes/serverless"],
  ["serverless", "recipes/serverless"],
  ["Next.js", "recipes/nextjs"],
  ["troubleshooting", "troubleshooting"],
  ["PoolTimeout", "troubleshooting"],
  ["ECONNREFUSED", "troubleshooting"],
  ["production checklist", "production"],
  ["security", "security"],
  ["SSRF", "security"],
  ["stability", "stability"],
  ["Effect 4", "versions"],
  ["Bun", "versions"],
  ["glossary", "glossary"],
  ["httpx", "coming-from"],
  ["layerUndici", "coming-from"],
  ["mock", "testing"],
  ["cookies", "client/cookies"],
  ["install", "start"],
  ["socket hang up", "troubleshooting"],
  ["read ECONNRESET", "troubleshooting"],
  ["UND_ERR_HEADERS_TIMEOUT", "troubleshooting"],
  ["wrong version number", "troubleshooting"],
  ["unable to verify the first certificate", "troubleshooting"],
  ["Parse Error", "troubleshooting"],
  ["GOAWAY", "troubleshooting"],
  ["came free within", "troubleshooting"],
  ["process does not exit", "troubleshooting"],
  ["verify=False", "coming-from"],
  ["retry on 503", "client/retries"],
  ["rate limit 429", "client/retries"]
]

/** As in the site: the settings of `.vitepress/config.mts`. */
const searchOptions = {
  fuzzy: 0.1,
  prefix: true,
  boost: { title: 4, text: 2, titles: 1 },
  /** @param {string} id */
  boostDocument: (id) => id.includes("/reference/") || id.includes("/changelog") ? 0.2 : 1
}

/**
 * @param {string} dist
 * @param {string} base
 */
const unfound = async (dist, base) => {
  const [index] = filesIn(dist, ".js").filter((name) => name.includes("@localSearchIndexroot"))
  const { default: json } = await import(pathToFileURL(join(dist, index)).href)
  const search = MiniSearch.loadJSON(json, {
    fields: ["title", "titles", "text"],
    storeFields: ["title", "titles"],
    searchOptions
  })
  return searches.flatMap(([words, page]) => {
    const found = [...new Set(search.search(words).map(({ id }) => id.slice(base.length).split("#")[0]))].slice(0, 3)
    return found.includes(page) ? [] : [`"${words}" finds ${found.join(", ") || "nothing"}, and not ${page}`]
  })
}

/**
 * Says what is wrong, and whether nothing is.
 *
 * @param {string} dist
 * @param {string} base
 */
export const check = async (dist, base) => {
  const problems = [...brokenLinks(dist, base), ...await unfound(dist, base)]
  for (const problem of problems) console.error(problem)
  console.log(`${filesIn(dist, ".html").length} pages, ${searches.length} searches, ${problems.length} problems`)
  return problems.length === 0
}
