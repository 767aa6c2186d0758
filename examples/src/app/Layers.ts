import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpServer from "@effect/platform/HttpServer"
import { HttpClientLayer } from "@sluice/node"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { Api } from "./Api.js"
import { Catalog } from "./Catalog.js"
import { Prices } from "./Prices.js"
import { ProductPage } from "./ProductPage.js"
import { Reviews } from "./Reviews.js"

/**
 * The one client of the service, and with it the one pool.
 *
 * How many connections: those in use at once are requests per second times seconds per request (Little's law). Reviews
 * take 60 ms, so 12 connections carry 200 requests a second to them; the others take a few milliseconds. No service may
 * have more than 12 of the 24, so that a slow one cannot take all.
 */
export const limits = {
  maxConnections: 24,
  maxConnectionsPerOrigin: 12,
  maxKeepAliveConnections: 24,
  maxPendingRequests: 500
}

export const Client = HttpClientLayer.layer({
  limits,
  timeouts: { pool: "2 seconds", connect: "1 second", read: "2 seconds", total: "4 seconds" },
  maxResponseSize: 1024 * 1024
})

/** What the service is made of. Each part is built once, however many others ask for it. */
export const Services = ProductPage.Default.pipe(
  Layer.provide([Catalog.Default, Prices.Default, Reviews.Default]),
  Layer.provideMerge(Client)
)

/** A free port of loopback. */
const Port = NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 })

/**
 * The service. Its parts, its pool and its address can be looked at from outside; whoever runs it says where its three downstreams
 * are.
 */
export const App = HttpServer.serve(Api).pipe(
  Layer.provideMerge(Services),
  Layer.provideMerge(Port)
)
