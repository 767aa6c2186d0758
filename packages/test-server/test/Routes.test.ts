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

  it.scoped("that can never match are errors of the script", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make()
      const cause = yield* Effect.sandbox(server.reply("users", Reply.empty())).pipe(Effect.flip)
      assert.include(Cause.pretty(cause), "a path begins with a slash: /users")
    }))
})
