import { UnsupportedProtocol } from "../TransportError.js"

/** Without slashes after it, what stands before the colon may be a user's name, as in `user:password@host`: it is not shown. */
export const unsupportedProtocol = (
  url: { readonly protocol: string; readonly host: string; readonly href: string }
): UnsupportedProtocol =>
  url.href.startsWith(`${url.protocol}//`)
    ? new UnsupportedProtocol({ origin: `${url.protocol}//${url.host}`, protocol: url.protocol })
    : new UnsupportedProtocol({ origin: "", protocol: "" })
