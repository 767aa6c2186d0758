/** The bytes of what was given as it is, or its text; undefined for what is not there whole. */
export const rawBytes = (raw: unknown): string | Uint8Array | undefined => {
  if (raw === undefined || raw === null) return ""
  if (typeof raw === "string" || raw instanceof Uint8Array) return raw
  if (raw instanceof URLSearchParams) return raw.toString()
  if (raw instanceof ArrayBuffer) return new Uint8Array(raw)
  return ArrayBuffer.isView(raw) ? new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength) : undefined
}
