/**
 * The one language in which mocks, the network in memory and the test server say which requests they mean.
 */
export { type Difference, differences, isSecret, matches, type RoutedRequest } from "./differences.js"
export { params, parseRoute, type QueryPattern, type Route, type RouteProblem } from "./Route.js"
export { normalizePath, parseQuery, type Query } from "./urls.js"
