import { readFileSync, statSync } from "node:fs"
import * as tls from "node:tls"
import { readCertificates } from "./certificates.js"
import type { Pem, TlsFiles, TlsSettings } from "./TlsSettings.js"

/** The certificates that the system trusts, where Node can say (22.15 and later). */
export const systemAuthorities = (): ReadonlyArray<string> | undefined => {
  const { getCACertificates } = tls as { readonly getCACertificates?: (kind: "system") => ReadonlyArray<string> }
  return getCACertificates?.("system")
}

/** What of the files is there now. What cannot be read throws. */
export const readFiles = ({ ca, cert, key }: TlsFiles): Pick<TlsSettings, "ca" | "cert" | "key"> => ({
  ...(ca === undefined ? {} : { ca: readAuthorities(ca) }),
  ...(cert === undefined ? {} : { cert: readFileSync(cert) }),
  ...(key === undefined ? {} : { key: readFileSync(key) })
})

/** While it is being written a bundle may have some of its certificates. */
const readAuthorities = (file: string): Uint8Array => {
  const bundle = readFileSync(file)
  readCertificates(bundle)
  return bundle
}

/** Whatever is wrong with certificates and keys is thrown. */
export const contextOf = ({ ca, cert, key, maxVersion, minVersion, passphrase }: TlsSettings): tls.SecureContext => {
  const given = { ca: ca === "system" ? systemAuthorities() : ca, cert, key, passphrase, minVersion, maxVersion }
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return tls.createSecureContext(options as { readonly ca?: Array<string> } & { readonly cert?: Pem & string })
}

/** What is the same as long as nobody has written the files. */
const stateOf = ({ ca, cert, key }: TlsFiles): string =>
  [ca, cert, key].map((file) => {
    if (file === undefined) return ""
    const { ino, mtimeMs, size } = statSync(file)
    return `${ino} ${mtimeMs} ${size}`
  }).join()

/**
 * What connections are secured with. Making it takes milliseconds, so it is done once, or again when a file has changed: for
 * the connections from then on. A file that cannot be used, as while it is being written, changes nothing.
 */
export class TlsContext {
  private context: tls.SecureContext | undefined = undefined
  private state = ""

  constructor(private readonly settings: TlsSettings) {}

  /** What is wrong with certificates and keys is thrown each time. */
  get(): tls.SecureContext {
    const { files } = this.settings
    if (files === undefined) return this.context ??= contextOf(this.settings)
    try {
      const state = stateOf(files)
      if (this.context !== undefined && state === this.state) return this.context
      this.context = contextOf({ ...this.settings, ...readFiles(files) })
      this.state = state
    } catch (cause) {
      if (this.context === undefined) throw cause
    }
    return this.context
  }
}
