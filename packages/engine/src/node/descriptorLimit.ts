import { closeSync, openSync } from "node:fs"
import { devNull } from "node:os"

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

/**
 * Why a name could not be looked up. The C library, and c-ares, say that there is no such name, or no name server, where they
 * could not open `/etc/hosts` or a socket; that is only known by opening something.
 */
export const lookUpFailure = (error: NodeJS.ErrnoException): NodeJS.ErrnoException => {
  const code = lacksDescriptors()
  if (code === undefined) return error
  const { hostname = "", syscall = "getaddrinfo" } = error as { hostname?: string; syscall?: string }
  return Object.assign(new Error(`${syscall} ${code} ${hostname}`, { cause: error }), { code, syscall, hostname })
}

const lacksDescriptors = (): "EMFILE" | "ENFILE" | undefined => {
  try {
    closeSync(openSync(devNull, "r"))
    return undefined
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    return code === "EMFILE" || code === "ENFILE" ? code : undefined
  }
}
