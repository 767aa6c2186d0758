import { X509Certificate } from "node:crypto"

/**
 * All certificates of a bundle. Node takes those before the first one that it cannot read, and says nothing of the others,
 * nor of what is not PEM at all.
 */
export const readCertificates = (pem: string | Uint8Array): void => {
  const text = Buffer.from(pem).toString("latin1")
  if (!text.includes("-----BEGIN ")) throw new Error("it does not begin with -----BEGIN")
  const begun = text.split(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/).slice(1)
  if (begun.length === 0) throw new Error("there is no certificate in it")
  begun.forEach((rest, i) => {
    const [base64, end] = rest.split(/-----END (?:X509 |TRUSTED )?CERTIFICATE-----/)
    try {
      if (end === undefined) throw new Error("its end is missing")
      void new X509Certificate(Buffer.from(base64, "base64"))
    } catch (cause) {
      throw begun.length === 1 ? cause : new Error(`certificate ${i + 1} of it: ${(cause as Error).message}`)
    }
  })
}
