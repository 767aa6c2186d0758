import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type { OpenClient } from "../Client.js"
import { open as openEffect } from "./effect.js"

/** The platform's client over `fetch`: as little besides Effect itself as an Effect client can be. */
export const open: OpenClient = (settings) => openEffect(FetchHttpClient.layer, settings)
