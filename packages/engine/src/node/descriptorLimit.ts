interface Report {
  readonly userLimits?: { readonly open_files?: { readonly soft?: number | string } }
}

let known: number | undefined = undefined

/**
 * How many files and sockets this process may have open (`ulimit -n`); undefined where the system does not say. Node tells
 * it in its diagnostic report alone, which takes milliseconds: it is asked once, when somebody has met the limit.
 */
export const descriptorLimit = (): number | undefined => {
  if (known !== undefined) return known
  try {
    const soft = (process.report.getReport() as Report).userLimits?.open_files?.soft
    if (typeof soft === "number") known = soft
  } catch {
    // There is none: it is the rest of the sentence that matters.
  }
  return known
}
