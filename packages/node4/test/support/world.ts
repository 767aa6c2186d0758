import * as ConnectionPool from "@sluice/core4/ConnectionPool"
import { HttpClientLayer } from "@sluice/node4"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as http from "node:http"
import type { AddressInfo, Server } from "node:net"
import { until } from "./it.js"

/** A server of Node's own for as long as the Scope lasts, by its URL. */
export const listening = (make: () => Server & { readonly closeAllConnections?: () => void }) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() =>
        new Promise<Server & { readonly closeAllConnections?: () => void }>((resolve) => {
          const server = make()
          server.listen(0, "127.0.0.1", () => resolve(server))
        })
      ),
      (server) =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections?.()
        })
    ),
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  )

export const serve = (handler: http.RequestListener) => listening(() => http.createServer(handler))

export const build = (options: HttpClientLayer.Options = {}) =>
  Effect.map(Layer.build(HttpClientLayer.layer(options)), (context) => ({
    client: Context.get(context, HttpClient.HttpClient),
    pool: Context.get(context, ConnectionPool.ConnectionPool)
  }))

export const text = <E, R>(client: HttpClient.HttpClient.With<E, R>, url: string) =>
  Effect.flatMap(client.get(url), (response) => response.text)

export const atRest = (pool: ConnectionPool.ConnectionPool) =>
  until(() => {
    const { leases, waiting } = pool.unsafeStats()
    return leases + waiting === 0
  })
