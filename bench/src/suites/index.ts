import type { Suite } from "../Suite.js"
import { body, memoryUse, startUp } from "./body.js"
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
  pool,
  memoryUse,
  startUp,
  parser,
  hostile
]
