import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpServer from "@effect/platform/HttpServer"
import { assert, describe, it } from "@effect/vitest"
import { HttpClientLayer } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"

class User extends Schema.Class<User>("User")({ id: Schema.Number, name: Schema.String }) {}

class NotFound extends Schema.TaggedError<NotFound>()("NotFound", { id: Schema.Number }) {}

const Api = HttpApi.make("Api").add(
  HttpApiGroup.make("users")
    .add(
      HttpApiEndpoint.get("byId", "/users/:id")
        .setPath(Schema.Struct({ id: Schema.NumberFromString }))
        .setUrlParams(Schema.Struct({ upper: Schema.optional(Schema.BooleanFromString) }))
        .addSuccess(User)
        .addError(NotFound, { status: 404 })
    )
    .add(HttpApiEndpoint.post("create", "/users").setPayload(Schema.Struct({ name: Schema.String })).addSuccess(User))
    .add(HttpApiEndpoint.del("remove", "/users/:id").setPath(Schema.Struct({ id: Schema.NumberFromString })))
)

const UsersLive = HttpApiBuilder.group(Api, "users", (handlers) =>
  handlers
    .handle("byId", ({ path, urlParams }) =>
      path.id === 0
        ? Effect.fail(new NotFound({ id: path.id }))
        : Effect.succeed(new User({ id: path.id, name: urlParams.upper === true ? "ANN" : "ann" })))
    .handle("create", ({ payload }) => Effect.succeed(new User({ id: 7, name: payload.name })))
    .handle("remove", () => Effect.void))

const Server = HttpApiBuilder.serve().pipe(
  Layer.provide(HttpApiBuilder.api(Api)),
  Layer.provide(UsersLive),
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
)

describe("HttpApiClient over this client", () => {
  it.live("payloads, paths, parameters and typed errors", () =>
    Effect.gen(function*() {
      const { address } = yield* HttpServer.HttpServer
      if (address._tag !== "TcpAddress") return assert.fail("a TCP address")
      const client = yield* HttpApiClient.make(Api, { baseUrl: `http://127.0.0.1:${address.port}` })
      assert.deepStrictEqual(
        yield* client.users.byId({ path: { id: 3 }, urlParams: {} }),
        new User({ id: 3, name: "ann" })
      )
      const upper = yield* client.users.byId({ path: { id: 3 }, urlParams: { upper: true } })
      assert.strictEqual(upper.name, "ANN")
      const missing = yield* Effect.flip(client.users.byId({ path: { id: 0 }, urlParams: {} }))
      assert.deepStrictEqual(missing, new NotFound({ id: 0 }))
      assert.deepStrictEqual(yield* client.users.create({ payload: { name: "Bo" } }), new User({ id: 7, name: "Bo" }))
      assert.isUndefined(yield* client.users.remove({ path: { id: 3 } }))
    }).pipe(Effect.provide(Layer.mergeAll(Server, HttpClientLayer.layer()))))
})
