import { assert, describe, it } from "@effect/vitest"
import { Reply, TestServer } from "@sluice/test-server"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

const get = (url: string, init?: RequestInit) =>
  Effect.promise(async () => {
    const response = await fetch(url, init)
    return `${response.status} ${await response.text()}`
  })

describe("routes", () => {
  it.scoped("are found by path, names in it, query as a set, host and method; the most exact one counts", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: {
          "*": Reply.text("any"),
          "/users/*": Reply.text("below"),
          "/users/:id": Reply.text("one"),
          "/users/me": Reply.text("me"),
          "/users/me?a=1&b=2": Reply.text("me, by query"),
          "POST /users/me": Reply.text("posted"),
          "http://other.test/users/me": Reply.text("elsewhere")
        }
      })
      const bodies = yield* Effect.forEach(
        ["/", "/users/", "/users/7/posts", "/users/7", "/users/me?c=3", "/users/%6De?b=2&a=1"],
        (path) => get(`${server.url}${path}`)
      )
      assert.deepEqual(bodies, ["200 any", "200 below", "200 below", "200 one", "200 me", "200 me, by query"])
      assert.strictEqual(yield* get(`${server.url}/users/me`, { method: "POST" }), "200 posted")
    }))

  it.scoped("that nothing is scripted for say which was probably meant", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: { "GET /orders": Reply.empty(), "/users?page=2": Reply.empty() }
      })
      assert.include(yield* get(`${server.url}/users?page=3`), "The nearest is /users?page=2: query \"page\" differs")
      assert.include(
        yield* get(`${server.url}/orders`, { method: "PUT" }),
        "The nearest is GET /orders: method differs"
      )
    }))

  it.scoped("are replaced however they are written, and of two that mean the same one is an error", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "GET /users/:id?a=1&b=2": Reply.text("first") } })
      yield* server.reply("get /users/:name?b=2&a=1", Reply.text("second"))
      assert.strictEqual(yield* get(`${server.url}/users/7?a=1&b=2`), "200 second")
      const twins = { "/users/:id": Reply.empty(), "/users/:name": Reply.empty() }
      const cause = yield* Effect.flip(Effect.sandbox(TestServer.make({ replies: twins })))
      assert.include(Cause.pretty(cause), "the routes \"/users/:id\" and \"/users/:name\" mean the same requests")
    }))

  it.scoped("that can never match are errors of the script", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make()
      const cause = yield* Effect.sandbox(server.reply("users", Reply.empty())).pipe(Effect.flip)
      assert.include(Cause.pretty(cause), "a path begins with a slash: /users")
    }))
})
