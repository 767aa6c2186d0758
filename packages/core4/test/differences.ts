/** What one face has and the other does not, and why. There is no other list. */
export const differences: Readonly<Record<string, string>> = {
  "core4 alone has PooledHttpClient withScope":
    "What Effect 4's own `HttpClient.withScope` remembers of a request is private to it: each request would have to go by " +
    "`HttpClient.make`, at several times the cost."
}
