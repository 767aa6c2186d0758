import type { TlsFiles, TlsSettings } from "./TlsSettings.js"

/**
 * Settings laid over others, option by option. A certificate or a key is one option, whether it is given itself or by the
 * path of its file: what is laid over says which.
 */
export const layTls = (base: TlsSettings | undefined, own: TlsSettings | undefined): TlsSettings => {
  if (base === undefined || own === undefined) return own ?? base ?? {}
  const files: TlsFiles = { ...without(base.files ?? {}, own), ...own.files }
  const laid = { ...without(base, own.files ?? {}), ...own }
  return Object.values(files).every((path) => path === undefined) ? { ...laid, files: undefined } : { ...laid, files }
}

/** What of the three is given there is not taken from here. */
const without = <A extends TlsFiles | TlsSettings>(base: A, { ca, cert, key }: TlsFiles | TlsSettings): A => ({
  ...base,
  ...(ca === undefined ? {} : { ca: undefined }),
  ...(cert === undefined ? {} : { cert: undefined }),
  ...(key === undefined ? {} : { key: undefined })
})
