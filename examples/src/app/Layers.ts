import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpServer from "@effect/platform/HttpServer"
import { HttpClientLayer } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { Api } from "./Api.js"
import { Catalog } from "./Catalog.js"
import { Downstreams } from "./Downstreams.js"
import { Prices } from "./Prices.js"
import { ProductPage } from "./ProductPage.js"
import { Reviews } from "./Reviews.js"

/**
 * How many connections: those in use at once are requests per second times seconds per request (Little's law). Reviews
 * take 60 ms, so 12 connections carry 200 requests a second to them; prices take a few milliseconds and get as many for
 * bad days. The catalog speaks HTTP/2: one connection is enough. Nobody may have more than 12, so that a slow service
 * cannot take what the others need.
 */
export const limits = {
  maxConnections: 25,
  maxConnectionsPerOrigin: 12,
  maxKeepAliveConnections: 25,
  maxPendingRequests: 500
}

/** The one client of the service, and with it the one pool. */
export const Client = Layer.unwrapEffect(
  Effect.map(Downstreams, ({ authority }) =>
    HttpClientLayer.layer({
      limits,
      timeouts: { pool: "2 seconds", connect: "2 seconds", read: "2 seconds", total: "4 seconds" },
      maxResponseSize: 1024 * 1024,
      tls: { ca: authority }
    }))
)

/** What the service is made of. Each service is built once, however many others ask for it. */
export const Services = ProductPage.Default.pipe(
  Layer.provide([Catalog.Default, Prices.Default, Reviews.Default]),
  Layer.provideMerge(Client)
)

/** A free port of loopback. */
const Port = NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 })

/**
 * The service. Its services, its pool and its address can be looked at from outside; whoever runs it says where its three downstreams
 * are.
 */
export const App = HttpServer.serve(Api).pipe(
  Layer.provideMerge(Services),
  Layer.provideMerge(Port)
)
