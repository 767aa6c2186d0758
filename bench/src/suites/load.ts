import { codings } from "../payload.js"
import {
  atMost,
  type Case,
  type Contender,
  faster,
  type Goal,
  subject,
  type Suite,
  type SuiteOptions
} from "../Suite.js"
import { load } from "./columns.js"

const everyone = [
  subject,
  "bare socket",
  "undici dispatch",
  "undici.request",
  "node:http",
  "fetch",
  "got",
  "axios",
  "ky",
  "layerUndici",
  "NodeHttpClient.layer, keep-alive"
]

interface Load {
  readonly warmUpRequests?: number
  readonly url: string
  readonly workers: number
  readonly connections?: number
  readonly post?: boolean
  readonly traces?: string
}

const jobs = (names: ReadonlyArray<string>, { quick }: SuiteOptions, work: Load): ReadonlyArray<Contender> =>
  names.map((name) => ({
    name,
    job: {
      task: "load",
      client: name,
      connections: work.workers,
      ...work,
      warmUp: quick ? 400 : 700,
      duration: quick ? 600 : 1300
    }
  }))

const atOnce = (
  names: ReadonlyArray<string>,
  options: SuiteOptions,
  work: Load,
  goals: ReadonlyArray<Goal>
): Case => ({ title: `${work.workers} at once`, contenders: jobs(names, options, work), columns: load, goals })

export const requests: Suite = {
  name: "requests",
  title: "Small JSON over HTTP/1.1",
  about: "A GET whose response of 150 bytes is read as text, so many at once, over as many connections.",
  cases: (options) => {
    const url = `${options.endpoints.http}/small`
    return [1, 10, 50, 500].map((workers) =>
      atOnce(
        workers === 50 ? [...everyone, "NodeHttpClient.layer"] : everyone,
        options,
        { url, workers },
        [
          faster("rate", "undici.request", workers === 1 ? 1.1 : 1.3),
          ...(workers === 50 ? [faster("rate", "layerUndici", 8)] : []),
          atMost("cpu", "bare socket", 3)
        ]
      )
    )
  }
}

export const saturated: Suite = {
  name: "saturated",
  title: "1,000 fibers over 50 connections",
  about: "The same request by 1,000 loops that share 50 connections, so that most of them wait at any time.",
  cases: (options) => [{
    title: "1,000 over 50",
    contenders: [
      ...jobs([subject, "undici dispatch", "undici.request", "node:http", "got", "axios", "layerUndici"], options, {
        url: `${options.endpoints.http}/small`,
        workers: 1000,
        connections: 50
      })
    ],
    columns: load,
    goals: [faster("rate", "undici.request", 1.2), atMost("p999", "undici.request", 1)]
  }]
}

export const post: Suite = {
  name: "post",
  title: "128 KiB up",
  about: "A POST of 128 KiB in one piece, to a server that reads all of it and gives a short response.",
  cases: (options) =>
    [1, 10].map((workers) =>
      atOnce(
        everyone.filter((name) => name !== "undici dispatch"),
        options,
        { url: `${options.endpoints.http}/upload`, workers, post: true },
        [faster("rate", "undici.request", 1.2)]
      )
    )
}

/** Belongs to the suite `body`. */
export const responses = (options: SuiteOptions): ReadonlyArray<Case> =>
  [1, 10].map((workers) => ({
    ...atOnce(everyone, options, { url: `${options.endpoints.http}/64k`, workers }, [
      faster("rate", "undici.request", 1.2)
    ]),
    title: `64 KiB responses, ${workers} at once`
  }))

export const needsTls = ({ endpoints }: SuiteOptions) =>
  endpoints.https === undefined ? "it needs nginx, which is not installed" : undefined

export const tls: Suite = {
  name: "tls",
  title: "Small JSON over HTTP/1.1 and TLS",
  about: "As `requests`, with certificates verified.",
  unavailable: needsTls,
  cases: (options) =>
    [1, 50].map((workers) =>
      atOnce(everyone, options, { url: `${options.endpoints.https}/small`, workers }, [
        faster("rate", "undici.request", 1.1)
      ])
    )
}

const decoders = [subject, "undici decompress", "fetch", "got"]

export const coded: Suite = {
  name: "codings",
  title: "Compressed JSON",
  about:
    "Responses of 64 KiB and 10 MiB of JSON, compressed to about a third, decoded and read as text, from our own server. " +
    "undici's client has its interceptor.",
  cases: (options) =>
    codings.flatMap((coding) =>
      [
        { size: "64 KiB", path: "coded-64k", workers: 10, warmUpRequests: 2000 },
        { size: "10 MiB", path: "coded-10m", workers: 1, warmUpRequests: 10 }
      ].map(({ path, size, warmUpRequests, workers }) => ({
        ...atOnce(
          decoders,
          options,
          { url: `${options.endpoints.raw}/${path}.${coding}`, workers, warmUpRequests },
          decoders.slice(1).map((peer) => faster("rate", peer, 1))
        ),
        title: `${size} as ${coding}, ${workers} at once`
      }))
    )
}

export const traced: Suite = {
  name: "traced",
  title: "With a tracer that exports",
  about: "As `requests`, with the OTLP tracer of @effect/opentelemetry, which sends its spans to the same server.",
  cases: (options) => [
    atOnce([subject, "layerUndici"], options, {
      url: `${options.endpoints.http}/small`,
      workers: 50,
      traces: `${options.endpoints.http}/v1/traces`
    }, [faster("rate", "layerUndici", 3)])
  ]
}
