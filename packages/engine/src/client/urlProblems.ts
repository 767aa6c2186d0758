import * as Failure from "../Failure.js"

/** Without slashes after it, what stands before the colon may be a user's name, as in `user:password@host`: it is not shown. */
export const unsupportedProtocol = (
  url: { readonly protocol: string; readonly host: string; readonly href: string }
): Failure.UnsupportedProtocol =>
  url.href.startsWith(`${url.protocol}//`)
    ? Failure.unsupportedProtocol({ origin: `${url.protocol}//${url.host}`, protocol: url.protocol })
    : Failure.unsupportedProtocol({ origin: "", protocol: "" })

/** An IPv6 address with a zone in its brackets, as in `http://[fe80::1%eth0]/`. */
const hasZone = /^https?:\/\/(?:[^/?#@]*@)?\[[\da-f:.]+%[^\]/?#]*\]/i

/** Nothing of what is not valid is shown: a piece of it that looks like a host may be a password. */
export const invalidUrl = (url: string): Failure.LocalProtocolError =>
  hasZone.test(url)
    ? Failure.localProtocolError({
      origin: "",
      reason: "InvalidUrl",
      detail:
        "its host is an IPv6 address with a zone, which no URL can hold: a zone means something on this machine only. " +
        "Give the URL a name, and the address with its zone by the option lookup",
      section: "RFC 9844"
    })
    : Failure.localProtocolError({
      origin: "",
      reason: "InvalidUrl",
      detail: "its URL is not valid; write all of it, as in http://example.com/"
    })
