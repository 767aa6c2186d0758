import { describe, it } from "@effect/vitest"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { differences, isSecret, params, parseRoute, type Route } from "../../src/routes/index.js"

const route = (text: string): Route => {
  const parsed = parseRoute(text)
  if ("problem" in parsed) throw new Error(parsed.problem)
  return parsed
}

const request = (text: string) => {
  const [method, href] = text.includes(" ") ? text.split(" ") : ["GET", text]
  const url = new URL(href)
  return {
    method,
    scheme: url.protocol.slice(0, -1),
    host: url.hostname,
    port: url.port === "" ? (url.protocol === "http:" ? "80" : "443") : url.port,
    path: url.pathname,
    query: url.search.slice(1)
  }
}

const said = (pattern: string, url: string) => differences(route(pattern), request(url)).map(({ text }) => text)

describe("routes", () => {
  it.each([
    ["*", "https://api.test/a?b=c"],
    ["GET *", "https://api.test/"],
    ["https://api.test", "https://api.test/"],
    ["https://API.test:443/a", "https://api.test/a"],
    ["http://api.test:8080/a", "http://api.test:8080/a"],
    ["https://api.test/a%20b/%7euser", "https://api.test/a%20b/~user"],
    ["https://api.test/caf\u00e9", "https://api.test/caf%c3%a9"],
    ["/a%2fb", "https://api.test/a%2Fb"],
    ["https://*.test/a", "https://api.test/a"],
    ["https://*/a", "https://api.test:8443/a"],
    ["https://[::1]:1/a", "https://[::1]:1/a"],
    ["GET /users/:id", "https://api.test/users/7"],
    ["/users/*/name", "https://api.test/users/7/name"],
    ["/users/*", "https://api.test/users/"],
    ["/users/*", "https://api.test/users/7/name"],
    ["/slow*", "https://api.test/slowly/x"],
    ["/*.json", "https://api.test/a.json"],
    ["/a", "https://api.test/a?any=query"],
    ["/a?", "https://api.test/a"],
    ["/a?x=1&y=2", "https://api.test/a?y=2&x=1"],
    ["/a?x=1&x=2", "https://api.test/a?x=2&x=1"],
    ["/a?x=*&x=2", "https://api.test/a?x=2&x=1"],
    ["/a?x=1&*", "https://api.test/a?y=2&x=1"],
    ["/a?q=a+b", "https://api.test/a?q=a%20b"],
    ["?page=2", "https://api.test/any?page=2"]
  ])("%s means %s", (pattern, url) => deepStrictEqual(said(pattern, url), []))

  it.each([
    ["POST /a", "https://api.test/a", "method differs: GET, not POST"],
    ["http://api.test/a", "https://api.test/a", "scheme differs: https, not http"],
    ["https://api.test/a", "https://other.test/a", "host differs: other.test, not api.test"],
    ["https://api.test:8443/a", "https://api.test/a", "port differs: 443, not 8443"],
    ["/users", "https://api.test/user", "path differs: /user, not /users"],
    ["/users", "https://api.test/users/", "path differs: it has a slash at its end"],
    ["/users/", "https://api.test/users", "path differs: it has no slash at its end"],
    ["/a%2Fb", "https://api.test/a/b", "path differs: /a/b, not /a%2Fb"],
    ["/a/*/c", "https://api.test/a/b/b/c", "path differs: /a/b/b/c, not /a/*/c"],
    ["/a.c", "https://api.test/abc", "path differs: /abc, not /a.c"],
    ["/a?page=2", "https://api.test/a?page=3", "query \"page\" differs: \"3\", not \"2\""],
    ["/a?page=2", "https://api.test/a", "query \"page\" is missing"],
    ["/a?page=2", "https://api.test/a?page=2&size=1", "query \"size\" was not expected"],
    ["/a?", "https://api.test/a?x", "query \"x\" was not expected"],
    ["/a?apiKey=s3cret", "https://api.test/a?apiKey=other", "query \"apiKey\" differs: (redacted), not (redacted)"]
  ])("%s does not mean %s: %s", (pattern, url, difference) => deepStrictEqual(said(pattern, url), [difference]))

  it.each([
    ["", "it is empty"],
    ["users", "a path begins with a slash: /users"],
    ["https://api.test/a#b", "what stands after # is never sent"],
    ["https://me:secret@api.test/", "a user name and password are sent in a header, not in the URL"],
    ["ftp://api.test/", "ftp: is neither http: nor https:"],
    ["https:///a", "it has no host"],
    ["https://caf\u00e9.test/", "the host is sent in ASCII (xn--…), not as caf\u00e9.test"],
    ["https://api.test:99999/", "there is no port 99999"],
    ["https://a*b.test/", "* stands for a whole host, or for what is before a dot"],
    ["/a/../b", "a URL has no .. in its path when it is sent"],
    ["/:id/:id", "it has two of :id"],
    ["/a b", "a URL has no spaces in it; write %20"],
    ["G(T /a", "G(T is not a method"]
  ])("%j can never match: %s", (text, why) => {
    const parsed = parseRoute(text)
    ok("problem" in parsed)
    strictEqual(parsed.problem, `${JSON.stringify(text)} matches no request: ${why}`)
  })

  it("has what the names stand for, decoded", () => {
    deepStrictEqual(params(route("/users/:id/posts/:post"), "/users/a%20b/posts/%2F"), { id: "a b", post: "/" })
    strictEqual(params(route("/users/:id"), "/users/"), undefined)
  })

  it("knows whose values are secret", () => {
    for (const name of ["Authorization", "x-api-key", "apiKey", "access_token", "Set-Cookie", "X-Amz-Signature"]) {
      ok(isSecret(name), name)
    }
    for (const name of ["accept", "page", "keyboard", "author", "tokens-used-by"]) {
      strictEqual(isSecret(name), name === "tokens-used-by", name)
    }
  })
})
