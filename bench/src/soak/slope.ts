export interface Slope {
  readonly slope: number
  /** Of the 95 % interval. */
  readonly low: number
  readonly high: number
}

/** The straight line through points that fits best, by least squares. */
export const slopeOf = (points: ReadonlyArray<readonly [x: number, y: number]>): Slope => {
  const n = points.length
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0)
  const error = 1.96 * Math.sqrt(rest / Math.max(1, n - 2) / spread)
  return { slope, low: slope - error, high: slope + error }
}
