import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Files, HttpClientLayer } from "@sluice/node"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { show } from "./files/show.js"

// A download and an upload with a bar each: `node scripts/start.mjs examples files`.

const program = Effect.gen(function*() {
  const client = yield* HttpClient.HttpClient
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped()
  const { url } = yield* TestServer.make({
    replies: { "GET /large": Reply.size(200 * 1024 * 1024), "PUT /large": Reply.empty({ status: 204 }) }
  })

  const file = `${folder}/large.bin`
  yield* show("down", Files.download(client, HttpClientRequest.get(`${url}/large`), file))

  const request = HttpClientRequest.put(`${url}/large`).pipe(HttpClientRequest.setBody(yield* Files.body(file)))
  yield* show("up  ", Files.upload(client, request))
}).pipe(Effect.scoped, Effect.provide(Layer.merge(HttpClientLayer.layer(), NodeFileSystem.layer)))

NodeRuntime.runMain(program)
