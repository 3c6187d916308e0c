// application → [testing] → transport: what the tests of a transport, and of its users, need

export type { ByteStream } from "../io/byte-stream.ts";
export { type Clock, ManualClock } from "../io/clock.ts";
export { memoryPair } from "../io/memory-pair.ts";
export {
  type MakePair,
  type TransportCase,
  type TransportSuiteOptions,
  transportSuite,
} from "./transport-suite.ts";
