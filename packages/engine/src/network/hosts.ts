/** A host name or an address as it is compared: in lower case, without brackets and without the dot at its end. */
export const plainHost = (host: string): string => host.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "")

/** Whether it is that name or one below it. */
export const isWithin = (host: string, domain: string): boolean => host === domain || host.endsWith(`.${domain}`)

/** `localhost` and what is below it always mean this machine (RFC 6761 §6.3). */
export const isLocalhost = (host: string): boolean => isWithin(host, "localhost")
