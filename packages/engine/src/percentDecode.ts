/** What is not percent-encoded as it should be is taken as it is; the URL parser lets it pass too. */
export const percentDecode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
