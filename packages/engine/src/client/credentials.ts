/** Whether a request is authorized already: user and password of a URL become its `authorization`. */
export const hasOwnCredentials = (
  headers: Readonly<Record<string, string>>,
  { password, username }: { readonly password: string; readonly username: string }
): boolean => headers["authorization"] !== undefined || username !== "" || password !== ""

/** The origin that a text names, and nothing else of a URL. */
export const originNamed = (text: string): string | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:"
  return url !== undefined && isHttp && url.href === `${url.origin}/` ? url.origin : undefined
}

/** The text is not shown: whoever mistakes a URL for an origin may have left a password in it. */
export const notAnOrigin =
  "Credentials: what they are for is not an origin; write scheme, host and port, as in https://api.example.com"
