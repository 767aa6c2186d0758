/**
 * What a suite is made of. A suite has cases (50 at once); a case has contenders (Sluice, undici); each contender is a
 * job for a fresh process, which returns numbers.
 */

/** What a child process is asked to do: the name of its task, and the parameters of it. */
export interface Job {
  readonly task: "load" | "transfer" | "memory" | "start" | "pool"
  readonly client: string
  readonly [parameter: string]: string | number | boolean | undefined
}

/** What it returns: the name of a metric and its value. */
export type Measurement = Readonly<Record<string, number>>

export interface Contender {
  readonly name: string
  readonly job: Job
}

export interface Column {
  readonly metric: string
  readonly title: string
  readonly digits: number
  readonly better: "higher" | "lower"
}

/** A bound on the quotient of two contenders' values of a metric: `of` ÷ `against`. */
export interface Goal {
  readonly of: string
  readonly against: string
  readonly metric: string
  readonly bound: "atLeast" | "atMost"
  readonly value: number
}

/** A bound on a value itself. */
export interface Limit {
  readonly of: string
  readonly metric: string
  readonly atMost: number
}

export interface Case {
  readonly title: string
  readonly contenders: ReadonlyArray<Contender>
  /** The first one is what the case is about; its quotients are shown. */
  readonly columns: ReadonlyArray<Column>
  readonly goals: ReadonlyArray<Goal>
  readonly limits?: ReadonlyArray<Limit> | undefined
}

/** Who has to be measured to judge a case: everybody, where nothing is judged. */
export const judged = ({ contenders, goals, limits = [] }: Case): ReadonlyArray<Contender> => {
  const names = new Set([...goals.flatMap(({ against, of }) => [of, against]), ...limits.map(({ of }) => of)])
  return names.size === 0 ? contenders : contenders.filter(({ name }) => names.has(name))
}

/** Where the servers listen. */
export interface Endpoints {
  /** What serves HTTP/1.1, TLS and HTTP/2: `nginx/1.22.1`, or our own. */
  readonly server: string
  readonly http: string
  readonly https: string | undefined
  readonly http2: string | undefined
  /** HTTP/2 in clear text, with prior knowledge. */
  readonly h2c: string | undefined
  /** Servers of HTTP/2 that take uploads of any size: nghttpd, where it is installed. */
  readonly uploads: { readonly http2: string; readonly h2c: string } | undefined
  /** Our own server over bare sockets: reads a request to its end, then sends a prepared response. */
  readonly raw: string
  /** The file with the certificate of the authority that the servers' certificates are from. */
  readonly authority: string | undefined
}

export interface SuiteOptions {
  readonly quick: boolean
  readonly endpoints: Endpoints
}

export interface Suite {
  readonly name: string
  readonly title: string
  /** What is done, in a sentence or two, for those who read the table. */
  readonly about: string
  /** How many rounds, where the suite knows better than the command line's default. */
  readonly rounds?: number | undefined
  /** The suite cannot run: why. */
  readonly unavailable?: (options: SuiteOptions) => string | undefined
  readonly cases: (options: SuiteOptions) => ReadonlyArray<Case>
  /** Another program that measures and prints by itself, below this folder. */
  readonly program?: string | undefined
}

/** The name under which Sluice runs. */
export const subject = "Sluice"

export const faster = (metric: string, against: string, value: number): Goal => ({
  of: subject,
  against,
  metric,
  bound: "atLeast",
  value
})

export const atMost = (metric: string, against: string, value: number, of = subject): Goal => ({
  of,
  against,
  metric,
  bound: "atMost",
  value
})
