import type { Suite } from "../Suite.js"
import { body, memoryUse, startUp } from "./body.js"
import { effect4 } from "./effect4.js"
import { http2 } from "./http2.js"
import { coded, post, requests, saturated, tls, traced } from "./load.js"
import { hostile, parser, pool } from "./pool.js"

export const suites: ReadonlyArray<Suite> = [
  requests,
  saturated,
  post,
  body,
  coded,
  tls,
  http2,
  traced,
  effect4,
  pool,
  memoryUse,
  startUp,
  parser,
  hostile
]
