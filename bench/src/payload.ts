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

/** What is asked for, and what has to come: servers respond with it and contenders are held to it. */
export const served: Readonly<Record<string, string>> = {
  "/small": smallText,
  "/upload": smallText,
  "/64k": mediumText
}

/** In bytes. */
export const largeBody = { full: 1024 ** 3, quick: 128 * 1024 ** 2, http2: 100 * 1024 ** 2 }
export const uploadBody = 128 * 1024
export const uploadChunk = 64 * 1024
