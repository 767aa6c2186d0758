import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Layer from "effect/Layer"
import { Agent } from "undici"
import type { OpenClient } from "../Client.js"
import { open } from "./effect.js"

/** `NodeHttpClient.layerUndici`, with as many connections as the others have. */
export const openUndici: OpenClient = (settings) =>
  open(
    NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
      Layer.provide(Layer.sync(NodeHttpClient.Dispatcher, () => new Agent({ connections: settings.connections })))
    ),
    settings
  )

/** `NodeHttpClient.layer` as it is: a connection for every request. */
export const openNode: OpenClient = (settings) => open(NodeHttpClient.layer, settings)

/** The same with an agent that keeps connections. */
export const openNodeKeepAlive: OpenClient = (settings) =>
  open(
    NodeHttpClient.layerWithoutAgent.pipe(
      Layer.provide(NodeHttpClient.makeAgentLayer({ keepAlive: true, maxSockets: settings.connections }))
    ),
    settings
  )
