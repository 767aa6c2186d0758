import { atMost, type Contender, type Suite } from "../Suite.js"
import * as columns from "./columns.js"

interface Shape {
  readonly fibers?: number
  readonly origins?: number
  readonly connections?: number
  readonly idle?: number
  readonly standing?: number
}

const shapes: Record<string, Shape> = {
  "none waiting": { fibers: 100 },
  "100 waiting": { fibers: 200 },
  "10,000 waiting": { fibers: 200, standing: 9_900 },
  "10,000 taking turns": { fibers: 10_100 },
  "1 origin": { connections: 1000 },
  "1,000 origins": { connections: 1000, origins: 1000 },
  "1,000 origins over 100 connections": { origins: 1000 },
  "5 idle": { idle: 5 },
  "5,000 idle": { idle: 5000 }
}

export const pool: Suite = {
  name: "pool",
  title: "The pool alone",
  about:
    "Client and pool over connections in memory: 100 fibers over 100 connections to one origin, but for what is named. " +
    "10,000 waiting are 100 of those that are measured, and 9,900 whose turn never comes.",
  cases: ({ quick }) => {
    const jobs = (...names: ReadonlyArray<string>): ReadonlyArray<Contender> =>
      names.map((name) => ({
        name,
        job: {
          task: "pool",
          client: "Sluice",
          measure: "scaling",
          connections: 100,
          fibers: 100,
          origins: 1,
          idle: 0,
          standing: 0,
          duration: quick ? 500 : 1500,
          ...shapes[name]
        }
      }))
    return [
      {
        title: "waiting",
        contenders: jobs("10,000 waiting", "100 waiting", "none waiting", "10,000 taking turns"),
        columns: columns.pool,
        goals: [atMost("cpu", "100 waiting", 1.3, "10,000 waiting")]
      },
      {
        title: "origins",
        contenders: jobs("1,000 origins", "1 origin", "1,000 origins over 100 connections"),
        columns: columns.pool,
        goals: [atMost("cpu", "1 origin", 1.5, "1,000 origins")]
      },
      {
        title: "idle connections",
        contenders: jobs("5,000 idle", "5 idle"),
        columns: columns.pool,
        goals: [atMost("cpu", "5 idle", 1.3, "5,000 idle")]
      },
      {
        title: "a request that need not wait",
        contenders: [{ name: "Sluice", job: { task: "pool", client: "Sluice", measure: "path" } }],
        columns: columns.path,
        goals: [],
        limits: [
          { of: "Sluice", metric: "core", atMost: 1000 },
          { of: "Sluice", metric: "path", atMost: 3000 },
          { of: "Sluice", metric: "waiter", atMost: 1000 }
        ]
      }
    ]
  }
}

export const parser: Suite = {
  name: "parser",
  title: "The HTTP/1.1 parser",
  about: "Our parser and Node's on the same input, without sockets.",
  cases: () => [],
  program: "micro/http1Parser.js"
}

export const hostile: Suite = {
  name: "hostile",
  title: "HTTP/2 servers that mean harm",
  about: "What each attack costs, beside bare node:http2, in two seconds or until the client ends the connection.",
  program: "micro/hostile.js",
  cases: () => []
}
