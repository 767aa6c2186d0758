import type { Suite } from "../Suite.js"
import { body, memoryUse, startUp } from "./body.js"
import { coded, h2, post, requests, saturated, tls, traced } from "./load.js"
import { parser, pool } from "./pool.js"

export const suites: ReadonlyArray<Suite> = [
  requests,
  saturated,
  post,
  body,
  coded,
  tls,
  h2,
  traced,
  pool,
  memoryUse,
  startUp,
  parser
]
