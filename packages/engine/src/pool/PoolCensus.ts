/** More pools with the same options than this, alive at once, are a mistake: each service that provides a layer builds it. */
const handful = 2

/** Counts the pools that are open, to say once when there are too many alike. */
export class PoolCensus {
  private readonly alive = new Map<number, number>()
  private readonly functions = new WeakMap<object, number>()
  private functionCount = 0
  private hasWarned = false

  /** A pool is made. What is returned is called when it is gone; `warning` is there when this one is too many. */
  enter(options: unknown): { readonly leave: () => void; readonly warning: string | undefined } {
    const kind = digest(JSON.stringify(options, this.identify) ?? "")
    const count = (this.alive.get(kind) ?? 0) + 1
    this.alive.set(kind, count)
    const isNews = count > handful && !this.hasWarned
    this.hasWarned ||= isNews
    return { leave: () => this.leave(kind), warning: isNews ? warning(count) : undefined }
  }

  private leave(kind: number): void {
    const left = (this.alive.get(kind) ?? 1) - 1
    if (left === 0) this.alive.delete(kind)
    else this.alive.set(kind, left)
  }

  /** Two functions are alike if they are the same. */
  private readonly identify = (_key: string, value: unknown): unknown => {
    if (typeof value !== "function") return value
    let id = this.functions.get(value)
    if (id === undefined) this.functions.set(value, id = ++this.functionCount)
    return `function ${id}`
  }
}

/** Options may hold keys and passwords, so that only a hash is kept to distinguish them (FNV-1a). */
const digest = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

const warning = (count: number): string =>
  `${count} connection pools with the same options are open. Is a client layer provided for each request, or made anew ` +
  "in each service? Each time it is built it is another pool, so limits do not hold and connections are not reused: " +
  "provide it once, around the whole program; services that are composed into one layer share it if it is one value, " +
  "as HttpClientLayer.default is."
