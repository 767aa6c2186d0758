export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Half of what lies between the extremes, as a fraction of the median: ± so much. */
export const spread = (values: ReadonlyArray<number>): number =>
  (Math.max(...values) - Math.min(...values)) / 2 / Math.abs(median(values))

/** How many ways there are to have at most `k` heads in `n` tosses, as a share of all ways. */
const atMostHeads = (k: number, n: number): number => {
  let ways = 1
  let sum = 1
  for (let i = 1; i <= k; i++) {
    ways = ways * (n - i + 1) / i
    sum += ways
  }
  return sum / 2 ** n
}

/**
 * Between which two of the values their median lies with a probability of at least 95 %, whatever their distribution
 * (the sign test turned round). With fewer than six values there is no such pair: then it is the extremes.
 */
export const medianInterval = (values: ReadonlyArray<number>): readonly [low: number, high: number] => {
  const sorted = [...values].sort((a, b) => a - b)
  let dropped = 0
  while (atMostHeads(dropped, sorted.length) <= 0.025) dropped++
  return [sorted[Math.max(0, dropped - 1)], sorted[sorted.length - Math.max(1, dropped)]]
}
