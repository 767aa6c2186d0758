/** A small response, as APIs give them. */
export const smallText = JSON.stringify({
  id: 42,
  name: "Ada Lovelace",
  email: "ada@example.com",
  active: true,
  roles: ["admin", "author"],
  createdAt: "2026-01-01T00:00:00.000Z"
})

/** A list of such, 64 KiB of it. */
export const mediumText = (() => {
  const size = 64 * 1024
  const items = `[${Array.from({ length: Math.floor(size / (smallText.length + 1)) - 1 }, () => smallText).join(",")}]`
  return items.padEnd(size)
})()

/** Numbers that look random and are the same each time (mulberry32). */
const numbers = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}

/** JSON of about so many bytes that compresses as an API's does, to a fifth or so: its items are alike and not the same. */
const variedText = (size: number): string => {
  const next = numbers(size)
  const words = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty"]
  const word = () => words[Math.floor(next() * words.length)]
  const items: Array<string> = []
  for (let length = 2, id = 1; length < size; id++) {
    const item = JSON.stringify({
      id,
      key: Math.floor(next() * 2 ** 32).toString(16),
      name: `${word()} ${word()}`,
      email: `${word()}.${word()}@example.com`,
      price: Math.floor(next() * 100_000) / 100,
      active: next() < 0.5,
      tags: [word(), word()]
    })
    items.push(item)
    length += item.length + 1
  }
  return `[${items.join(",")}]`
}

export const codings = ["gzip", "br"] as const
export type Coding = (typeof codings)[number]

/** Made when somebody asks: few suites do, and ten megabytes take their time. */
const coded: Readonly<Record<string, () => string>> = {
  "/coded-64k": () => variedText(64 * 1024),
  "/coded-10m": () => variedText(10 * 1024 * 1024)
}

const made = new Map<string, string>()

/** The text behind a path such as `/coded-64k.gzip`. */
export const codedText = (path: string): string | undefined => {
  const name = path.replace(/\.\w+$/, "")
  const make = coded[name]
  if (make === undefined || name === path) return undefined
  const text = made.get(name) ?? make()
  made.set(name, text)
  return text
}

/** What is asked for, and what has to come: servers respond with it and contenders are held to it. */
export const served: Readonly<Record<string, string>> = {
  "/small": smallText,
  "/distinct": smallText,
  "/upload": smallText,
  "/64k": mediumText
}

/** In bytes. */
export const largeBody = { full: 1024 ** 3, quick: 128 * 1024 ** 2, http2: 100 * 1024 ** 2 }
export const uploadBody = 128 * 1024
export const uploadChunk = 64 * 1024
