/** `@sluice/core/PooledHttpClient`, which knows the responses of the bridge: what is asked of them is asked of those below. */
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import { PooledHttpClient as core } from "@sluice/core"
import * as PooledHttpClient4 from "@sluice/core4/PooledHttpClient"
import * as Option from "effect/Option"
import * as Option4 from "effect4/Option"
import { Response3 } from "./messages.js"

export const { discard, layer, make, makeHttpClient, PooledHttpClient } = core

export const connectionInfo: typeof core.connectionInfo = (response: HttpClientResponse) =>
  response instanceof Response3
    ? Option.fromNullable(Option4.getOrUndefined(PooledHttpClient4.connectionInfo(response.four)))
    : core.connectionInfo(response)
